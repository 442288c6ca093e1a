package fieldtruth

import (
	"context"
	"fmt"
	"strings"

	"github.com/surehook/surehook/internal/vmtest"
	"github.com/surehook/surehook/kernel"
)

// maxSeconds is how long a guest may take: it loads some 1000 programs, each
// of which needs up to a second under emulation.
const maxSeconds = 1500

// Guests are the programs that run in a kernel, for its architecture.
type Guests struct {
	Loader string // what BuildLoader made
	Reader string // the command vmreads
	Object []byte // what CompileReads made
}

// Try loads and attaches programs in a kernel and notes what became of each; then
// it runs the programs that read, and notes what they got.
func Try(ctx context.Context, vm vmtest.Kernel, k kernel.Kernel, g Guests, list []*Prediction, reads []Read) error {
	job := vmtest.Job{
		Files: []vmtest.File{{Name: "/bin/loadone", From: g.Loader}, {Name: "/bin/vmreads", From: g.Reader}, {Name: ReadsObject, Data: g.Object}},
		// A loaded host is late with the timer that the kernel checks.
		Cmdline: []string{"lsm=landlock,bpf", "no_timer_check"},
		Steps:   []vmtest.Step{{Args: []string{"/bin/loadone", attemptsFile, triedFile}, Seconds: maxSeconds}, {Args: []string{"/bin/vmreads"}, Seconds: maxSeconds}},
		Collect: []string{triedFile, ReadsFile},
	}
	var attempts []byte
	have := map[string]bool{}
	var plain []Prediction
	for _, p := range list {
		attempts = fmt.Appendf(attempts, "%s\t%s\t%s\t%s\t%s\n", p.Object, p.Program, p.Kind, p.Name, p.System)
		plain = append(plain, *p)
		if !have[p.Object] {
			have[p.Object] = true
			job.Files = append(job.Files, vmtest.File{Name: p.Object, Data: p.Tool.Objects[0]})
		}
	}
	job.Files = append(job.Files, vmtest.File{Name: attemptsFile, Data: attempts})
	var err error
	if job.Modules, err = modules(k, plain); err != nil {
		return err
	}
	out, err := vm.Run(ctx, job)
	if err != nil {
		return err
	}
	for _, d := range out.Steps {
		if d.Exit != 0 {
			return fmt.Errorf("the guest: exit %d %s: %s", d.Exit, d.Error, d.Stderr)
		}
	}
	if err := noteReads(out.Files[ReadsFile], k.Identity().Name, reads); err != nil {
		return err
	}
	if len(list) == 0 {
		return nil
	}
	tried := strings.Split(strings.TrimSuffix(string(out.Files[triedFile]), "\n"), "\n")
	if len(tried) != len(list) {
		return fmt.Errorf("the guest tried %d of %d programs", len(tried), len(list))
	}
	for i := range tried {
		stage, text, _ := strings.Cut(tried[i], "\t")
		list[i].Got, list[i].Done = Tried{stage, text}, true
	}
	return nil
}
