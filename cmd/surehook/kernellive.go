package main

import (
	"cmp"
	"errors"
	"os"
	"runtime"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/live"
	"github.com/surehook/surehook/sites"
)

// runningKernel is the kernel that this program runs on.
func runningKernel() (*live.Kernel, error) {
	arch := elfbin.AMD64
	if runtime.GOARCH == "arm64" {
		arch = elfbin.ARM64
	}
	return live.New(os.DirFS("/"), arch)
}

func liveKernel() (kernel.Kernel, error) { return runningKernel() }

// inKernel gives the places of a kernel hook in the kernels asked for.
func (c *common) inKernel(h hook.Hook) ([]sites.Result, error) {
	var names []string
	if !h.Glob() {
		names = append(names, h.Function)
	}
	known, err := c.atlas.catalogue(names...)
	if err != nil {
		return nil, err
	}
	defer known.Close()
	list, err := known.Find(cmp.Or(c.kernel, kernels.Live))
	if err != nil {
		return nil, err
	}
	var out []sites.Result
	var failed, nowhere []error
	for _, k := range list {
		results, err := kernels.Resolve(k, h)
		if err == nil && c.judge && len(results) == 1 {
			err = judge(k, h, &results[0])
		}
		if none := (*kernels.NoFunctionError)(nil); errors.As(err, &none) {
			nowhere = append(nowhere, err)
		} else if err != nil {
			failed = append(failed, err)
		}
		out = append(out, results...)
	}
	if len(out) == 0 { // else check tells why it is not in some of them
		failed = append(failed, nowhere...)
	}
	return out, errors.Join(failed...)
}

// judge takes the verdicts of check, which asks besides what the kernel
// refuses.
func judge(k kernel.Kernel, h hook.Hook, r *sites.Result) (err error) {
	if r.Plain, r.Plan, err = check.JudgeKernel(k, h); err != nil || r.Plain.Verdict != sites.None {
		return err
	}
	r.PlainSymbol, r.PlainAt = "", nil
	for i := range r.Sites {
		r.Sites[i].Plain = false
	}
	return nil
}
