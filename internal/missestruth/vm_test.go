package missestruth

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/atlas/debian"
	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/misses"
)

// each are the kernels that are asked each time: one that does not count what it
// loses, and one that does. SUREHOOK_VM=all asks the rest.
func each() []string { return []string{"6.1 amd64", "7.3 amd64"} }

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
		if vm.Arch != "amd64" || vm.Extra || asked == "1" && !slices.Contains(each(), vm.Name()) || asked != "1" && asked != "all" && asked != vm.Name() {
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
		if r.Said[i].Surely() && x.Ran > 0 {
			t.Errorf("%s in %s: it ran %d times, check says that it is starved each time", x.Inner, x.Outer, x.Ran)
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

// scored are predictions of each kind and what became of them.
func scored() ([]Prediction, []Tried) {
	perhaps, sure, good, may := Prediction{}, Prediction{}, Prediction{}, Prediction{May: true}
	good.Nesting.Fires, good.Nesting.Skipped, good.Nesting.Made, good.Nesting.Condition = kernel.Yes, kernel.Yes, kernel.UnlessFails, "unless f fails"
	perhaps.Nesting.Fires, perhaps.Nesting.Skipped = kernel.Yes, kernel.Yes
	sure.Nesting.Fires, sure.Nesting.Skipped, sure.Nesting.Made = kernel.Yes, kernel.Yes, kernel.Always
	lost, kept, silent := Tried{Expected: 9}, Tried{Expected: 9, Ran: 9}, Tried{}
	refused, alone := Tried{Refused: "no"}, Tried{Expected: 9, Alone: 1}
	return []Prediction{sure, sure, sure, good, good, perhaps, perhaps, perhaps, perhaps, may, {}, sure, perhaps},
		[]Tried{lost, lost, kept, lost, kept, lost, kept, silent, silent, lost, lost, refused, alone}
}

func TestScore(t *testing.T) {
	got := score(scored())
	want := Score{Pairs: 11, Alone: 1, Starved: 6, May: 1, Sure: Said{Pairs: 3, Right: 2}, Good: Said{Pairs: 2, Right: 1}, Condition: Said{Pairs: 4, Right: 1, Silent: 2}}
	if got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
}

// TestWriteScores: no pair is left out of what is written.
func TestWriteScores(t *testing.T) {
	r := Result{Release: "6.1"}
	r.Said, r.Tried = scored()
	var b strings.Builder
	WriteScores(&b, []Result{r, r})
	WriteTotal(&b, []Result{r}, []Result{r})
	WritePairs(&b, []Result{r})
	for _, want := range []string{
		"| 6.1 | 11 | 1 | 6 | 33 % (2 of 6) | 50 % (3 of 6) | 67 % (4 of 6) | 1 |\n",
		"| **all** | 22 | 2 | 12 | 33 % (4 of 12) | 50 % (6 of 12) | 67 % (8 of 12) | 2 |\n",
		"| 6.1 | 3 | 67 % (2 of 3) | 2 | 50 % (1 of 2) | 4 | 25 % (1 of 4) | 57 % (4 of 7) |\n",
		"| **all** | 6 | 67 % (4 of 6) | 4 | 50 % (2 of 4) | 8 | 25 % (2 of 8) | 57 % (8 of 14) |\n",
		"(SH601), 60 % (6 of 10) was, of what was said to be under a condition (SH602) 25 % (2 of 8). Of what lost executions 50 % (6 of 12) was said to be starved, 67 % (8 of 12) that",
		"| starved | 9 | 9 |", "| starved unless f fails | 9 | 9 |", "| starved under a condition | 0 | 0 |", "| starved seldom, or from an interrupt | 9 | 9 |", "| cannot attach | | |", "9, and 1 alone",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in %s", want, b.String())
		}
	}
	if n := strings.Count(b.String(), "\n| `` | `` |"); n != len(r.Said) {
		t.Errorf("%d pairs of %d", n, len(r.Said))
	}
}

func exactly(n uint64) misses.Count { return misses.Count{N: n, Known: misses.Exact} }
func atLeast(n uint64) misses.Count { return misses.Count{N: n, Known: misses.AtLeast} }

var unseen = misses.Count{Known: misses.NotObservable}
