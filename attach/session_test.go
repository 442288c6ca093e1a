//go:build linux && (amd64 || arm64)

package attach

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/attach/internal/branches"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/internal/bpf"
)

// ways are all ways to attach, those of older kernels too.
var ways = []struct {
	name   string
	perf   bool
	narrow func(*abilities)
}{
	{"uprobe_multi", false, func(*abilities) {}},
	{"uprobe_multi without a PID filter", false, func(a *abilities) { a.pidFilter = false }},
	{"perf events", true, func(*abilities) {}},
	{"perf events without cookies", true, func(a *abilities) { a.multi, a.cookie = false, false }},
}

func eachWay(t *testing.T, f func(t *testing.T, open func([]Plan, Options) *Session)) {
	can := needsKernel(t)
	for _, w := range ways {
		t.Run(w.name, func(t *testing.T) {
			if !can.multi && !w.perf {
				t.Skip("this kernel has no uprobe_multi links (Linux 6.6)")
			}
			can := can
			w.narrow(&can)
			f(t, func(plans []Plan, opts Options) *Session {
				t.Helper()
				opts.PerfEvents = w.perf
				l, err := arrange(plans, bpf.MaxGroup)
				if err != nil {
					t.Fatal(err)
				}
				s, err := open(plans, l, opts, can)
				if err != nil {
					t.Fatal(err)
				}
				t.Cleanup(func() {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
				return s
			})
		})
	}
}

func counts(t *testing.T, s *Session) [][]uint64 {
	t.Helper()
	c, err := s.Counts()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func undecided(t *testing.T, s *Session) [][]uint64 {
	t.Helper()
	c, err := s.Undecided()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// plainPlan probes the entry and the return of what "call" and "threads" call.
func plainPlan(t *testing.T) []Plan {
	taken, other := branches.Plain()
	return []Plan{{Path: self(t), Probes: []Probe{
		{Offset: fileOffset(t, other)},
		{Offset: fileOffset(t, taken), Return: true},
		{Offset: fileOffset(t, taken)},
	}}}
}

func TestCounts(t *testing.T) {
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		s := open(plainPlan(t), Options{})
		c := start(t, "call:1000")
		c.finish(t)
		if diff := cmp.Diff([][]uint64{{0, 1000, 1000}}, counts(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if u := s.Unverified(); u != nil {
			t.Errorf("plans %v are not verified", u)
		}
		if err := s.Detach(); err != nil {
			t.Fatal(err)
		}
		run(t, "branches")
		start(t, "call:7").finish(t)
		if diff := cmp.Diff([][]uint64{{0, 1000, 1000}}, counts(t, s)); diff != "" {
			t.Errorf("counts after Detach (-want +got):\n%s", diff)
		}
	})
}

func TestThreads(t *testing.T) {
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		s := open(plainPlan(t), Options{})
		start(t, "threads:5000").finish(t)
		if diff := cmp.Diff([][]uint64{{0, 20000, 20000}}, counts(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	})
}

func TestPID(t *testing.T) {
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		meant, other := start(t, "threads:100"), start(t, "threads:1000")
		s := open(plainPlan(t), Options{PID: meant.PID()})
		other.finish(t)
		meant.finish(t)
		if diff := cmp.Diff([][]uint64{{0, 400, 400}}, counts(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	})
}

// The processor says which arm is taken: every stub is probed for every call,
// for its condition and for the opposite, at one address.
func TestConditions(t *testing.T) {
	var table [2]uintptr
	stubs := branches.Stubs(&table)
	plan := Plan{Path: self(t)}
	for _, s := range stubs {
		off := fileOffset(t, s.Addr)
		plan.Probes = append(plan.Probes, Probe{Offset: off}, Probe{Offset: off, Cond: s.Cond}, Probe{Offset: off, Cond: s.Cond.Not()})
	}
	can := needsKernel(t)
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		if can.multi && strings.Contains(t.Name(), "perf") {
			t.Skip("the same program decides; perf events close too slowly to show it again")
		}
		s := open([]Plan{plan}, Options{})
		var want []arms
		if err := json.Unmarshal(run(t, "branches"), &want); err != nil {
			t.Fatal(err)
		}
		got, open1 := counts(t, s)[0], undecided(t, s)[0]
		for i, w := range want {
			g, u := got[3*i:3*i+3], open1[3*i:3*i+3]
			if g[0] != w.Calls || g[1] != w.Taken || g[2] != w.Calls-w.Taken || u[0]+u[1]+u[2] != 0 {
				t.Errorf("%s: %d calls, %d taken: counted %d, undecided %d", stubs[i].Name, w.Calls, w.Taken, g, u)
			}
		}
	})
}

func TestUndecided(t *testing.T) {
	taken, _ := branches.Plain()
	nowhere := flow.Cond{Op: flow.MemTarget, Reg: flow.NoReg, Index: flow.NoReg, Disp: 8}
	noReg := flow.Cond{Op: flow.RegTarget, Reg: 99}
	off := fileOffset(t, taken)
	plans := []Plan{{Path: self(t), Probes: []Probe{{Offset: off, Cond: nowhere}, {Offset: off, Cond: nowhere.Not()}, {Offset: off, Cond: noReg}}}}
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		s := open(plans, Options{})
		start(t, "call:10").finish(t)
		if diff := cmp.Diff([][]uint64{{0, 0, 0}}, counts(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff([][]uint64{{10, 10, 10}}, undecided(t, s)); diff != "" {
			t.Errorf("undecided (-want +got):\n%s", diff)
		}
	})
}

// A jump table whose page has not been read yet: the program reads it in
// where it may sleep, and says so where it may not.
func TestAbsentMemory(t *testing.T) {
	taken, _ := branches.Plain()
	lead := flow.Cond{Op: flow.MemTarget, Reg: 3, Index: flow.NoReg, Delta: 5}
	off := fileOffset(t, taken)
	plans := []Plan{{Path: self(t), Probes: []Probe{{Offset: off, Cond: lead}, {Offset: off, Cond: lead.Not()}}}}
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		s := open(plans, Options{})
		run(t, "absent:20")
		yes, unknown := counts(t, s)[0], undecided(t, s)[0]
		if yes[0]+unknown[0] != 20 || yes[1] != 0 {
			t.Errorf("counted %d, undecided %d, want 20 of the first", yes, unknown)
		}
		if strings.HasPrefix(s.Mechanism(), "uprobe_multi") && yes[0] != 20 {
			t.Errorf("%d of 20 undecided", unknown[0])
		}
	})
}

