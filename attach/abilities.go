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

// abilities are what this kernel can do.
type abilities struct {
	multi     bool // uprobe_multi links
	cookie    bool // bpf_get_attach_cookie
	pidFilter bool // uprobe_multi's process filter lets all threads through
}

// Permitted finds out whether this process can attach to user space at all: the
// error is ErrNotPermitted, ErrNotSupported, or nil.
func Permitted() error {
	_, err := detect()
	return err
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
