package unix

import (
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// MapText maps n bytes of f from off (whole pages) as the kernel maps code:
// private, readable and executable.
func MapText(f *os.File, off int64, n int) ([]byte, error) {
	b, err := unix.Mmap(int(f.Fd()), off, n, unix.PROT_READ|unix.PROT_EXEC, unix.MAP_PRIVATE)
	if err != nil {
		return nil, os.NewSyscallError("mmap", err)
	}
	return b, nil
}

// Unmap undoes MapText.
func Unmap(b []byte) error { return os.NewSyscallError("munmap", unix.Munmap(b)) }

// UnlimitLocked lifts the limit of locked memory, which BPF maps count
// against before Linux 5.11.
func UnlimitLocked() error {
	lim := unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY}
	return os.NewSyscallError("setrlimit", unix.Setrlimit(unix.RLIMIT_MEMLOCK, &lim))
}

// Release gives the running kernel's version as uname says it.
func Release() (string, error) {
	var u unix.Utsname
	if err := unix.Uname(&u); err != nil {
		return "", os.NewSyscallError("uname", err)
	}
	return unix.ByteSliceToString(u.Release[:]), nil
}

// Namespace identifies the namespace at path ("/proc/self/ns/pid").
func Namespace(path string) (dev, ino uint64, err error) {
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		return 0, 0, fmt.Errorf("namespace %s: %w", path, err)
	}
	return uint64(st.Dev), st.Ino, nil
}

// ReadOwn reads this process's memory at addr. Unlike a load it gives an error
// where nothing is mapped, and unlike /proc/self/mem it is open to a program
// that has its capabilities from its file.
func ReadOwn(b []byte, addr uintptr) error {
	local := []unix.Iovec{{Base: unsafe.SliceData(b)}}
	local[0].SetLen(len(b))
	n, err := unix.ProcessVMReadv(os.Getpid(), local, []unix.RemoteIovec{{Base: addr, Len: len(b)}}, 0)
	if err == nil && n != len(b) {
		err = unix.EFAULT
	}
	return os.NewSyscallError("process_vm_readv", err)
}