// More probes at one address than one cookie names.
func TestManyAtOnePlace(t *testing.T) {
	taken, other := branches.Plain()
	off := fileOffset(t, taken)
	var probes []Probe
	for i := range 40 {
		// rbx, x3 == i, or every other time != i.
		c := flow.Cond{Op: flow.RegTarget, Reg: 3, Delta: int64(i) - int64(taken), Negate: i%2 == 1}
		probes = append(probes, Probe{Offset: off, Cond: c})
	}
	probes = append(probes, Probe{Offset: fileOffset(t, other)})
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		s := open([]Plan{{Path: self(t), Probes: probes}}, Options{})
		start(t, "call:3").finish(t)
		want := make([]uint64, 41)
		want[0] = 3
		for i := 1; i < 40; i += 2 {
			want[i] = 3
		}
		if diff := cmp.Diff([][]uint64{want}, counts(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
	})
}

func TestAllOrNothing(t *testing.T) {
	bad := fileOffset(t, branches.Refused())
	eachWay(t, func(t *testing.T, _ func([]Plan, Options) *Session) {
		plans := plainPlan(t)
		plans[0].Probes = append(plans[0].Probes, Probe{Offset: bad})
		_, err := Open(plans, Options{PerfEvents: strings.HasPrefix(t.Name(), "TestAllOrNothing/perf")})
		var pe *ProbeError
		if !errors.As(err, &pe) {
			t.Fatalf("Open: %v, want a ProbeError", err)
		}
		if pe.Offset != bad || pe.Probe != 3 || pe.Path != self(t) {
			t.Errorf("blames %s offset %#x probe %d, want %#x, 3", pe.Path, pe.Offset, pe.Probe, bad)
		}
		if !strings.Contains(err.Error(), "cannot") || !strings.Contains(err.Error(), fmt.Sprintf("%#x", bad)) {
			t.Errorf("unhelpful: %v", err)
		}
	})
}

func TestBestEffort(t *testing.T) {
	bad := fileOffset(t, branches.Refused())
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		plans := plainPlan(t)
		plans[0].Probes = append(plans[0].Probes, Probe{Offset: bad}, Probe{Offset: 1 << 40}, Probe{Offset: 0})
		s := open(plans, Options{BestEffort: true})
		start(t, "call:5").finish(t)
		if diff := cmp.Diff([][]uint64{{0, 5, 5, 0, 0, 0}}, counts(t, s)); diff != "" {
			t.Errorf("counts (-want +got):\n%s", diff)
		}
		failed := map[int]bool{}
		for _, f := range s.Failures() {
			failed[f.Probe] = true
			var pe *ProbeError
			if !errors.As(f.Err, &pe) || pe.Offset != plans[0].Probes[f.Probe].Offset {
				t.Errorf("failure of probe %d is %v", f.Probe, f.Err)
			}
		}
		if diff := cmp.Diff(map[int]bool{3: true, 4: true, 5: true}, failed); diff != "" {
			t.Errorf("failures (-want +got):\n%s", diff)
		}
	})
}
