//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"os"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/attach/internal/branches"
	"github.com/surehook/surehook/flow"
)

func eachBase(t *testing.T, room int, f func(t *testing.T, b *Base)) {
	can := needsKernel(t)
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			if !can.multi && !w.perf {
				t.Skip("this kernel has no uprobe_multi links (Linux 6.6)")
			}
			can := can
			w.narrow(&can)
			can.multi = can.multi && !w.perf
			b, err := newBase(room, nil, can, nil)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() {
				if err := b.Close(); err != nil {
					t.Error(err)
				}
			})
			f(t, b)
		})
	}
}

func (b *Base) mustAttach(t *testing.T, f *os.File, probes []Probe) *Session {
	t.Helper()
	s, err := b.Attach(f, "branches", probes, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// Sessions of one Base count each for itself; what one gives back another has.
func TestBase(t *testing.T) {
	eachBase(t, 5, func(t *testing.T, b *Base) {
		f, err := os.Open(self(t))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		probes := plainPlan(t)[0].Probes
		first := b.mustAttach(t, f, probes)
		start(t, "call:10").finish(t)
		second := b.mustAttach(t, f, probes[1:])
		if _, err := b.Attach(f, "branches", probes[:1], Options{}); !errors.Is(err, ErrNoRoom) {
			t.Errorf("a sixth probe in room for five: %v", err)
		}
		start(t, "call:100").finish(t)
		if err := first.Detach(); err != nil {
			t.Fatal(err)
		}
		start(t, "call:1000").finish(t)
		if diff := cmp.Diff([][]uint64{{0, 110, 110}}, counts(t, first)); diff != "" {
			t.Errorf("the first (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]uint64{{1100, 1100}}, counts(t, second)); diff != "" {
			t.Errorf("the second (-want +got):\n%s", diff)
		}
		if err := first.Close(); err != nil {
			t.Fatal(err)
		}
		if _, err := first.Counts(); !errors.Is(err, os.ErrClosed) {
			t.Errorf("counts of a closed session: %v", err)
		}
		third := b.mustAttach(t, f, probes)
		start(t, "call:7").finish(t)
		if diff := cmp.Diff([][]uint64{{0, 7, 7}}, counts(t, third)); diff != "" {
			t.Errorf("the third (-want +got):\n%s", diff)
		}
	})
}

// A condition that reads memory has the pages read in.
func TestBaseReads(t *testing.T) {
	if can := needsKernel(t); !can.multi {
		t.Skip("this kernel has no uprobe_multi links (Linux 6.6)")
	}
	b, err := NewBase(BaseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	f, err := os.Open(self(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	taken, _ := branches.Plain()
	cond := flow.Cond{Op: flow.MemTarget, Reg: 3, Index: flow.NoReg, Delta: 5}
	s := b.mustAttach(t, f, []Probe{{Offset: fileOffset(t, taken), Cond: cond}})
	run(t, "absent:10")
	if c := counts(t, s)[0][0]; c != 10 {
		t.Errorf("%d of 10 hits; %v could not be decided", c, undecided(t, s))
	}
}

// A file is what was opened, wherever its path leads meanwhile.
func TestBaseFile(t *testing.T) {
	needsKernel(t)
	b, err := NewBase(BaseOptions{Room: 16})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	path := t.TempDir() + "/gone"
	data, err := os.ReadFile(self(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	s := b.mustAttach(t, f, plainPlan(t)[0].Probes)
	start(t, "call:10").finish(t) // another file
	if diff := cmp.Diff([][]uint64{{0, 0, 0}}, counts(t, s)); diff != "" {
		t.Error(diff)
	}
}

func BenchmarkBase(b *testing.B) {
	base, err := NewBase(BaseOptions{})
	if err != nil {
		b.Skip(err)
	}
	defer base.Close()
	f, err := os.Open("/proc/self/exe")
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	taken, _ := branches.Plain()
	off, err := offsetOf(taken)
	if err != nil {
		b.Fatal(err)
	}
	var detach time.Duration
	for b.Loop() {
		s, err := base.Attach(f, "self", []Probe{{Offset: off}}, Options{})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		begin := time.Now()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		detach += time.Since(begin)
		b.StartTimer()
	}
	b.ReportMetric(float64(detach.Nanoseconds())/float64(b.N), "ns/detach")
}

// While something is expected, attaching does not wait for a grace period.
func TestReady(t *testing.T) {
	if can := needsKernel(t); !can.multi {
		t.Skip("this kernel has no uprobe_multi links (Linux 6.6)")
	}
	b, err := NewBase(BaseOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Open(self(t))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	probes := plainPlan(t)[0].Probes
	const times = 10
	median := func() time.Duration {
		var all []time.Duration
		for range times {
			time.Sleep(50 * time.Millisecond) // longer than the lock stays fast by itself
			begin := time.Now()
			s := b.mustAttach(t, f, probes)
			all = append(all, time.Since(begin))
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
		}
		slices.Sort(all)
		return all[times/2]
	}
	slow := median()
	b.Ready(time.Minute)
	fast := median()
	t.Logf("%v, when ready %v", slow, fast)
	// One processor that is emulated keeps no time to compare.
	if fast > slow && runtime.NumCPU() > 1 {
		t.Errorf("attaching takes %v when ready, %v otherwise", fast, slow)
	}
	s := b.mustAttach(t, f, probes)
	start(t, "call:10").finish(t)
	if diff := cmp.Diff([][]uint64{{0, 10, 10}}, counts(t, s)); diff != "" {
		t.Error(diff)
	}
	if err := b.Close(); err != nil {
		t.Error(err)
	}
}
