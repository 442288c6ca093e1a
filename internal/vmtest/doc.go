// Package vmtest runs commands on another kernel and another architecture: a
// Debian kernel package in QEMU, with an initramfs made of a static init and
// the files that the commands need. It boots in seconds without KVM. Times
// measured inside mean nothing.
//
// A command on each kernel, with the file that it writes:
//
//	for _, k := range vmtest.Kernels() {
//		out, err := k.Run(ctx, vmtest.Job{
//			Files:   []vmtest.File{{Name: "/bin/truth", From: static}, {Name: "/hooks.json", Data: list}},
//			Cmdline: []string{"lsm=bpf"},
//			Modules: []string{"xfs"},
//			Steps:   []vmtest.Step{{Args: []string{"/bin/truth", "/hooks.json", "/tmp/truth.json"}}},
//			Collect: []string{"/tmp/truth.json"},
//		})
//		// errors.Is(err, vmtest.ErrMissing): skip; out.Steps[0].Exit, out.Files["/tmp/truth.json"]
//	}
package vmtest

import (
	"errors"
	"io/fs"
)

// Job is what a machine is to do.
type Job struct {
	Files   []File            `json:"-"`       // the file system, beside /init, /proc, /sys, /dev and /tmp
	Cmdline []string          `json:"-"`       // further parameters of the kernel, as lsm=bpf
	CPUs    int               `json:"-"`       // 0: one, see Machine
	Modules []string          `json:"modules"` // kernel modules, loaded in this order; Image.Run adds what they need
	Sysctl  map[string]string `json:"sysctl"`  // by path below /proc/sys
	Steps   []Step            `json:"steps"`   // one after the other; a failed one does not end the job
	Collect []string          `json:"collect"` // absolute paths of files to hand back
}

// File is one file of the machine. Exactly one of Data, From and Link says
// what it is; missing directories are made.
type File struct {
	Name string      // absolute path
	Mode fs.FileMode // permissions; 0: 0755
	Data []byte      // contents
	From string      // or a file of this machine with the contents
	Link string      // or the target of a symbolic link
}

// Step is one command.
type Step struct {
	Args    []string `json:"args"`
	Dir     string   `json:"dir"`     // absolute; empty: /
	Env     []string `json:"env"`     // the whole environment; nil: PATH and HOME
	Seconds int      `json:"seconds"` // until it is killed; 0: DefaultSeconds
}

// DefaultSeconds ends a command that gives no limit of its own. Emulation is
// 10 to 50 times slower than the machine.
const DefaultSeconds = 60

// Outcome is what a job came to.
type Outcome struct {
	Kernel string            `json:"kernel"` // release, as uname -r
	Steps  []Done            `json:"steps"`
	Files  map[string][]byte `json:"files"` // those of Collect that there were
}

// Done is a command that has run.
type Done struct {
	Exit    int     `json:"exit"` // -1: not started, or killed
	Stdout  []byte  `json:"stdout"`
	Stderr  []byte  `json:"stderr"`
	Error   string  `json:"error"`   // why it did not exit by itself, "" if it did
	Seconds float64 `json:"seconds"` // by the emulated clock
}

// ErrMissing is wrapped by every error that says what this machine lacks: QEMU,
// a kernel that is not in the cache and cannot be fetched. Its text ends with
// the remedy.
var ErrMissing = errors.New("missing for virtual machines")

// Ports and files that Run and the init agree upon.
const (
	JobFile    = "/job.json" // in the initramfs
	ReportLine = "vmtest-outcome "
	EndLine    = "vmtest-end"
)
