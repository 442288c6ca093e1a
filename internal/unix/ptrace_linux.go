package unix

import (
	"errors"
	"os"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Stop stops a thread as a debugger does: its parent sees nothing of it, and
// it runs on when this process dies. All of Stop, Stopped and Resume must be
// called from one thread.
func Stop(tid int) error {
	if err := unix.PtraceSeize(tid); err != nil {
		return os.NewSyscallError("PTRACE_SEIZE", err)
	}
	return os.NewSyscallError("PTRACE_INTERRUPT", unix.PtraceInterrupt(tid))
}

// ErrGone is what Stop and Resume say of a thread that has ended.
const ErrGone = unix.ESRCH

// Stopped waits until a thread that Stop was called for stands still. It is
// false if it has ended or does not stop in time (it sleeps in the kernel, and
// will stop before it runs again).
func Stopped(tid int, within time.Duration) bool {
	end := time.Now().Add(within)
	for {
		var info unix.Siginfo
		err := unix.Waitid(unix.P_PID, tid, &info, unix.WSTOPPED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil)
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return false
		case info.Signo != 0:
			return true
		}
		if time.Now().After(end) {
			return false
		}
		time.Sleep(50 * time.Microsecond)
	}
}

// Resume lets a thread go on that Stop was called for. Signals that it got
// meanwhile are delivered.
func Resume(tid int) error {
	var info unix.Siginfo
	signal := 0
	if err := unix.Waitid(unix.P_PID, tid, &info, unix.WSTOPPED|unix.WNOHANG|unix.WALL, nil); err == nil && info.Signo != 0 {
		signal = delivered(&info)
	}
	_, _, errno := unix.Syscall6(unix.SYS_PTRACE, unix.PTRACE_DETACH, uintptr(tid), 0, uintptr(signal), 0, 0)
	if errno != 0 {
		return os.NewSyscallError("PTRACE_DETACH", errno)
	}
	return nil
}

// ReadMemory reads another process's memory.
func ReadMemory(pid int, b []byte, addr uintptr) (int, error) {
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	n, err := unix.ProcessVMReadv(pid, local, []unix.RemoteIovec{{Base: addr, Len: len(b)}}, 0)
	return n, os.NewSyscallError("process_vm_readv", err)
}

// delivered is the signal whose delivery a stop of a traced thread is, 0 for
// stops of another kind.
func delivered(info *unix.Siginfo) int {
	const statusAt = 24 // of si_status; the kernel's struct siginfo, 64 bits
	status := *(*int32)(unsafe.Add(unsafe.Pointer(info), statusAt))
	if status>>8 != 0 { // PTRACE_EVENT_STOP
		return 0
	}
	return int(status)
}
