package missestruth

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/surehook/surehook/internal/vmtest"
)

// Result is what came of one kernel.
type Result struct {
	Kernel  vmtest.Kernel
	Release string
	Tried   []Tried
	Said    []Prediction // of each of Tried
}

// Split gives the first n pairs apart from the others.
func (r *Result) Split(n int) (first, others Result) {
	first, others = *r, *r
	first.Tried, others.Tried = r.Tried[:n], r.Tried[n:]
	first.Said, others.Said = r.Said[:n], r.Said[n:]
	return first, others
}

// Try makes nestings on a kernel, those of the predictions in their order. guest is the program vmmisses for it.
func Try(ctx context.Context, vm vmtest.Kernel, guest string, said []Prediction) (Result, error) {
	r := Result{Kernel: vm, Said: said}
	list := make([]Attempt, len(said))
	for i := range said {
		list[i] = said[i].Attempt
	}
	data, err := json.Marshal(list)
	if err != nil {
		return r, err
	}
	out, err := vm.Run(ctx, vmtest.Job{
		Files: []vmtest.File{{Name: "/bin/vmmisses", From: guest}, {Name: AttemptsFile, Data: data}},
		// A loaded host is late with the timer that the kernel checks.
		Cmdline: []string{"lsm=landlock,bpf", "no_timer_check"},
		Steps:   []vmtest.Step{{Args: []string{"/bin/vmmisses"}, Seconds: 3600}},
		Collect: []string{TriedFile},
	})
	if err != nil {
		return r, err
	}
	if d := out.Steps[0]; d.Exit != 0 {
		return r, fmt.Errorf("the guest: exit %d %s: %s", d.Exit, d.Error, d.Stderr)
	}
	r.Release = out.Kernel
	r.Tried, err = Decode(out.Files[TriedFile], len(list))
	return r, err
}
