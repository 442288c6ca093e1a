package unix

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// FDPath is a path to an open file itself.
func FDPath(f *os.File) string { return fmt.Sprintf("/proc/self/fd/%d", f.Fd()) }

// FileID tells files apart while they are held open.
type FileID struct{ Dev, Ino uint64 }

// FileInfo is what statx says of a file.
type FileInfo struct {
	FileID
	Mode    uint32 // as in st_mode
	Links   uint32
	Size    uint64
	Changed time.Time // ctime
	Written time.Time // mtime
	Mount   uint64    // as in mountinfo; 0: not known (before Linux 5.8)
}

// Regular tells whether it is a regular file.
func (i FileInfo) Regular() bool { return i.Mode&unix.S_IFMT == unix.S_IFREG }

// Dir tells whether it is a directory.
func (i FileInfo) Dir() bool { return i.Mode&unix.S_IFMT == unix.S_IFDIR }

// Link tells whether it is a symbolic link.
func (i FileInfo) Link() bool { return i.Mode&unix.S_IFMT == unix.S_IFLNK }

// Stat asks for an open file.
func Stat(f *os.File) (FileInfo, error) {
	var s unix.Statx_t
	err := unix.Statx(int(f.Fd()), "", unix.AT_EMPTY_PATH, unix.STATX_BASIC_STATS|unix.STATX_MNT_ID, &s)
	if err != nil {
		return FileInfo{}, os.NewSyscallError("statx", err)
	}
	at := func(t unix.StatxTimestamp) time.Time { return time.Unix(t.Sec, int64(t.Nsec)) }
	info := FileInfo{
		FileID: FileID{unix.Mkdev(s.Dev_major, s.Dev_minor), s.Ino}, Mode: uint32(s.Mode), Links: s.Nlink, Size: s.Size,
		Changed: at(s.Ctime), Written: at(s.Mtime),
	}
	if s.Mask&unix.STATX_MNT_ID != 0 {
		info.Mount = s.Mnt_id
	}
	return info, nil
}

// OpenRoot opens the root directory to look things up from.
func OpenRoot() (*os.File, error) { return openat(unix.AT_FDCWD, "/", unix.O_DIRECTORY) }

// Lookup opens a name in a directory to look at, which is no open for whoever
// watches: a symbolic link itself, or with follow what it leads to.
func Lookup(dir *os.File, name string, follow bool) (*os.File, error) {
	flags := unix.O_NOFOLLOW
	if follow {
		flags = 0
	}
	return openat(int(dir.Fd()), name, flags)
}

func openat(dir int, name string, flags int) (*os.File, error) {
	for {
		fd, err := unix.Openat(dir, name, unix.O_PATH|unix.O_CLOEXEC|flags, 0)
		if err == nil {
			return os.NewFile(uintptr(fd), name), nil
		}
		if err != unix.EINTR {
			return nil, &os.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

// LinkText is what a symbolic link of Lookup says.
func LinkText(link *os.File) (string, error) {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(int(link.Fd()), "", buf)
	if err != nil {
		return "", os.NewSyscallError("readlinkat", err)
	}
	return string(buf[:n]), nil
}

// OpenText opens for reading what Lookup gave, through a mount of our own where
// that is possible: then the file's own mount can be unmounted while it is
// open or probed. It needs CAP_SYS_ADMIN and Linux 5.2 for that. pid is a process
// that sees the file in its mount namespace; 0: only we do. The root
// directory's mount is nobody's to unmount, and a file opened there keeps its
// path in what the kernel tells of probes.
func OpenText(f *os.File, pid int) (text *os.File, neutral bool, err error) {
	path := FDPath(f)
	if onRoot(f) {
		text, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
		return text, true, err
	}
	tree, err := cloneMount(f, pid)
	if err == nil {
		defer unix.Close(tree)
		path, neutral = fmt.Sprintf("/proc/self/fd/%d", tree), true
	}
	// Without O_NONBLOCK a named pipe would hold us up for ever.
	text, err = os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	return text, neutral, err
}

// OpenRegular opens a file for reading; what is no regular file is refused.
func OpenRegular(path string) (*os.File, error) {
	// Without O_NONBLOCK a named pipe would hold us up for ever.
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := Stat(f)
	if err == nil && !info.Regular() {
		err = &os.PathError{Op: "open", Path: path, Err: errors.New("not a regular file")}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// onRoot tells whether a file is on the mount of our root directory.
func onRoot(f *os.File) bool {
	info, err := Stat(f)
	if err != nil || info.Mount == 0 {
		return false
	}
	root, err := OpenRoot()
	if err != nil {
		return false
	}
	defer root.Close()
	at, err := Stat(root)
	return err == nil && at.Mount == info.Mount
}

// The file systems that behave differently (magic.h).
const (
	ProcFS    = unix.PROC_SUPER_MAGIC
	OverlayFS = unix.OVERLAYFS_SUPER_MAGIC
)

// FileSystem gives the kind of file system a file is on.
func FileSystem(f *os.File) (int64, error) {
	var s unix.Statfs_t
	if err := unix.Fstatfs(int(f.Fd()), &s); err != nil {
		return 0, os.NewSyscallError("fstatfs", err)
	}
	return int64(s.Type), nil
}

// Device makes a device number as FileID has it.
func Device(major, minor uint32) uint64 { return unix.Mkdev(major, minor) }

// StatPath gives the identity of what a path leads to.
func StatPath(path string) (FileID, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return FileID{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return FileID{uint64(s.Dev), s.Ino}, nil
}

// Changed gives the time at which what a path leads to was last changed, also its
// name (ctime).
func Changed(path string) (time.Time, error) {
	var s unix.Stat_t
	if err := unix.Stat(path, &s); err != nil {
		return time.Time{}, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	return time.Unix(s.Ctim.Unix()), nil
}

// LookupPath opens a path to look at (O_PATH).
func LookupPath(path string) (*os.File, error) { return openat(unix.AT_FDCWD, path, unix.O_NOFOLLOW) }

// HasAttribute tells whether a file has an extended attribute.
func HasAttribute(f *os.File, name string) bool {
	n, err := unix.Getxattr(FDPath(f), name, nil)
	return err == nil && n >= 0
}

// MemoryFile makes a file of so many zeros that is in no directory.
func MemoryFile(name string, size int) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("memfd_create", err)
	}
	f := os.NewFile(uintptr(fd), name)
	if err := f.Truncate(int64(size)); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// tries bounds how often openat2 begins anew because somebody moves directories
// (EAGAIN).
const tries = 16

// LookupInRoot opens what a path leads to for those who have a root directory,
// to look at (O_PATH): absolute links begin there. Since Linux 5.6.
func LookupInRoot(root *os.File, path string) (*os.File, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT}
	var err error
	for range tries {
		var fd int
		if fd, err = unix.Openat2(int(root.Fd()), path, &how); err == nil {
			return os.NewFile(uintptr(fd), path), nil
		}
		if err != unix.EINTR && err != unix.EAGAIN {
			break
		}
	}
	return nil, &os.PathError{Op: "openat2", Path: path, Err: err}
}

// FollowPath opens what a path leads to, to look at (O_PATH).
func FollowPath(path string) (*os.File, error) { return openat(unix.AT_FDCWD, path, 0) }
