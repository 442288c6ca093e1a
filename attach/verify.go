//go:build linux && (amd64 || arm64)

package attach

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"runtime"
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

	// Not through the slice: a file truncated meanwhile would end us by SIGBUS.
	mem, err := os.Open("/proc/self/mem")
	if err != nil {
		return nil, false, fmt.Errorf("verifying the probes of %s: %w", t.path, err)
	}
	defer mem.Close()
	base := int64(uintptr(unsafe.Pointer(unsafe.SliceData(text))))
	for _, b := range breaks {
		if !isBreakpoint(mem, base+int64(b.offset-low)) {
			missing = append(missing, b)
		}
	}
	return missing, true, nil
}

// isBreakpoint tells whether the kernel's uprobe instruction is at addr: int3
// on x86, BRK #5 on arm64 (UPROBES_BRK_IMM).
func isBreakpoint(mem *os.File, addr int64) bool {
	var b [4]byte
	if runtime.GOARCH == "amd64" {
		_, err := mem.ReadAt(b[:1], addr)
		return err == nil && b[0] == 0xcc
	}
	_, err := mem.ReadAt(b[:], addr)
	return err == nil && binary.LittleEndian.Uint32(b[:]) == 0xd42000a0
}
