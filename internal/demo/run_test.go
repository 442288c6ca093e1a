package demo

import (
	"bytes"
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/sites"
)

// fakeSites resolves a hook to its symbol alone.
func fakeSites(h string) ([]sites.Result, error) {
	path, name, _ := cutLast(strings.TrimPrefix(h, "uprobe:"), ":")
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	list, err := f.Symbols()
	if err != nil {
		return nil, err
	}
	for _, s := range list {
		if s.Name != name {
			continue
		}
		return []sites.Result{{
			Hook:     hook.Hook{Target: path, Function: name, Text: h},
			Function: name,
			Sites: []sites.Site{
				{Kind: sites.Entry, Address: s.Value, FileOffset: s.Value, Symbol: name, Plain: true},
				{Kind: sites.Inlined, Address: s.Value + 16, Symbol: "sum", Offset: 16,
					Callers: []sites.Frame{{Function: "sum", File: "inline/add.c", Line: 19}}},
			},
			Plain:   sites.Judgement{Verdict: sites.Partial, Reasons: []sites.Reason{{Code: sites.ReasonInlined, Text: strings.Repeat("copies are missed ", 9)}}},
			Plan:    sites.Judgement{Verdict: sites.Complete},
			PlainAt: []uint64{s.Value},
		}}, nil
	}
	return nil, fmt.Errorf("%s: no symbol %s", path, name)
}

// fakeSession counts reads, so that a test sees which session was closed.
type fakeSession struct {
	results []sites.Result
	reads   uint64
	closed  *int
}

func (s *fakeSession) Counts() ([]tally.Count, error) {
	var counts []tally.Count
	for i := range s.results {
		r := &s.results[i]
		counts = append(counts, tally.Count{Result: r, Executions: 13, Plain: 2 + s.reads, PlainKnown: true,
			BySite: []tally.SiteHits{{Site: &r.Sites[0], Hits: tally.Hits{Hits: 2}}, {Site: &r.Sites[1], Hits: tally.Hits{Hits: 11}}}})
	}
	s.reads++
	return counts, nil
}

func (s *fakeSession) Close() error { *s.closed++; return nil }

func TestRunWithoutPrivilege(t *testing.T) {
	for _, arch := range arches() {
		for _, refuse := range []error{attach.ErrNotPermitted, fmt.Errorf("open: %w", attach.ErrNotSupported)} {
			var out bytes.Buffer
			deps := Deps{Sites: fakeSites, Attach: func(context.Context, []sites.Result) (Session, error) { return nil, refuse }}
			if err := Run(t.Context(), &out, "", Options{Dir: t.TempDir(), Arch: arch}, deps); err != nil {
				t.Fatal(err)
			}
			checkText(t, out.String(), "== inline", "== partial", "== relink", "Not shown live: ", "now discount", "inlined  sum+0x10")
			if strings.Contains(out.String(), " saw ") {
				t.Errorf("claims a proof without privilege:\n%s", out.String())
			}
		}
	}
}

func TestRunLive(t *testing.T) {
	if runtime.GOOS != "linux" || hostArch().String() != runtime.GOARCH {
		t.Skip("demo programs run on linux/amd64 and linux/arm64 only")
	}
	var out bytes.Buffer
	opened, closed := 0, 0
	deps := Deps{
		Sites: fakeSites,
		Attach: func(_ context.Context, results []sites.Result) (Session, error) {
			opened++
			return &fakeSession{results: results, closed: &closed}, nil
		},
		Paste: func(r *sites.Result) string { return "bpftrace -e 'uprobe:" + r.Hook.Target + "'" },
	}
	if err := Run(t.Context(), &out, "", Options{Dir: t.TempDir()}, deps); err != nil {
		t.Fatal(err)
	}
	checkText(t, out.String(),
		"plain probe saw 2 of 13 executions", "surehook saw 13 of 13 executions",
		"probe on reserve.part.0 saw 2 of 12 executions", "  11 x inlined", "total = add(total, i);",
		"plain probe saw 1 of 10 executions", "bpftrace -e 'uprobe:")
	if opened == 0 || opened != closed {
		t.Errorf("%d sessions opened, %d closed", opened, closed)
	}
}

func checkText(t *testing.T, text string, want ...string) {
	t.Helper()
	for _, w := range want {
		if !strings.Contains(text, w) {
			t.Errorf("no %q in\n%s", w, text)
		}
	}
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if n := len([]rune(line)); n > width && !strings.Contains(line, "bpftrace") && !strings.Contains(line, "stay in") && !strings.Contains(line, "surehook trace") {
			t.Errorf("%d columns: %q", n, line)
		}
		if strings.TrimRight(line, " ") != line || strings.Contains(line, "\t") {
			t.Errorf("blanks at the end or tabs: %q", line)
		}
	}
}

func TestRunErrors(t *testing.T) {
	broken := errors.New("broken")
	for _, test := range []struct {
		name, demo string
		arch       elfbin.Arch
		deps       Deps
	}{
		{"no such demo", "nosuch", hostArch(), Deps{Sites: fakeSites}},
		{"analysis fails", "inline", hostArch(), Deps{Sites: func(string) ([]sites.Result, error) { return nil, broken }}},
		{"no function", "relink", hostArch(), Deps{Sites: func(string) ([]sites.Result, error) { return nil, nil }}},
		{"no programs", "inline", elfbin.Arch(99), Deps{Sites: fakeSites}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := Run(t.Context(), &bytes.Buffer{}, test.demo, Options{Dir: t.TempDir(), Arch: test.arch}, test.deps); err == nil {
				t.Error("no error")
			}
		})
	}
}

// Attaching that fails for another reason than privilege is an error.
func TestRunAttachFails(t *testing.T) {
	if runtime.GOOS != "linux" || hostArch().String() != runtime.GOARCH {
		t.Skip("nothing is attached here")
	}
	broken := errors.New("broken")
	deps := Deps{Sites: fakeSites, Attach: func(context.Context, []sites.Result) (Session, error) { return nil, broken }}
	err := Run(t.Context(), &bytes.Buffer{}, "inline", Options{Dir: t.TempDir()}, deps)
	if !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestDirectory(t *testing.T) {
	dir, err := directory(filepath.Join(t.TempDir(), "new"))
	if err != nil || !filepath.IsAbs(dir) {
		t.Errorf("directory %q, %v", dir, err)
	}
}
