package unix

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Fanotify is a group of marks that asks before files are opened. Every open
// of a file in a marked directory waits for Allow. When the group is closed,
// or the process dies, the kernel lets all through.
type Fanotify struct {
	fd   int
	wake int // eventfd: ends Read
}

// Opening is a thread that waits in an open.
type Opening struct {
	FD  int // of the file, for reading; the receiver's
	TID int // thread that opens, in our PID namespace; 0: of another
}

// OpenFanotify makes a group. It needs CAP_SYS_ADMIN, and a kernel with
// CONFIG_FANOTIFY_ACCESS_PERMISSIONS.
func OpenFanotify() (*Fanotify, error) {
	fd, err := unix.FanotifyInit(unix.FAN_CLASS_CONTENT|unix.FAN_CLOEXEC|unix.FAN_NONBLOCK|unix.FAN_REPORT_TID|
		unix.FAN_UNLIMITED_QUEUE|unix.FAN_UNLIMITED_MARKS, unix.O_RDONLY|unix.O_LARGEFILE|unix.O_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("fanotify_init", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("eventfd", err), unix.Close(fd))
	}
	return &Fanotify{fd, wake}, nil
}

// MarkDir asks from now on before a file in the directory is opened.
func (f *Fanotify) MarkDir(dir *os.File) error {
	return f.mark(unix.FAN_MARK_ADD|unix.FAN_MARK_ONLYDIR, unix.FAN_OPEN_PERM|unix.FAN_EVENT_ON_CHILD, dir)
}

// UnmarkDir undoes MarkDir.
func (f *Fanotify) UnmarkDir(dir *os.File) error {
	return f.mark(unix.FAN_MARK_REMOVE|unix.FAN_MARK_ONLYDIR, unix.FAN_OPEN_PERM|unix.FAN_EVENT_ON_CHILD, dir)
}

// Ignore does not ask any more before the file is opened, until it is modified.
func (f *Fanotify) Ignore(file *os.File) error {
	return f.mark(unix.FAN_MARK_ADD|unix.FAN_MARK_IGNORED_MASK, unix.FAN_OPEN_PERM, file)
}

// Unignore undoes Ignore. That the kernel has done so itself is no error.
func (f *Fanotify) Unignore(file *os.File) error {
	err := f.mark(unix.FAN_MARK_REMOVE|unix.FAN_MARK_IGNORED_MASK, unix.FAN_OPEN_PERM, file)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	return err
}

func (f *Fanotify) mark(flags uint, mask uint64, file *os.File) error {
	err := unix.FanotifyMark(f.fd, flags, mask, unix.AT_FDCWD, FDPath(file))
	return os.NewSyscallError("fanotify_mark", err)
}

// Read waits for threads that open files. It returns os.ErrClosed after Wake.
func (f *Fanotify) Read(buf []byte) ([]Opening, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(f.fd), Events: unix.POLLIN}, {Fd: int32(f.wake), Events: unix.POLLIN}}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return nil, os.NewSyscallError("poll", err)
		}
		if fds[1].Revents != 0 {
			return nil, os.ErrClosed
		}
		n, err := unix.Read(f.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, os.NewSyscallError("reading fanotify events", err)
		}
		return openings(buf[:n])
	}
}

func openings(buf []byte) ([]Opening, error) {
	const size = int(unsafe.Sizeof(unix.FanotifyEventMetadata{}))
	var list []Opening
	for len(buf) >= size {
		length := int(binary.NativeEndian.Uint32(buf))
		if buf[4] != unix.FANOTIFY_METADATA_VERSION || length < size || length > len(buf) {
			return list, fmt.Errorf("a fanotify event of version %d and %d bytes", buf[4], length)
		}
		fd, tid := int32(binary.NativeEndian.Uint32(buf[16:])), int32(binary.NativeEndian.Uint32(buf[20:]))
		if fd >= 0 {
			list = append(list, Opening{int(fd), int(tid)})
		}
		buf = buf[length:]
	}
	return list, nil
}

// Allow lets the thread go on. The file stays open.
func (f *Fanotify) Allow(o Opening) error {
	var b [8]byte
	binary.NativeEndian.PutUint32(b[:], uint32(o.FD))
	binary.NativeEndian.PutUint32(b[4:], unix.FAN_ALLOW)
	_, err := unix.Write(f.fd, b[:])
	return os.NewSyscallError("answering fanotify", err)
}

// Wake ends Read.
func (f *Fanotify) Wake() error {
	_, err := unix.Write(f.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return os.NewSyscallError("eventfd", err)
}

// Close lets all through and frees the group. Nothing may be in Read.
func (f *Fanotify) Close() error { return errors.Join(unix.Close(f.fd), unix.Close(f.wake)) }

// OwnThread tells whether the thread is one of this process.
func OwnThread(tid int) bool { return tid > 0 && unix.Tgkill(os.Getpid(), tid, 0) == nil }
