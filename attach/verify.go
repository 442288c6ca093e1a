//go:build linux && (amd64 || arm64)

package attach

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"syscall"
	"unsafe"

	"github.com/surehook/surehook/internal/unix"
)

// verify maps the probed pages as a traced process would and tells which
// breakpoints the kernel did not install there. It is the only way to know:
// errors at mmap time are dropped (uprobe_mmap), so that a probe on an
// instruction the kernel cannot execute out of line attaches and never fires.
//
// ok is false when the file cannot be mapped executable here (noexec).
func (t *target) verify(breaks []breakpoint) (missing []breakpoint, ok bool, err error) {
	if len(breaks) == 0 {
		return nil, true, nil
	}
	page := uint64(os.Getpagesize())
	low := breaks[0].offset &^ (page - 1) // breaks are sorted
	high := breaks[len(breaks)-1].offset + 1
	text, err := unix.MapText(t.file, int64(low), int(high-low))
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("mapping %s to verify its probes: %w", t.path, err)
	}
	defer unix.Unmap(text)

	base := uintptr(unsafe.Pointer(unsafe.SliceData(text)))
	for _, b := range breaks {
		there, err := isBreakpoint(base + uintptr(b.offset-low))
		if err != nil {
			return nil, false, fmt.Errorf("verifying the probes of %s: %w", t.path, err)
		}
		if !there {
			missing = append(missing, b)
		}
	}
	return missing, true, nil
}

// isBreakpoint tells whether the kernel's uprobe instruction is at addr. It does
// not just load: a file truncated meanwhile would end us by SIGBUS.
func isBreakpoint(addr uintptr) (bool, error) {
	want := unix.Breakpoint()
	got := make([]byte, len(want))
	if err := unix.ReadOwn(got, addr); err != nil {
		return false, err
	}
	return bytes.Equal(got, want), nil
}
