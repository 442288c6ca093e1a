package unix

import (
	"errors"
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// WaitExit waits until the process, which need not be a child, has ended.
// Requires at least Linux 5.3 (pidfd_open).
func WaitExit(pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return os.NewSyscallError("pidfd_open", err)
	}
	defer unix.Close(fd)
	for {
		_, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, -1)
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.EINTR) {
			return os.NewSyscallError("poll", err)
		}
	}
}

// FirstThread tells whether the caller runs in the thread that began the
// process; it should be locked to its thread.
func FirstThread() bool { return unix.Gettid() == unix.Getpid() }

// BlockSignal blocks a signal in the calling thread, which should be locked.
func BlockSignal(s syscall.Signal) error {
	var set unix.Sigset_t
	word := 8 * int(unsafe.Sizeof(set.Val[0]))
	set.Val[(int(s)-1)/word] |= 1 << ((int(s) - 1) % word)
	return os.NewSyscallError("rt_sigprocmask", unix.PthreadSigmask(unix.SIG_BLOCK, &set, nil))
}
