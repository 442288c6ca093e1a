package report

import (
	"slices"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
)

// on is a hook's answers on kernels.
func on(name string, kernels ...string) OnKernels {
	o := OnKernels{Hook: hook.Hook{Kind: hook.Kprobe, Function: name}}
	for _, k := range kernels {
		o.Results = append(o.Results, check.KernelResult{Verdict: check.Verdict{Kernel: k, Plain: "complete", Plan: "complete", Origin: check.Origin{File: name}}})
	}
	return o
}

// TestMerge: every hook has a cell for every kernel; those that were not asked
// are no answers.
func TestMerge(t *testing.T) {
	d := &Document{}
	d.Merge(
		&Document{Kernels: []string{"a", "b"}, Fleet: []OnKernels{on("f", "a", "b")}},
		&Document{Hooks: []Checked{{}}},
		&Document{Kernels: []string{"b", "c"}, Files: []CheckedFile{{File: &bpfobj.File{}, Programs: []CheckedProgram{{Program: &bpfobj.Program{}, OnKernel: []OnKernels{on("g", "b", "c")}}}}}},
	)
	if !slices.Equal(d.Kernels, []string{"a", "b", "c"}) || len(d.Hooks) != 1 {
		t.Errorf("%+v", d)
	}
	var asked []string
	for _, a := range d.flat().answers() {
		if a.verdict.Hook.Kind != "" {
			asked = append(asked, a.hook()+" "+a.subject)
		}
	}
	if want := []string{"kprobe:f a", "kprobe:f b", "kprobe:g b", "kprobe:g c"}; !slices.Equal(asked, want) {
		t.Errorf("%q", asked)
	}
	g := d.Files[0].Programs[0].OnKernel[0]
	if len(g.Results) != 3 || cell(g.Results[0]) != "-" || cell(g.Results[1]) != "ok" || g.origin().File != "g" {
		t.Errorf("%+v", g)
	}
	if text := fleetHeadline(d.Kernels, g); text != "plain probe complete on all 2 that it is for; surehook complete on all 2 that it is for" {
		t.Error(text)
	}
}
