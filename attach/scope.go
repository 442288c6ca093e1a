//go:build linux && (amd64 || arm64)

package attach

import (
	"fmt"
	"os"
	"syscall"

	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/unix"
)

// initPIDNamespace is PROC_PID_INIT_INO: the inode of the initial one.
const initPIDNamespace = 0xEFFFFFFC

// checkProcess wants a live process.
func checkProcess(pid int) error {
	if pid < 0 || int(int32(pid)) != pid {
		return fmt.Errorf("%w: %d is no process id", ErrInvalid, pid)
	}
	if err := syscall.Kill(pid, 0); err == syscall.ESRCH {
		return fmt.Errorf("no process %d: %w", pid, err)
	}
	return nil
}

// filterInProgram makes the BPF program itself look at the process: where no
// link can. The program sees PIDs of the initial namespace or, asked to, of
// the process's own; pid is of ours.
func filterInProgram(c *bpf.Config, pid int) error {
	c.TGID = uint32(pid)
	dev, ino, err := unix.Namespace("/proc/self/ns/pid")
	if err != nil {
		return err
	}
	if ino == initPIDNamespace {
		return nil
	}
	_, other, err := unix.Namespace(fmt.Sprintf("/proc/%d/ns/pid", pid))
	if os.IsNotExist(err) {
		return fmt.Errorf("no process %d: %w", pid, err)
	}
	if err != nil {
		return err
	}
	if other != ino {
		return fmt.Errorf("%w: process %d is in another PID namespace; trace it from the host, or from its container", ErrNotSupported, pid)
	}
	c.NSDev, c.NSIno = dev, ino
	return nil
}
