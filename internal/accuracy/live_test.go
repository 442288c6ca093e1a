package accuracy

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/surehook/surehook/attach"
)

// liveSource calls square 7 times, by way of a copy, and cube once. The
// function once is never called.
const liveSource = `#include <stdio.h>
static inline int square(int x) { return x * x + 1; }
static int cube(int x) { return x * square(x); }
int once(void) { return 3; }
int main(int argc, char **argv)
{
	int i, sum = cube(argc);
	for (i = 0; i < 6; i++)
		sum += square(argc + i) ^ i;
	printf("%d\n", sum);
	return 0;
}
`

// liveProgram is a program whose sources need no download.
func liveProgram(t *testing.T, c store) program {
	t.Helper()
	p := program{
		name:     "live",
		source:   source{SHA256: "0123456789abcdef0123456789abcdef", Root: "live-1"},
		patterns: []string{"*.c"},
		inputs:   func() (map[string][]byte, error) { return map[string][]byte{"in.txt": []byte("x")}, nil },
		commands: []string{"./live"},
	}
	tree := c.path("src", p.source.SHA256[:16], p.source.Root)
	if err := writeInputs(tree, map[string][]byte{"live.c": []byte(liveSource), ".unpacked": nil}); err != nil {
		t.Fatal(err)
	}
	return p
}

// live skips where nothing can be attached or a command is missing.
func live(t *testing.T, commands ...string) {
	t.Helper()
	if testing.Short() {
		t.Skip("live: not in short mode")
	}
	if runtime.GOOS != "linux" || os.Getuid() != 0 {
		t.Skip("live: needs Linux and root")
	}
	for _, c := range append(commands, "setarch", "perf", "gdb") {
		if _, err := exec.LookPath(c); err != nil {
			t.Skipf("live: no %s on this machine", c)
		}
	}
}

// TestLive measures a program whose counts are known, with both oracles.
func TestLive(t *testing.T) {
	want := map[string]uint64{"main": 1, "cube": 1, "square": 7}
	for _, b := range []build{builds()[0], builds()[3]} {
		for _, oracle := range []string{oracleUnperturbed, oracleMarked} {
			t.Run(b.name+"/"+oracle, func(t *testing.T) {
				live(t, b.cc)
				if b.cc == "clang" {
					live(t, "opt")
				}
				h := harness{Options: Options{Surehook: "none", Keep: filepath.Join(t.TempDir(), "keep")}, store: store{t.TempDir()}}
				p := liveProgram(t, h.store)
				row, err := h.row(context.Background(), p, b, oracle)
				if errors.Is(err, attach.ErrNotPermitted) || errors.Is(err, attach.ErrNotSupported) {
					t.Skipf("live: %v", err)
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(row.Results) != len(want) || len(row.Noise) != 0 {
					t.Fatalf("results %+v, noise %+v", row.Results, row.Noise)
				}
				for _, r := range row.Results {
					if r.Truth != want[r.Func.Name] || r.Func.File != "live.c" {
						t.Errorf("%s: truth %d, want %d", r.Func, r.Truth, want[r.Func.Name])
					}
				}
				if main := row.Results[1]; main.Func.Name != "main" || !main.exact(toolPerf) || !main.exact(toolGDB) || !main.exact(toolSymbol) {
					t.Errorf("the peers do not count main: %+v", main)
				}
				if _, err := os.Stat(filepath.Join(h.Keep, "live-"+b.name+"-"+oracle, "live")); err != nil {
					t.Error(err)
				}
				again, err := h.row(context.Background(), p, b, oracle) // from the cache
				if err != nil || len(again.Results) != len(row.Results) {
					t.Errorf("again: %+v, %v", again, err)
				}
			})
		}
	}
}

func TestStore(t *testing.T) {
	c := store{t.TempDir()}
	made := 0
	produce := func() (int, error) { made++; return 7, nil }
	for range 2 {
		if v, err := memo(c, "kind", "key", produce); v != 7 || err != nil {
			t.Fatal(v, err)
		}
	}
	if made != 1 {
		t.Errorf("made %d times", made)
	}
	if err := os.WriteFile(c.path("kind", "key.json"), []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if v, err := memo(c, "kind", "key", produce); v != 7 || err != nil || made != 2 {
		t.Errorf("a truncated file: %d, %v, made %d times", v, err, made)
	}
	failed := errors.New("failed")
	if _, err := memo(c, "kind", "other", func() (int, error) { return 0, failed }); !errors.Is(err, failed) {
		t.Errorf("got %v", err)
	}
	if keyOf("a", "b") == keyOf("ab") {
		t.Error("keys run together")
	}
}

// TestPrograms checks what can be checked without the sources.
func TestPrograms(t *testing.T) {
	for _, p := range append(programs(), heldout()...) {
		t.Run(p.name, func(t *testing.T) {
			a, err := p.inputs()
			if err != nil {
				t.Fatal(err)
			}
			b, err := p.inputs()
			if err != nil || keyOf(a) != keyOf(b) {
				t.Errorf("inputs differ: %v", err)
			}
			if p.include != "" {
				if _, err := embedded(p.include); err != nil {
					t.Error(err)
				}
			}
			if len(p.source.SHA256) != 64 || len(p.commands) == 0 {
				t.Errorf("%+v", p.source)
			}
		})
	}
	if _, err := pick("program", programs(), func(p program) string { return p.name }, []string{"lua", "nope"}); err == nil {
		t.Error("an unknown program was picked")
	}
}
