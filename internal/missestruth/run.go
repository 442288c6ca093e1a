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
}

// Try makes nestings on a kernel. guest is the program vmmisses for it.
func Try(ctx context.Context, vm vmtest.Kernel, guest string, list []Attempt) (Result, error) {
	r := Result{Kernel: vm}
	data, err := json.Marshal(list)
	if err != nil {
		return r, err
	}
	out, err := vm.Run(ctx, vmtest.Job{
		Files: []vmtest.File{{Name: "/bin/vmmisses", From: guest}, {Name: AttemptsFile, Data: data}},
		// A loaded host is late with the timer that the kernel checks.
		Cmdline: []string{"lsm=landlock,bpf", "no_timer_check"},
		Steps:   []vmtest.Step{{Args: []string{"/bin/vmmisses"}, Seconds: 900}},
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
