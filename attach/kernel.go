//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"io/fs"
	"math"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/internal/unix"
)

// errNotSupp is the kernel's ENOTSUPP, which user space headers lack.
const errNotSupp = syscall.Errno(524)

// explain says in plain words why the kernel refused a probe.
func explain(err error) string {
	switch {
	case errors.Is(err, errNotSupp):
		return "the kernel cannot probe this instruction (ENOTSUPP)"
	case errors.Is(err, syscall.EINVAL):
		return "the kernel does not take the offset (EINVAL); it must be the beginning of an instruction in code"
	case errors.Is(err, syscall.EIO):
		return "files of this file system cannot be probed (EIO)"
	case errors.Is(err, syscall.EMFILE), errors.Is(err, syscall.ENFILE):
		return "too many open files; raise the limit (ulimit -n) or probe less"
	case errors.Is(err, syscall.ENOMEM):
		return "the kernel is out of memory (ENOMEM)"
	case errors.Is(err, syscall.ESRCH), errors.Is(err, fs.ErrNotExist):
		// The library turns ESRCH into ErrNotExist; the file itself is open.
		return "the process to be traced is gone"
	}
	return err.Error()
}

// classify makes the errors a caller acts on recognisable.
func classify(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: %w", ErrNotPermitted, err)
	case errors.Is(err, ebpf.ErrNotSupported):
		return fmt.Errorf("%w: %w", ErrNotSupported, err)
	case errors.Is(err, syscall.ENOSYS):
		return fmt.Errorf("%w: the kernel is built without BPF: %w", ErrNotSupported, err)
	}
	return err
}

// general tells whether err concerns everything and not one breakpoint, so
// that looking for the one that is to blame is futile.
func general(err error) bool {
	if errors.Is(err, errNotSupp) {
		return false
	}
	for _, e := range []error{
		fs.ErrPermission, fs.ErrNotExist, syscall.ESRCH, syscall.EMFILE, syscall.ENFILE,
		syscall.ENOMEM, syscall.E2BIG, syscall.ENOSYS, syscall.EBADF, ebpf.ErrNotSupported,
	} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}

// abilities are what this kernel can do.
type abilities struct {
	multi     bool // uprobe_multi links
	cookie    bool // bpf_get_attach_cookie
	pidFilter bool // uprobe_multi's process filter lets all threads through
}

func detect() (abilities, error) {
	var can abilities
	err := lifting(features.HaveBPFLinkUprobeMulti)
	if err != nil && !errors.Is(err, ebpf.ErrNotSupported) {
		return can, classify(fmt.Errorf("asking the kernel for uprobe_multi: %w", err))
	}
	if can.multi = err == nil; can.multi {
		can.cookie = true // older than uprobe_multi
		can.pidFilter, err = probePIDFilter()
		return can, classify(err)
	}
	err = features.HaveProgramHelper(ebpf.Kprobe, asm.FnGetAttachCookie)
	if err != nil && !errors.Is(err, ebpf.ErrNotSupported) {
		return can, classify(fmt.Errorf("asking the kernel for cookies: %w", err))
	}
	can.cookie = err == nil
	return can, nil
}

// probePIDFilter finds out whether commit 46ba0e49b642 ("bpf: fix multi-uprobe
// PID filtering logic") is in: before it the filter lets one thread through
// only. With it came a check that a pid is positive.
func probePIDFilter() (bool, error) {
	prog, err := ebpf.NewProgram(&ebpf.ProgramSpec{
		Name: "surehook_pid", Type: ebpf.Kprobe, AttachType: ebpf.AttachTraceUprobeMulti, License: "MIT",
		Instructions: asm.Instructions{asm.Mov.Imm(asm.R0, 0), asm.Return()},
	})
	if err != nil {
		return false, fmt.Errorf("asking the kernel for its PID filter: %w", err)
	}
	defer prog.Close()
	ex, err := link.OpenExecutable("/proc/self/exe")
	if err != nil {
		return false, err
	}
	l, err := ex.UprobeMulti(nil, prog, &link.UprobeMultiOptions{Addresses: []uint64{1}, PID: math.MaxUint32})
	switch {
	case errors.Is(err, syscall.EINVAL):
		return true, nil
	case errors.Is(err, fs.ErrNotExist): // ESRCH: looked for such a process
		return false, nil
	case err == nil:
		return false, l.Close()
	}
	return false, fmt.Errorf("asking the kernel for its PID filter: %w", err)
}

// lifting repeats do without the limit of locked memory if it is not
// permitted: before Linux 5.11 that may be the reason.
func lifting(do func() error) error {
	err := do()
	if errors.Is(err, fs.ErrPermission) && unix.UnlimitLocked() == nil {
		return do()
	}
	return err
}
