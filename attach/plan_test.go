package attach

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/flow"
)

func TestArrange(t *testing.T) {
	odd := flow.Cond{Op: flow.X86CC, Code: 1}
	plans := []Plan{
		{Path: "a", Probes: []Probe{{Offset: 9}, {Offset: 3, Return: true}, {Offset: 3}, {Offset: 9, Cond: odd}, {Offset: 9, Cond: odd.Not()}}},
		{Path: "empty"},
		{Path: "b", Probes: []Probe{{Offset: 3}}},
	}
	l, err := arrange(plans, 2)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]breakpoint{
		{{offset: 3, first: 0, count: 1}, {offset: 3, ret: true, first: 1, count: 1}, {offset: 9, first: 2, count: 2}, {offset: 9, first: 4, count: 1}},
		nil,
		{{offset: 3, first: 5, count: 1}},
	}
	if diff := cmp.Diff(want, l.breaks, cmp.AllowUnexported(breakpoint{})); diff != "" {
		t.Errorf("breakpoints (-want +got):\n%s", diff)
	}
	slots := []slot{{0, 2}, {0, 1}, {0, 0}, {0, 3}, {0, 4}, {2, 0}}
	if diff := cmp.Diff(slots, l.slots, cmp.AllowUnexported(slot{})); diff != "" {
		t.Errorf("slots (-want +got):\n%s", diff)
	}
	if l.reads || len(l.entries) != len(slots) {
		t.Errorf("reads %v, %d entries", l.reads, len(l.entries))
	}
}

func TestArrangeRefuses(t *testing.T) {
	for _, c := range []struct {
		name  string
		plans []Plan
	}{
		{"nothing", nil},
		{"no probes", []Plan{{Path: "a"}}},
		{"equal", []Plan{{Probes: []Probe{{Offset: 1}, {Offset: 2}, {Offset: 1}}}}},
		{"return with condition", []Plan{{Probes: []Probe{{Offset: 1, Return: true, Cond: flow.Cond{Op: flow.X86CC}}}}}},
		{"event with condition", []Plan{{Probes: []Probe{{Symbol: "f", Ways: Ways{ByFentry}, Cond: flow.Cond{Op: flow.X86CC}}}}}},
		{"too many", []Plan{{Probes: make([]Probe, maxProbes+1)}}},
	} {
		if _, err := arrange(c.plans, 16); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", c.name, err)
		}
		if _, err := Open(c.plans, Options{}); !errors.Is(err, ErrInvalid) && !errors.Is(err, ErrNotSupported) {
			t.Errorf("Open of %s: %v, want ErrInvalid", c.name, err)
		}
	}
}
