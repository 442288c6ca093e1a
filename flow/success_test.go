package flow

import "testing"

// TestSucceeds compiles testdata/errors.c and asks of its functions whether they
// call h unless they fail.
func TestSucceeds(t *testing.T) {
	if testing.Short() {
		t.Skip("runs compilers")
	}
	// What compilers make of it may hide an error: a conditional move, for one.
	want := map[string]bool{
		"early": true, "passed": true, "wide": true, "pointer": true, "label": true,
		"nonzero": false, "zero": false, "one": false, "fails": false, "both": false, "elsewhere": false, "positive": false, "far": false,
	}
	for _, cc := range []string{"gcc", "clang", "aarch64-linux-gnu-gcc", "clang --target=aarch64-linux-gnu -fuse-ld=lld"} {
		for _, flags := range []string{"-O1", "-O2", "-O2 -fstack-protector-all", "-Os"} {
			t.Run(cc+" "+flags, func(t *testing.T) {
				t.Parallel()
				im := openImage(t, compile(t, cc, flags, "testdata/errors.c"))
				functions, never := im.functions(), im.noReturn()
				var h uint64
				for _, f := range functions {
					if f.name == "h" {
						h = f.entry
					}
				}
				seen := 0
				for _, f := range functions {
					want, asked := want[f.name]
					if !asked {
						continue
					}
					seen++
					o := WayOptions{Options: im.options(f)}
					o.NoReturn = never
					edges, err := Calls(o.Image, o.Arch, o.Ranges)
					if err != nil {
						t.Fatal(err)
					}
					var calls []uint64
					for _, e := range edges {
						if e.To == h {
							calls = append(calls, e.From)
						}
					}
					w, err := NewWays(o)
					if err != nil {
						t.Fatal(err)
					}
					if len(calls) == 0 || w.Certain(calls) {
						t.Errorf("%s: calls at %#x, certain %t", f.name, calls, w.Certain(calls))
					}
					if got := w.Succeeds(calls); got != want {
						t.Errorf("%s: %t", f.name, got)
					}
				}
				if seen != len(want) {
					t.Errorf("%d functions", seen)
				}
			})
		}
	}
}
