package report

import (
	"slices"

	"github.com/surehook/surehook/check"
)

// Merge adds what other runs found to the document. Kernels that one of them
// did not ask are marked so (check.KernelResult.NotAsked).
func (d *Document) Merge(others ...*Document) {
	all := d.Kernels
	for _, o := range others {
		for _, k := range o.Kernels {
			if !slices.Contains(all, k) {
				all = append(all, k)
			}
		}
	}
	for _, o := range append([]*Document{d}, others...) {
		o.widen(all)
	}
	for _, o := range others {
		d.Hooks, d.Fleet, d.Files = append(d.Hooks, o.Hooks...), append(d.Fleet, o.Fleet...), append(d.Files, o.Files...)
		d.Running, d.General = append(d.Running, o.Running...), append(d.General, o.General...)
		d.Skipped, d.Passed = append(d.Skipped, o.Skipped...), append(d.Passed, o.Passed...)
	}
}

// widen gives every hook a result for each of the kernels, in their order.
func (d *Document) widen(kernels []string) {
	if slices.Equal(d.Kernels, kernels) {
		return
	}
	row := func(list []OnKernels) {
		for i := range list {
			results := make([]check.KernelResult, len(kernels))
			for k, name := range kernels {
				results[k].NotAsked = true
				results[k].Verdict.Kernel = name
				if at := slices.Index(d.Kernels, name); at >= 0 && at < len(list[i].Results) {
					results[k] = list[i].Results[at]
				}
			}
			list[i].Results = results
		}
	}
	row(d.Fleet)
	for _, f := range d.Files {
		for p := range f.Programs {
			row(f.Programs[p].OnKernel)
		}
	}
	d.Kernels = kernels
}
