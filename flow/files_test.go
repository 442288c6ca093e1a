package flow

import (
	"os"
	"strings"
	"testing"
	"time"
)

// TestResolveFiles reports the indirect jumps of the programs named in
// FLOW_FILES, and fails for each that is not resolved.
func TestResolveFiles(t *testing.T) {
	files := strings.Fields(os.Getenv("FLOW_FILES"))
	if len(files) == 0 {
		t.Skip("FLOW_FILES names no programs")
	}
	for _, path := range files {
		t.Run(path, func(t *testing.T) {
			im := openImage(t, path)
			never := im.noReturn()
			start := time.Now()
			var fs, insns, resolved, targets, tails, unresolved int
			for _, f := range im.functions() {
				opts := im.options(f)
				opts.NoReturn = never
				t0 := time.Now()
				g, err := Build(opts)
				if err != nil {
					t.Error(f.name, err)
					continue
				}
				if d := time.Since(t0); d > 200*time.Millisecond {
					t.Logf("%s took %v, %d instructions", f.name, d, len(g.Insns))
				}
				checkGraph(t, g)
				fs++
				insns += len(g.Insns)
				tails += len(g.Tails)
				bad := map[int32]bool{}
				for _, i := range g.Tails {
					bad[i] = true
				}
				for _, i := range g.Unresolved {
					unresolved++
					bad[i] = true
					t.Errorf("%s: jump at %#x unresolved (%d targets)", f.name, g.Insns[i].Addr, len(g.Succ(i)))
				}
				for i, in := range g.Insns {
					if in.Kind == IndirectJump && !bad[int32(i)] {
						resolved++
						targets += len(g.Succ(int32(i)))
						if testing.Verbose() && os.Getenv("FLOW_LIST") != "" {
							t.Logf("%s: jump at %#x: %d targets", f.name, in.Addr, len(g.Succ(int32(i))))
						}
					}
				}
				for _, i := range g.Tails {
					if os.Getenv("FLOW_LIST") != "" {
						t.Logf("%s: jump at %#x is a tail call", f.name, g.Insns[i].Addr)
					}
				}
			}
			t.Logf("%d functions, %d instructions in %v; jumps: %d resolved to %d targets, %d tail calls, %d unresolved",
				fs, insns, time.Since(start), resolved, targets, tails, unresolved)
		})
	}
}

// checkGraph checks what holds of every graph.
func checkGraph(t testing.TB, g *Graph) {
	t.Helper()
	n := int32(len(g.Insns))
	for i := range g.Insns {
		if g.Insns[i].Len == 0 || i > 0 && g.Insns[i-1].Addr >= g.Insns[i].Addr {
			t.Fatalf("instruction %d: not in order, or empty", i)
		}
		if at, ok := g.At(g.Insns[i].Addr); !ok || at != int32(i) {
			t.Fatalf("instruction %d is not found at its address", i)
		}
	}
	out, in := 0, 0
	for i := range n {
		for _, e := range g.Succ(i) {
			out++
			if e.From != i || e.To < 0 || e.To >= n {
				t.Fatalf("edge %+v at %d", e, i)
			}
			if e.Kind == Fall && g.Insns[e.From].End() != g.Insns[e.To].Addr {
				t.Fatalf("fall edge %+v does not fall", e)
			}
			if e.Kind == Table {
				if g.Insns[i].Kind != IndirectJump {
					t.Fatalf("table edge %+v from no indirect jump", e)
				}
			}
		}
		for _, e := range g.Pred(i) {
			in++
			if e.To != i {
				t.Fatalf("edge %+v at %d", e, i)
			}
		}
		if len(g.Succ(i)) > 0 {
			switch k := g.Insns[i].Kind; k {
			case Return, Trap, Unknown:
				t.Fatalf("kind %d goes on", k)
			}
		}
	}
	if out != in || out != len(g.Edges()) {
		t.Fatalf("%d edges out, %d in, %d in all", out, in, len(g.Edges()))
	}
	for _, list := range [][]int32{g.Unresolved, g.Tails} {
		for _, i := range list {
			if g.Insns[i].Kind != IndirectJump {
				t.Fatalf("instruction %d is no indirect jump", i)
			}
		}
	}
}
