//go:build linux && (amd64 || arm64)

package attach

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"runtime"
	"syscall"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/internal/unix"
)

// target is one file of a plan, held open so that what is checked is what is
// probed, whatever happens to its path meanwhile.
type target struct {
	path   string
	file   *os.File
	size   uint64
	plan   int
	breaks []breakpoint
	slots  []slot
}

func openTarget(plan int, path string, l *layout) (*target, error) {
	// Without O_NONBLOCK a named pipe would hold us up for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	t, err := newTarget(plan, path, f, l)
	if err != nil {
		f.Close()
		return nil, err
	}
	return t, nil
}

// newTarget is a target of a file that the caller has opened and closes.
func newTarget(plan int, path string, f *os.File, l *layout) (*target, error) {
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		err = fmt.Errorf("%s is not a regular file", path)
	}
	if err != nil {
		return nil, err
	}
	return &target{path: path, file: f, size: uint64(st.Size()), plan: plan, breaks: l.breaks[plan], slots: l.slots}, nil
}

// name is a path to the open file itself.
func (t *target) name() string { return fmt.Sprintf("/proc/self/fd/%d", t.file.Fd()) }

// fault makes the error of a breakpoint.
func (t *target) fault(b breakpoint, reason string, err error) *ProbeError {
	way := NoWay
	if t.path == "" {
		way = orKprobe(b.ways)[0]
	}
	return &ProbeError{
		Path: t.path, Symbol: b.symbol, Offset: b.offset, Return: b.ret, Way: way,
		Plan: t.plan, Probe: t.slots[b.first].probe, Reason: reason, Err: err,
	}
}

// precheck finds the breakpoints that cannot or must not be.
func (t *target) precheck(hazards bool) []fault {
	var faults []fault
	amd64 := runtime.GOARCH == "amd64"
	nop5 := amd64 && nop5Hazard()
	var insn [maxInsn]byte
	for _, b := range t.breaks {
		if b.offset == 0 {
			faults = append(faults, fault{b, t.fault(b, "file offset 0 is the ELF header, not code", ErrInvalid)})
			continue
		}
		if b.offset >= t.size {
			err := t.fault(b, fmt.Sprintf("beyond the end of the file (%#x bytes); was the file replaced?", t.size), io.ErrUnexpectedEOF)
			faults = append(faults, fault{b, err})
			continue
		}
		if hazards || !amd64 {
			continue
		}
		n, _ := t.file.ReadAt(insn[:], int64(b.offset))
		switch code := insn[:n]; {
		case nop5 && bytes.HasPrefix(code, nop5Bytes[:]):
			faults = append(faults, fault{b, t.fault(b, nop5Reason, ErrHazard)})
		case flow.Misread(code):
			faults = append(faults, fault{b, t.fault(b, misreadReason, ErrHazard)})
		}
	}
	return faults
}

// fault is a breakpoint that could not be attached.
type fault struct {
	b   breakpoint
	err *ProbeError
}

// maxInsn is the longest x86 instruction in bytes (Intel SDM vol. 2, 2.3.11).
const maxInsn = 15

const misreadReason = "the kernel takes this vector instruction for a jump, a call or a nop and does not execute it; " +
	"probe another instruction"

var nop5Bytes = [5]byte{0x0f, 0x1f, 0x44, 0x00, 0x00} // nopl 0(%rax,%rax,1)

const nop5Reason = "a probe on this 5-byte nop overwrites the traced function's red zone on Linux 6.18 to 7.1; " +
	"probe the next instruction instead"

// nop5Hazard tells whether this kernel turns a probed 5-byte nop into a call
// that pushes onto the red zone. Since "uprobes/x86: Add support to optimize
// uprobes" (6.18), until only the 10-byte nop is used (7.2). Nothing but the
// damage shows it, so the version decides; what cannot be read is hazardous.
func nop5Hazard() bool {
	release, err := unix.Release()
	if err != nil {
		return true
	}
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		return true
	}
	return hazardVersion(major, minor)
}

func hazardVersion(major, minor int) bool {
	switch major {
	case 6:
		return minor >= 18
	case 7:
		return minor < 2
	}
	return false
}
