package unix

import (
	"bytes"
	"encoding/binary"
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// Inotify tells of changes in directories.
type Inotify struct {
	fd, wake int
	mounts   int // 0: not asked for
}

// Change is one event of Inotify.
type Change struct {
	Watch    int    // as Add gave it
	Name     string // in the directory; empty: the directory itself
	Written  bool   // closed after writing
	Arrived  bool   // renamed to
	Overflow bool   // changes were lost
	Gone     bool   // the watch is no more
	Mounts   bool   // something was mounted or unmounted; there is no Watch
}

// OpenInotify makes an instance.
func OpenInotify() (*Inotify, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return nil, errors.Join(os.NewSyscallError("eventfd", err), unix.Close(fd))
	}
	return &Inotify{fd: fd, wake: wake}, nil
}

// Add watches the directory for names that come and go and, with files, for
// files that are written. A directory has one number, however often it is added.
func (n *Inotify) Add(dir *os.File, files bool) (watch int, err error) {
	mask := uint32(unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO |
		unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR | unix.IN_MASK_ADD)
	if files {
		mask |= unix.IN_CLOSE_WRITE | unix.IN_ATTRIB
	}
	watch, err = unix.InotifyAddWatch(n.fd, FDPath(dir), mask)
	return watch, os.NewSyscallError("inotify_add_watch", err)
}

// AddMounts tells also of changes of what is mounted in our mount namespace.
func (n *Inotify) AddMounts() error {
	// No os.File: the runtime would wait for it too, and each change is told of once.
	fd, err := unix.Open("/proc/self/mountinfo", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: "/proc/self/mountinfo", Err: err}
	}
	n.mounts = fd
	return nil
}

// Remove ends a watch. That it is gone is no error.
func (n *Inotify) Remove(watch int) error {
	_, err := unix.InotifyRmWatch(n.fd, uint32(watch))
	if errors.Is(err, unix.EINVAL) {
		return nil
	}
	return os.NewSyscallError("inotify_rm_watch", err)
}

// Read waits for changes. It returns os.ErrClosed after Wake.
func (n *Inotify) Read(buf []byte) ([]Change, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(n.fd), Events: unix.POLLIN}, {Fd: int32(n.wake), Events: unix.POLLIN}}
		if n.mounts != 0 {
			fds = append(fds, unix.PollFd{Fd: int32(n.mounts), Events: unix.POLLPRI})
		}
		if _, err := unix.Poll(fds, -1); err != nil && !errors.Is(err, unix.EINTR) {
			return nil, os.NewSyscallError("poll", err)
		}
		if fds[1].Revents != 0 {
			return nil, os.ErrClosed
		}
		if len(fds) > 2 && fds[2].Revents != 0 {
			// It is told of before it is done; reading waits for that.
			if _, err := unix.Pread(n.mounts, make([]byte, 1), 0); err != nil {
				return nil, os.NewSyscallError("reading mountinfo", err)
			}
			return []Change{{Mounts: true}}, nil
		}
		got, err := unix.Read(n.fd, buf)
		switch {
		case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return nil, os.NewSyscallError("reading inotify events", err)
		}
		return changes(buf[:got]), nil
	}
}

func changes(buf []byte) []Change {
	var list []Change
	for len(buf) >= unix.SizeofInotifyEvent {
		mask, length := binary.NativeEndian.Uint32(buf[4:]), int(binary.NativeEndian.Uint32(buf[12:]))
		end := unix.SizeofInotifyEvent + length
		if end > len(buf) {
			break
		}
		name, _, _ := bytes.Cut(buf[unix.SizeofInotifyEvent:end], []byte{0})
		list = append(list, Change{
			Watch: int(int32(binary.NativeEndian.Uint32(buf))), Name: string(name),
			Written: mask&unix.IN_CLOSE_WRITE != 0, Arrived: mask&unix.IN_MOVED_TO != 0,
			Overflow: mask&unix.IN_Q_OVERFLOW != 0, Gone: mask&unix.IN_IGNORED != 0,
		})
		buf = buf[end:]
	}
	return list
}

// Wake ends Read.
func (n *Inotify) Wake() error {
	_, err := unix.Write(n.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	return os.NewSyscallError("eventfd", err)
}

// Close frees the instance. Nothing may be in Read.
func (n *Inotify) Close() error {
	err := errors.Join(unix.Close(n.fd), unix.Close(n.wake))
	if n.mounts != 0 {
		err = errors.Join(err, unix.Close(n.mounts))
	}
	return err
}
