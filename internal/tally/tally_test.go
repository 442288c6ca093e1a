package tally

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

var (
	taken = flow.Cond{Op: flow.X86CC, Code: 4}
	other = taken.Not()
)

func result(path string, plain []uint64, at ...sites.Site) sites.Result {
	return sites.Result{Hook: hook.Hook{Kind: hook.Uprobe}, Target: sites.Target{Path: path}, PlainAt: plain, Sites: at}
}

func at(offset uint64, cond flow.Cond) sites.Site { return sites.Site{FileOffset: offset, Cond: cond} }

func TestPlansShareProbes(t *testing.T) {
	results := []sites.Result{
		result("/a", []uint64{0x10}, at(0x10, flow.Cond{}), at(0x20, taken), at(0x20, other)),
		result("/b", nil, at(0x10, flow.Cond{})),
		result("/a", []uint64{0x30}, at(0x10, flow.Cond{})), // folded with the first
	}
	ty := New(results, Options{})
	want := []attach.Plan{
		{Path: "/a", Probes: []attach.Probe{{Offset: 0x10}, {Offset: 0x20, Cond: taken}, {Offset: 0x20, Cond: other}, {Offset: 0x30}}},
		{Path: "/b", Probes: []attach.Probe{{Offset: 0x10}}},
	}
	if diff := cmp.Diff(want, ty.Plans()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]Ref{{0, 0}, {2, 0}}, ty.Refs(0, 0)); diff != "" {
		t.Errorf("refs of the shared probe: -want +got:\n%s", diff)
	}
	if refs := ty.Refs(0, 3); len(refs) != 0 {
		t.Errorf("refs of a probe that only the plain probe has: %v", refs)
	}
	if ty.Probes() != 5 {
		t.Errorf("%d probes", ty.Probes())
	}
}

func TestCount(t *testing.T) {
	results := []sites.Result{
		result("/a", []uint64{0x10}, at(0x10, flow.Cond{}), at(0x20, taken), at(0x20, taken)),
		result("/a", nil, at(0x20, other)),
		result("/a", []uint64{0x30}, at(0x40, flow.Cond{})),
	}
	ty := New(results, Options{})
	table := map[attach.Probe]Hits{
		{Offset: 0x10}:              {Hits: 2},
		{Offset: 0x20, Cond: taken}: {Hits: 11, Undecided: 1},
		{Offset: 0x20, Cond: other}: {Hits: 5},
		{Offset: 0x30}:              {Hits: 7},
	}
	read := func(plan, probe int) Hits { return table[ty.Plans()[plan].Probes[probe]] }
	got := ty.Count(read, func(plan, probe int) bool { return ty.Plans()[plan].Probes[probe].Offset == 0x40 })
	type short struct {
		Executions, Undecided, Plain uint64
		Known                        bool
		Failed                       int
	}
	var shorts []short
	for _, c := range got {
		shorts = append(shorts, short{c.Executions, c.Undecided, c.Plain, c.PlainKnown, c.Failed})
	}
	want := []short{{13, 1, 2, true, 0}, {5, 0, 0, false, 0}, {0, 0, 7, true, 1}}
	if diff := cmp.Diff(want, shorts); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if n := len(got[0].BySite); n != 3 {
		t.Errorf("%d sites", n)
	}
}

func TestNoPlain(t *testing.T) {
	ty := New([]sites.Result{
		result("/a", []uint64{0x30}, at(0x40, flow.Cond{})),
		result("/a", []uint64{0x40}, at(0x40, flow.Cond{})),
	}, Options{NoPlain: true})
	if ty.Probes() != 1 {
		t.Errorf("%d probes, want the site's only", ty.Probes())
	}
	c := ty.Count(func(int, int) Hits { return Hits{Hits: 3} }, nil)
	if c[0].PlainKnown || !c[1].PlainKnown || c[1].Plain != 3 {
		t.Errorf("plain: %+v", c)
	}
}

func TestReturnProbes(t *testing.T) {
	r := result("/a", []uint64{0x10}, sites.Site{FileOffset: 0x10, Return: true})
	r.Hook.Kind = hook.Uretprobe
	ty := New([]sites.Result{r}, Options{})
	if want := []attach.Probe{{Offset: 0x10, Return: true}}; cmp.Diff(want, ty.Plans()[0].Probes) != "" {
		t.Errorf("got %v", ty.Plans()[0].Probes)
	}
}
