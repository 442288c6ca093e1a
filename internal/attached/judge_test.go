package attached

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/running"
)

func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	example, err := demo.Find("inline")
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Extract(dir, example, elfbin.AMD64); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "inline-O2")
}

// judge judges one program that is attached to places.
func judge(t *testing.T, k kernel.Kernel, loaded time.Duration, places ...running.Place) report.Attached {
	t.Helper()
	j := Judge{Files: target.NewAnalyzer(target.Options{Root: os.DirFS("/")}), Kernel: k}
	if k != nil {
		j.Fleet = check.NewFleet([]kernel.Kernel{k}, nil)
	}
	t.Cleanup(func() { j.Files.Close() })
	out := j.All(&running.Inventory{
		Programs:    []running.Program{{ID: 7, Name: "p", Type: running.Kprobe, Loaded: loaded}},
		Attachments: []running.Attachment{{Program: 7, Mechanism: running.UprobeMulti, Link: 3, Places: places, Owners: []running.Owner{{PID: 5, Comm: "x"}, {PID: 5, Comm: "x", FD: 4}}}},
	}, func(subject string, err error) { t.Error(subject, err) })
	if len(out) != 1 || len(out[0].Owners) != 1 {
		t.Fatalf("%+v", out)
	}
	return out[0]
}

const later = 1 << 60 * time.Nanosecond // loaded after every file was changed

func TestFunctions(t *testing.T) {
	path := program(t)
	b, err := target.NewAnalyzer(target.Options{Root: os.DirFS("/")}).Resolve("uprobe:" + path + ":add")
	if err != nil {
		t.Fatal(err)
	}
	var all []uint64
	for _, s := range b.Results[0].Sites {
		all = append(all, s.FileOffset)
	}
	for _, tt := range []struct {
		name    string
		kind    hook.Kind
		offsets []uint64
		want    []string
	}{
		{"the symbol", hook.Uprobe, all[:1], []string{"add: 1 of 3 partial SH401"}},
		{"all of them", hook.Uprobe, all, []string{"add: 3 of 3 complete"}},
		{"two of them", hook.Uprobe, all[:2], []string{"add: 2 of 3 partial SH401"}},
		{"the entry of a caller", hook.Uprobe, all[2:], []string{"twice: 1 of 1 complete"}},
		{"inside of an instruction", hook.Uprobe, []uint64{all[0] + 2}, []string{fmt.Sprintf("%#x: 0 of 0 none SH404", all[0]+2)}},
		{"a return", hook.Uretprobe, all[:1], []string{"add: 1 of 3 partial SH410"}},
		{"no code", hook.Uprobe, []uint64{1}, []string{"not known"}},
	} {
		var places []running.Place
		for _, o := range tt.offsets {
			places = append(places, running.Place{Kind: tt.kind, Offset: o, File: running.File{Path: path, Open: path}})
		}
		out := judge(t, nil, later, places...)
		var got []string
		for _, f := range out.Functions {
			h := f.Verdict.Hook
			text := h.Function
			if h.HasAddress {
				text = fmt.Sprintf("%#x", h.Address)
			}
			text += fmt.Sprintf(": %d of %d %s", f.At, f.At+len(f.Missed), f.Verdict.Plain)
			for _, g := range f.Findings {
				text += " " + string(g.Rule)
				if g.Origin.Where != "attached by x[5]" {
					t.Errorf("%+v", g.Origin)
				}
			}
			got = append(got, text)
		}
		if len(out.NotKnown) > 0 {
			got = append(got, "not known")
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: %q, want %q; %q", tt.name, got, tt.want, out.NotKnown)
		}
	}
}

// TestReplaced: a file that is gone or newer than the probe.
func TestReplaced(t *testing.T) {
	path := program(t)
	for _, tt := range []struct {
		file   running.File
		loaded time.Duration
		want   check.Severity
	}{
		{running.File{Path: path, Open: path, Deleted: true}, later, check.Error},
		{running.File{Path: path, Open: path + ".no"}, later, check.Error},
		{running.File{Path: path, Open: path}, 0, check.Warning},
	} {
		out := judge(t, nil, tt.loaded, running.Place{Kind: hook.Uprobe, Offset: 0x1000, File: tt.file})
		last := out.Functions[len(out.Functions)-1]
		if len(last.Findings) != 1 || last.Findings[0].Rule != check.SH310 || last.Findings[0].Severity != tt.want || last.Verdict.Plain != "unknown" {
			t.Errorf("%+v: %+v", tt.file, out)
		}
	}
}

// TestKernel: the category of an event is found where it is the only one.
func TestKernel(t *testing.T) {
	k := &kernel.Snapshot{
		ID:      kernel.Identity{Name: "live"},
		Events:  []kernel.Tracepoint{{System: "a", Name: "one"}, {System: "a", Name: "two"}, {System: "b", Name: "two"}},
		Raws:    []kernel.RawTracepoint{{Name: "one"}},
		Options: map[string]string{"CONFIG_BPF_EVENTS": "y", "CONFIG_BPF_SYSCALL": "y"},
	}
	k.Sort()
	out := judge(t, k, later,
		running.Place{Kind: hook.Tracepoint, Name: "one"}, running.Place{Kind: hook.Tracepoint, Name: "two"}, running.Place{Kind: hook.Tracepoint, Name: "none"},
		running.Place{Kind: hook.RawTracepoint, Name: "one"}, running.Place{Kind: hook.RawTracepoint, Name: "one"}, running.Place{Kind: hook.Kprobe, Address: 16})
	var hooks []string
	for _, h := range out.OnKernel {
		hooks = append(hooks, h.Hook.String()+" "+string(h.Results[0].Verdict.Plain))
	}
	if got := strings.Join(hooks, ", "); got != "tracepoint:a:one complete, rawtracepoint:one complete" {
		t.Error(got)
	}
	if got := strings.Join(out.NotKnown, "; "); !strings.Contains(got, "a, b have one") || !strings.Contains(got, "no category") || !strings.Contains(got, "kprobe at 0x10") {
		t.Error(got)
	}
	if out := judge(t, nil, later, running.Place{Kind: hook.Kprobe, Name: "f"}); len(out.NotKnown) != 1 {
		t.Errorf("%+v", out)
	}
}
