package missestruth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/surehook/surehook/atlas/debian"
	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/misses"
)

// TestKernels makes a dozen nestings on the kernels: what misses says is true,
// and what check foretells comes true.
func TestKernels(t *testing.T) {
	asked := os.Getenv("SUREHOOK_VM")
	if asked == "" {
		t.Skip("virtual machines: emulation is slow; SUREHOOK_VM=1 or make test")
	}
	a, err := debian.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	for _, vm := range vmtest.Kernels() {
		if vm.Arch != "amd64" || vm.Extra || asked != "1" && asked != "all" && asked != vm.Name() {
			continue
		}
		t.Run(vm.Name(), func(t *testing.T) {
			var k kernel.Kernel
			for _, e := range a.Entries() {
				if e.Identity().Release == vm.Release {
					k = e
				}
			}
			if k == nil {
				t.Skip("this kernel is not in the atlas")
			}
			said, err := Predict(k, Dozen(vm.Arch))
			if err != nil {
				t.Fatal(err)
			}
			ctx := context.Background()
			guest := filepath.Join(t.TempDir(), "vmmisses")
			if err := vmtest.Build(ctx, vm.Arch, "github.com/surehook/surehook/internal/cmd/vmmisses", guest); err != nil {
				t.Fatal(err)
			}
			r, err := Try(ctx, vm, guest, said)
			if errors.Is(err, vmtest.ErrMissing) {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			compare(t, &r)
		})
	}
}

func compare(t *testing.T, r *Result) {
	made := 0
	for i := range r.Tried {
		x := &r.Tried[i]
		if x.Refused != "" {
			t.Logf("%s in %s: %s", x.Inner, x.Outer, x.Refused)
			continue
		}
		made++
		if !x.Right() {
			t.Errorf("%s in %s: lost %d, misses says %s", x.Inner, x.Outer, x.Lost(), x.Said)
		}
		if r.Said[i].Starved() != (x.Lost() > 0) {
			t.Errorf("%s in %s: lost %d, check says %+v", x.Inner, x.Outer, x.Lost(), r.Said[i].Nesting)
		}
	}
	if made == 0 {
		t.Error("no nesting could be made")
	}
}

func TestRight(t *testing.T) {
	for _, c := range []struct {
		tried Tried
		want  bool
	}{
		{Tried{Expected: 10, Ran: 3, Said: exactly(7)}, true},
		{Tried{Expected: 10, Ran: 3, Said: exactly(0)}, false},
		{Tried{Expected: 10, Ran: 3, Said: exactly(9)}, false},
		{Tried{Attempt: Attempt{Reference: "r"}, Expected: 10, Ran: 3, Said: exactly(9)}, true},
		{Tried{Attempt: Attempt{Reference: "r"}, Expected: 10, Ran: 3, Said: exactly(6)}, false},
		{Tried{Expected: 10, Ran: 3, Said: atLeast(5)}, true},
		{Tried{Expected: 10, Ran: 3, Said: atLeast(8)}, false},
		{Tried{Expected: 10, Ran: 3, Said: unseen}, true},
		{Tried{Expected: 10, Ran: 3, Link: 7, Said: unseen}, false},
	} {
		if got := c.tried.Right(); got != c.want {
			t.Errorf("%+v: %t", c.tried, got)
		}
	}
}

func TestScore(t *testing.T) {
	starved := Prediction{}
	starved.Nesting.Fires, starved.Nesting.Skipped = kernel.Yes, kernel.Yes
	may := Prediction{May: true}
	lost, kept, silent := Tried{Expected: 9}, Tried{Expected: 9, Ran: 9}, Tried{}
	refused, alone := Tried{Refused: "no"}, Tried{Expected: 9, Alone: 1}
	got := score([]Prediction{starved, starved, starved, may, {}, starved, starved}, []Tried{lost, kept, silent, lost, lost, refused, alone})
	want := Score{Pairs: 5, Alone: 1, Starved: 3, May: 1, Foretold: 3, Right: 1, Silent: 1}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func exactly(n uint64) misses.Count { return misses.Count{N: n, Known: misses.Exact} }
func atLeast(n uint64) misses.Count { return misses.Count{N: n, Known: misses.AtLeast} }

var unseen = misses.Count{Known: misses.NotObservable}
