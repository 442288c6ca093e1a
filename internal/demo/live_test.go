package demo

import (
	"context"
	"errors"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/sites"
)

// resolve analyses the example's hook in dir.
func resolve(t *testing.T, e Example, dir string) sites.Result {
	t.Helper()
	h, err := hook.Parse(strings.Replace(e.Hook, "./", dir+"/", 1))
	if err != nil {
		t.Fatal(err)
	}
	b, err := sites.Open(h.Target, sites.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	results, err := b.Resolve(h)
	if err != nil {
		t.Fatal(err)
	}
	if len(results) != 1 {
		t.Fatalf("%d results, want 1", len(results))
	}
	return results[0]
}

// The demo's verdicts, on the programs of both architectures.
func TestVerdicts(t *testing.T) {
	type verdicts struct {
		sites       int
		plain, plan sites.Verdict
	}
	want := map[string]verdicts{
		"inline":  {3, sites.Partial, sites.Complete},
		"partial": {3, sites.Partial, sites.Complete},
		"relink":  {1, sites.Complete, sites.Complete},
	}
	for _, arch := range []elfbin.Arch{elfbin.AMD64, elfbin.ARM64} {
		for _, e := range Examples() {
			t.Run(arch.String()+"/"+e.Name, func(t *testing.T) {
				dir := t.TempDir()
				if err := Extract(dir, e, arch); err != nil {
					t.Fatal(err)
				}
				r := resolve(t, e, dir)
				got := verdicts{len(r.Sites), r.Plain.Verdict, r.Plan.Verdict}
				if got != want[e.Name] {
					t.Errorf("got %v, want %v: %+v", got, want[e.Name], r)
				}
			})
		}
	}
}

// What the demo shows is so: the symbol sees Symbol of Truth executions, the
// sites see all.
func TestCounts(t *testing.T) {
	arch := hostArch()
	if runtime.GOOS != "linux" || arch.String() != runtime.GOARCH {
		t.Skip("demo programs run on linux/amd64 and linux/arm64 only")
	}
	for _, e := range Examples() {
		t.Run(e.Name, func(t *testing.T) {
			dir := t.TempDir()
			if err := Extract(dir, e, arch); err != nil {
				t.Fatal(err)
			}
			r := resolve(t, e, dir)
			session, err := live.Open([]sites.Result{r}, live.Options{})
			if errors.Is(err, attach.ErrNotPermitted) || errors.Is(err, attach.ErrNotSupported) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer session.Close()
			s := stage{ctx: context.Background(), dir: dir}
			if _, err := s.run(e.Command); err != nil {
				t.Fatal(err)
			}
			counts, err := session.Counts()
			if err != nil {
				t.Fatal(err)
			}
			if c := counts[0]; c.Executions != e.Truth || c.Plain != e.Symbol {
				t.Errorf("%s: plain probe saw %d, sites %d; want %d and %d",
					filepath.Base(r.Target.Path), c.Plain, c.Executions, e.Symbol, e.Truth)
			}
		})
	}
}
