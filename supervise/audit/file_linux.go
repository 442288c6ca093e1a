package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/running"
)

// file is what a probe's path leads to now.
type file struct {
	f    *os.File
	info unix.FileInfo
	err  error // why it cannot be looked at
}

func (a *auditor) open(p *Probe) *file {
	f := &file{}
	if p.File.Deleted && p.File.Open == "" {
		f.err = fs.ErrNotExist
		return f
	}
	f.f, f.err = unix.OpenRegular(cmp.Or(p.File.Open, p.File.Path))
	if f.err != nil {
		return f
	}
	if f.info, f.err = unix.Stat(f.f); f.err != nil {
		return f
	}
	for _, o := range p.Offsets {
		a.at[place{f.id(), o}]++
	}
	return f
}

func (f *file) close() {
	if f.f != nil {
		f.f.Close()
	}
}

func (f *file) ok() bool { return f.err == nil }

func (f *file) missing() bool { return errors.Is(f.err, fs.ErrNotExist) }

func (f *file) id() string { return fmt.Sprint(f.info.Dev, ":", f.info.Ino) }

// is tells whether a mapping is of the file. The device of a mapping is not
// always that of stat (btrfs, overlayfs): a file of the same number and path
// counts too.
func (f *file) is(m mapping) bool {
	return f.ok() && !m.deleted && m.inode == f.info.Ino && (m.device == f.info.Dev || m.path == f.f.Name())
}

// olderThan tells whether the file has been at its path since before a program
// was loaded, so that what it attached there is on this file: renaming a file
// and linking it change its time.
func (f *file) olderThan(p *running.Program) bool {
	boot, err := unix.SinceBoot()
	if err != nil || p == nil || p.Loaded == 0 {
		return false
	}
	if direct, err := filepath.EvalSymlinks(f.f.Name()); err != nil || direct != filepath.Clean(f.f.Name()) {
		return false // a link on the way may have been changed
	}
	return f.info.Changed.Before(time.Now().Add(p.Loaded - boot - clockSlack))
}

// clockSlack is more than the clock is set by at a time, and the grain of the
// times of files.
const clockSlack = time.Second

// breakpoints maps the file as a program would and tells at which of its
// offsets the kernel has put a breakpoint.
func (f *file) breakpoints(offsets []uint64) (there, missing []uint64, err error) {
	for _, o := range offsets {
		on, err := f.breakpoint(o)
		if err != nil {
			return nil, nil, err
		}
		if on {
			there = append(there, o)
		} else {
			missing = append(missing, o)
		}
	}
	return there, missing, nil
}

func (f *file) breakpoint(offset uint64) (bool, error) {
	if offset >= uint64(f.info.Size) {
		return false, nil
	}
	page := uint64(os.Getpagesize())
	low := offset &^ (page - 1)
	text, err := unix.MapText(f.f, int64(low), int(offset-low)+1)
	if err != nil {
		return false, err
	}
	defer unix.Unmap(text)
	got := make([]byte, len(unix.Breakpoint()))
	addr := uintptr(unsafe.Pointer(unsafe.SliceData(text))) + uintptr(offset-low)
	if err := unix.ReadOwn(got, addr); err != nil {
		return false, err
	}
	return f.trapped(offset, got)
}

// trapped tells whether what is in memory was put there by the kernel: a
// breakpoint, or the call that it makes of one. A file may have a breakpoint of its own.
func (f *file) trapped(offset uint64, got []byte) (bool, error) {
	was := make([]byte, len(got))
	if _, err := f.f.ReadAt(was, int64(offset)); err != nil {
		return false, err
	}
	return !bytes.Equal(was, got), nil
}
