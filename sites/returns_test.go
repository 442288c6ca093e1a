package sites

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
)

// TestReturnsTiny: the ways out of copies and the ends of bodies in code that
// does not change; objdump -d shows them.
func TestReturnsTiny(t *testing.T) {
	always, taken, fallen := "", "taken", "not taken"
	tests := []struct {
		name, function string
		data           []byte
		want           map[uint64]string // condition by virtual address
	}{
		{"loop at the end, a critical edge", "drain", tinyGCC, map[uint64]string{0x40102f: always, 0x40104f: always, 0x4010fd: fallen}},
		{"clang", "drain", tinyClang, map[uint64]string{0x40102f: always, 0x40106f: always, 0x4010ed: fallen}},
		{"two arms", "add", tinyClang, map[uint64]string{0x40103a: taken, 0x40103c: always, 0x4010c2: taken, 0x4010ca: always}},
		{"returns of a body", "loop", tinyGCC, map[uint64]string{0x401101: always, 0x40110c: always}},
		{"where the program starts", "_start", tinyGCC, map[uint64]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b, err := open(tt.data)
			if err != nil {
				t.Fatal(err)
			}
			results, err := b.Resolve(hook.Hook{Kind: hook.Uretprobe, Function: tt.function})
			if err != nil || len(results) != 1 {
				t.Fatalf("%d results, %v", len(results), err)
			}
			got := map[uint64]string{}
			for _, s := range results[0].Sites {
				if s.Kind != Exit || s.Return {
					t.Errorf("site %+v", s)
				}
				switch {
				case s.Cond.Op == flow.Always:
					got[s.Address] = always
				case s.Cond.Negate:
					got[s.Address] = fallen
				default:
					got[s.Address] = taken
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

// TestReturnsAt: elsewhere than at an entry a uretprobe would overwrite what is
// no return address.
func TestReturnsAt(t *testing.T) {
	b, err := open(tinyGCC)
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]Verdict{
		"uretprobe:tiny:loop": Complete, "uretprobe:tiny:0x4010c0": Complete, "uretprobe:tiny:0x401101": None, "uretprobe:tiny:loop+0x41": None,
		"uretprobe:tiny:_start": None,
	} {
		h, err := hook.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		results, err := b.Resolve(h)
		if err != nil || len(results) != 1 {
			t.Fatalf("%s: %d results, %v", text, len(results), err)
		}
		if r := results[0]; r.Plan.Verdict != want || (len(r.Sites) > 0) != (want == Complete) || (len(r.PlainAt) > 0) != (want == Complete) {
			t.Errorf("%s: %s, %d sites, plain at %#x", text, r.Plan.Verdict, len(r.Sites), r.PlainAt)
		}
	}
}
