package shipped

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

const source = `
#define SEC(x) __attribute__((section(x), used))
SEC("raw_tp/opened") int here(void *c) { return 0; }
SEC("raw_tp/closed") int gone(void *c) { return 0; }
SEC("kprobe") int late(void *c) { return 0; }
SEC("tc") int filter(void *c) { return 0; }
`

// compile puts an object into a directory.
func compile(t *testing.T, dir string) string {
	t.Helper()
	if _, err := exec.LookPath("clang"); err != nil {
		t.Skip("needs clang: ", err)
	}
	in, out := filepath.Join(dir, "x.bpf.c"), filepath.Join(dir, "x.bpf.o")
	if err := os.WriteFile(in, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("clang", "-target", "bpf", "-O2", "-g", "-c", in, "-o", out).CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, text)
	}
	return out
}

func read(name string) ([]*bpfobj.File, []report.Passed, error) {
	var c Contents
	err := c.Add(name)
	return c.Files, c.Passed, err
}

// TestPassed: what is passed over in a directory is noted with the reason,
// also where the directory is given by a link.
func TestPassed(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "d")
	for name, text := range map[string]string{"a.bt": "BEGIN { }", "README": "x", "sub/.git/HEAD": "x", "sub/b.bt": "BEGIN { }", "empty": ""} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o700), os.WriteFile(path, []byte(text), 0o600)); err != nil {
			t.Fatal(err)
		}
	}
	alias := filepath.Join(t.TempDir(), "alias")
	if err := errors.Join(os.Symlink(filepath.Join(dir, "README"), filepath.Join(dir, "link")), os.Symlink(dir, alias)); err != nil {
		t.Fatal(err)
	}
	for _, given := range []string{dir, alias} {
		files, passed, err := read(given)
		if err != nil || len(files) != 2 {
			t.Errorf("%d files, %v", len(files), err)
		}
		got := map[string]string{}
		for _, p := range passed {
			name, err := filepath.Rel(given, p.Path)
			if err != nil || p.Dir != given {
				t.Error(p, err)
			}
			got[name] = p.Reason
		}
		want := map[string]string{"README": noHooks, "empty": noHooks, "link": aLink, filepath.Join("sub", ".git"): aStore}
		if !maps.Equal(got, want) {
			t.Errorf("%v", got)
		}
	}
}

// TestCheck: a directory's object, one of whose hooks is not in the kernel.
func TestCheck(t *testing.T) {
	dir := t.TempDir()
	object := compile(t, dir)
	files, _, err := read(dir)
	if err != nil || len(files) != 1 || files[0].Path != object {
		t.Fatalf("%+v, %v", files, err)
	}
	k := &kernel.Snapshot{
		ID:      kernel.Identity{Name: "test"},
		Options: map[string]string{"CONFIG_BPF_EVENTS": "y", "CONFIG_BPF_SYSCALL": "y"},
		Raws:    []kernel.RawTracepoint{{Name: "opened"}},
	}
	k.Sort()
	checker := Checker{Fleet: check.NewFleet([]kernel.Kernel{k}, nil), Files: target.NewAnalyzer(target.Options{})}
	out := checker.Check(files, func(subject string, err error) { t.Error(subject, err) })
	var verdicts []string
	for _, p := range out[0].Programs {
		for _, h := range p.OnKernel {
			verdicts = append(verdicts, p.Program.Name+" "+string(h.Results[0].Verdict.Plain))
			if o := h.Results[0].Verdict.Origin; o.File != object || o.Program != p.Program.Name {
				t.Errorf("origin %+v", o)
			}
		}
	}
	if got := strings.Join(verdicts, ", "); got != "here "+string(sites.Complete)+", gone "+string(sites.None)+", late "+string(sites.Unknown) {
		t.Error(got)
	}
	if w := out[0].Worst(); w != check.Error {
		t.Errorf("worst %q", w)
	}
	for format, want := range map[report.Format][]string{
		report.Text: {"hook not known: its loader says", "skipped program filter (tc+0x0): not a tracing program", "SH109"},
		report.JSON: {`"schema":"surehook.file/1"`, `"program":"gone"`, `"where":"raw_tp/closed+0x0"`, `"what":"program filter"`},
	} {
		var b bytes.Buffer
		if err := report.Files(&b, format, []string{"test"}, out, false); err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(b.String(), w) {
				t.Errorf("no %s in\n%s", w, b.String())
			}
		}
	}
}

func TestIsFile(t *testing.T) {
	for arg, want := range map[string]bool{
		".": true, "nosuch.bpf.o": true, "nosuch.bt": true, "uprobe:./x.o:f": false, "kprobe:f": false, "nosuch": false,
	} {
		if got := IsFile(arg); got != want {
			t.Errorf("%s: %v", arg, got)
		}
	}
	if _, _, err := read(t.TempDir()); err == nil {
		t.Error("an empty directory")
	}
}

// TestScripts: a script is told by its name or first line; one that bpftrace
// rejects is a finding with its place.
func TestScripts(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"good.bt": "rawtracepoint:opened,\nrawtracepoint:closed { }", "tool": "#!/usr/bin/env bpftrace\nBEGIN { }", "bad.bt": "kprobe:f {\n  @[comm = 1; }", "README": "kprobe:f {}",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, _, err := read(dir)
	if err != nil || len(files) != 3 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	k := &kernel.Snapshot{
		ID:      kernel.Identity{Name: "test"},
		Options: map[string]string{"CONFIG_BPF_EVENTS": "y", "CONFIG_BPF_SYSCALL": "y"},
		Raws:    []kernel.RawTracepoint{{Name: "opened"}},
	}
	k.Sort()
	checker := Checker{Fleet: check.NewFleet([]kernel.Kernel{k}, nil), Files: target.NewAnalyzer(target.Options{})}
	out := checker.Check(files, func(subject string, err error) { t.Error(subject, err) })
	bad := out[0].Findings
	if len(bad) != 1 || bad[0].Rule != check.SH002 || bad[0].Origin.Line != 2 || bad[0].Origin.Column != 10 || out[0].Worst() != check.Error {
		t.Errorf("%+v", out[0])
	}
	closed := out[1].Programs[0].OnKernel[1].Results[0]
	if len(closed.Findings) != 1 || closed.Findings[0].Origin.Line != 2 || closed.Verdict.Origin.Column != 1 {
		t.Errorf("%+v", closed)
	}
	d := &report.Document{Files: out}
	found := 0
	d.EachFindings(func(list []check.Finding) { found += len(list) })
	if found != 2 {
		t.Errorf("%d findings are visited", found)
	}
}

// TestAddAll: files come in the order that they are asked for in, and each that
// cannot be read is told.
func TestAddAll(t *testing.T) {
	dir := t.TempDir()
	var names, want, skipped []string
	for i := range 50 {
		name := filepath.Join(dir, fmt.Sprintf("%02d.bt", 49-i))
		if names = append(names, name); i%7 == 3 {
			continue // is not there
		}
		want = append(want, name)
		if err := os.WriteFile(name, []byte("BEGIN { }"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var c Contents
	c.AddAll(names, func(name string, err error) {
		if !errors.Is(err, os.ErrNotExist) {
			t.Error(err)
		}
		skipped = append(skipped, name)
	})
	var got []string
	for _, f := range c.Files {
		got = append(got, f.Path)
	}
	if !slices.Equal(got, want) || len(skipped) != len(names)-len(want) {
		t.Errorf("%d files, %d skipped: %v", len(got), len(skipped), got)
	}
}
