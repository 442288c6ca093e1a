package sites

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
)

// TestModules reads the kernel modules with debug information that
// SUREHOOK_MODULES names, as a list of paths: those of Debian's
// linux-image-...-dbg. Bodies must begin at symbols, and
// there must be no other answer when the debug information is in a file of
// its own.
func TestModules(t *testing.T) {
	modules := filepath.SplitList(os.Getenv("SUREHOOK_MODULES"))
	if len(modules) == 0 {
		t.Skip("SUREHOOK_MODULES names no kernel modules")
	}
	for _, path := range modules {
		t.Run(filepath.Base(path), func(t *testing.T) {
			dir := t.TempDir()
			stripped, debug := filepath.Join(dir, "module.ko"), filepath.Join(dir, "module.ko.debug")
			for _, args := range [][]string{
				{"--only-keep-debug", path, debug}, {"--strip-debug", "--add-gnu-debuglink=" + debug, path, stripped},
			} {
				if out, err := exec.Command("objcopy", args...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %v\n%s", args, err, out)
				}
			}
			whole, apart := moduleSites(t, path, false), moduleSites(t, stripped, true)
			if d := cmp.Diff(whole, apart); d != "" {
				t.Error(d)
			}
			t.Logf("%d functions", len(whole))
		})
	}
}

// moduleSites gives the sites of each function, by symbol and offset, with
// the verdict.
func moduleSites(t *testing.T, path string, search bool) [][]string {
	t.Helper()
	opts := Options{}
	if search {
		opts.Debug = elfbin.DebugOptions{Root: os.DirFS("/"), Dirs: []string{"/nonexistent"}}
	}
	b, err := Open(path, opts)
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if b.Data() == nil {
		t.Fatal("no debug information: ", b.Search())
	}
	results, err := b.Resolve(hook.Hook{Kind: hook.Uprobe, Function: "*"})
	if none := (*NotFoundError)(nil); errors.As(err, &none) {
		return nil // a module of nothing but data
	}
	if err != nil {
		t.Fatal(err)
	}
	bodies, nameless := 0, 0
	for i := range b.Data().Funcs {
		if fn := &b.Data().Funcs[i]; len(fn.Ranges) > 0 {
			bodies++
			if len(b.File().FuncsAt(fn.Ranges[0].Low)) == 0 {
				nameless++
			}
		}
	}
	// The code of a weak function that another replaced stays, without its symbol.
	if nameless*20 > bodies {
		t.Errorf("%d of %d bodies begin where no symbol is", nameless, bodies)
	}
	var out [][]string
	for _, r := range results {
		row := []string{r.Function, r.DeclFile, string(r.Plan.Verdict)}
		for _, s := range r.Sites {
			row = append(row, string(s.Kind)+" "+s.Symbol+"+"+hex(s.Offset))
		}
		out = append(out, row)
	}
	return out
}
