package main

import (
	"github.com/surehook/surehook/internal/shipped"
	"github.com/surehook/surehook/report"
)

// checkFiles runs the rules on all that files and directories hold, and skips
// what cannot be read.
func (c *common) checkFiles(d *report.Document, k *kernelFlags, names []string, skip func(string, error)) {
	var found shipped.Contents
	found.AddAll(names, skip)
	files := found.Files
	d.Passed = found.Passed
	checker := shipped.Checker{Files: c.analyzer()}
	defer checker.Files.Close()
	if shipped.NeedKernels(files) {
		fleet, done, err := k.fleet(shipped.KernelHooks(files))
		if err != nil {
			skip("--kernel", err)
		}
		if fleet == nil {
			return
		}
		defer done()
		checker.Fleet, d.Kernels = fleet, fleet.Kernels()
	}
	d.Files = checker.Check(files, skip)
	if err := k.together.checkFiles(d, checker.Fleet); err != nil {
		skip("--together", err)
	}
}
