//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"io/fs"
	"runtime"
	"syscall"

	"github.com/cilium/ebpf"
)

// errNotSupp is the kernel's ENOTSUPP, which user space headers lack.
const errNotSupp = syscall.Errno(524)

// explain says in plain words why the kernel refused a probe.
func explain(err error) string {
	switch {
	case errors.Is(err, errNotSupp):
		return "the kernel cannot probe this instruction (ENOTSUPP)"
	case errors.Is(err, syscall.EINVAL) && runtime.GOARCH == "arm64":
		// arm64 says the same of both (arch_uprobe_analyze_insn).
		return "the kernel cannot probe what is there (EINVAL): it refuses some instructions, and offsets that do not begin one"
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
	case errors.As(err, new(*ProbeError)): // says it itself
		return err
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
