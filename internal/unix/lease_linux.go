package unix

import (
	"os"

	"golang.org/x/sys/unix"
)

// Lease takes a read lease on the file: whoever opens it for writing, or
// truncates it, waits then until Unlease, for /proc/sys/fs/lease-break-time
// at most, and this process gets SIGIO. ErrBusy means that somebody has it open
// for writing.
func Lease(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_RDLCK)
	return os.NewSyscallError("F_SETLEASE", err)
}

// ErrBusy is what Lease says of a file that is open for writing.
const ErrBusy = unix.EAGAIN

// Leased tells whether the file has a lease that nobody waits for.
func Leased(f *os.File) (bool, error) {
	kind, err := unix.FcntlInt(f.Fd(), unix.F_GETLEASE, 0)
	return err == nil && kind == unix.F_RDLCK, os.NewSyscallError("F_GETLEASE", err)
}

// Unlease lets writers go on.
func Unlease(f *os.File) error {
	_, err := unix.FcntlInt(f.Fd(), unix.F_SETLEASE, unix.F_UNLCK)
	return os.NewSyscallError("F_SETLEASE", err)
}
