package vmtest_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/internal/vmtest"
)

// inVM skips where virtual machines are not asked for: emulation is slow.
func inVM(t *testing.T) {
	t.Helper()
	if os.Getenv("SUREHOOK_VM") == "" {
		t.Skip("virtual machines: emulation is slow; SUREHOOK_VM=1 or make test")
	}
}

// run boots a kernel, or skips with what this machine lacks.
func run(t *testing.T, k vmtest.Kernel, job vmtest.Job) *vmtest.Outcome {
	t.Helper()
	start := time.Now()
	out, err := k.Run(context.Background(), job)
	if errors.Is(err, vmtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("Linux %s: %.1f s", out.Kernel, time.Since(start).Seconds())
	return out
}

// TestKernels boots each kernel of the table with a module, a parameter and
// the file systems that tests expect.
func TestKernels(t *testing.T) {
	inVM(t)
	for _, k := range vmtest.Kernels() {
		t.Run(k.Name(), func(t *testing.T) {
			job := vmtest.Job{
				Cmdline: []string{"surehook.unused=1"},
				Sysctl:  map[string]string{"kernel/perf_event_paranoid": "2"},
				Collect: []string{"/proc/cmdline", "/proc/filesystems", "/proc/modules", "/proc/mounts", "/proc/sys/kernel/perf_event_paranoid"},
			}
			if k.Series != "7.0" { // Debian dropped the modules of its last release
				job.Modules = []string{"xfs", "overlay"}
			}
			out := run(t, k, job)
			has := func(file string, words ...string) {
				t.Helper()
				for _, w := range words {
					if !strings.Contains(string(out.Files[file]), w) {
						t.Errorf("no %q in %s: %s", w, file, out.Files[file])
					}
				}
			}
			if !strings.HasPrefix(out.Kernel, k.Series+".") {
				t.Errorf("kernel %s", out.Kernel)
			}
			has("/proc/cmdline", "surehook.unused=1")
			has("/proc/mounts", "/sys/kernel/tracing ", "/sys/kernel/debug ", "/sys/fs/bpf ", "/sys/kernel/security ", "/sys/fs/cgroup cgroup2")
			has("/proc/sys/kernel/perf_event_paranoid", "2\n")
			if job.Modules != nil {
				has("/proc/filesystems", "\txfs\n", "\toverlay\n")
			}
		})
	}
}
