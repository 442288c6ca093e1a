package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"runtime"

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

// asked are the kernels that hooks of a run are looked up in.
type asked struct {
	known *kernels.Catalogue
	list  []kernel.Kernel
}

// askKernels opens the kernels that --kernel names. What cannot be read is in
// the error; the others are there.
func (c *common) askKernels(hooks []hook.Hook) (*asked, error) {
	known, unread := c.atlas.catalogue(named(hooks)...)
	if known == nil {
		return &asked{}, unread
	}
	list, err := known.Find(cmp.Or(c.kernel, kernels.Live))
	if file := (*kernels.DebugFileError)(nil); c.lenient && errors.As(err, &file) {
		fmt.Fprintf(c.progress, "%v\n", err)
		err = nil
	}
	return &asked{known, list}, errors.Join(unread, err)
}

func (a *asked) close() {
	if a.known != nil {
		a.known.Close()
	}
}

// places gives the places of a kernel hook in the kernels asked for.
func (a *asked) places(h hook.Hook) ([]sites.Result, error) {
	var out []sites.Result
	var failed, nowhere []error
	for _, k := range a.list {
		results, err := kernels.Resolve(k, h)
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
