package fieldtruth

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
)

// maxSeconds is how long a guest may take: it loads some 1000 programs, each
// of which needs up to a second under emulation.
const maxSeconds = 1500

// Try loads and attaches programs in a kernel and notes what became of each.
// guest is the program vmobjects for the kernel's architecture.
func Try(ctx context.Context, vm vmtest.Kernel, k kernel.Kernel, guest string, list []*Prediction) error {
	job := vmtest.Job{
		Files: []vmtest.File{{Name: "/bin/vmobjects", From: guest}},
		// A loaded host is late with the timer that the kernel checks.
		Cmdline: []string{"lsm=landlock,bpf", "no_timer_check"},
		Steps:   []vmtest.Step{{Args: []string{"/bin/vmobjects"}, Seconds: maxSeconds}},
		Collect: []string{TriedFile},
	}
	attempts := make([]Attempt, len(list))
	have := map[string]bool{}
	var plain []Prediction
	for i, p := range list {
		attempts[i] = p.Attempt
		plain = append(plain, *p)
		if !have[p.Object] {
			have[p.Object] = true
			job.Files = append(job.Files, vmtest.File{Name: p.Object, Data: p.Tool.Objects[0]})
		}
	}
	data, err := json.Marshal(attempts)
	if err != nil {
		return err
	}
	job.Files = append(job.Files, vmtest.File{Name: AttemptsFile, Data: data})
	if job.Modules, err = modules(k, plain); err != nil {
		return err
	}
	out, err := vm.Run(ctx, job)
	if err != nil {
		return err
	}
	if d := out.Steps[0]; d.Exit != 0 {
		return fmt.Errorf("the guest: exit %d %s: %s", d.Exit, d.Error, d.Stderr)
	}
	var tried []Tried
	if err := json.Unmarshal(out.Files[TriedFile], &tried); err != nil {
		return err
	}
	if len(tried) != len(list) {
		return fmt.Errorf("the guest tried %d of %d programs", len(tried), len(list))
	}
	for i := range tried {
		list[i].Got, list[i].Done = tried[i], true
	}
	return nil
}
