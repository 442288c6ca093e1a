//go:build linux && (amd64 || arm64)

package nesting

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"

	"github.com/cilium/ebpf"
)

// Reason says in a few words why a hook could not be attached.
func Reason(err error) string {
	var v *ebpf.VerifierError
	switch {
	case errors.As(err, &v) && !errors.Is(err, fs.ErrPermission):
		return fmt.Sprintf("the kernel refuses the program: %v", v.Cause)
	case errors.Is(err, ebpf.ErrNotSupported):
		return "this kernel does not support it"
	case errors.Is(err, fs.ErrPermission):
		return "the kernel refuses programs of this kind (EPERM)"
	case errors.Is(err, fs.ErrNotExist) && strings.Contains(err.Error(), "kprobe_events"):
		return "this kernel has no kprobes (CONFIG_KPROBES)"
	case errors.Is(err, fs.ErrNotExist) && strings.Contains(err.Error(), "tracefs"):
		return "tracefs is not mounted; mount -t tracefs nodev /sys/kernel/tracing"
	case errors.Is(err, fs.ErrNotExist):
		return "this kernel has no such hook"
	case errors.Is(err, syscall.EBUSY):
		return "ftrace has no place there (EBUSY)"
	}
	return err.Error()
}
