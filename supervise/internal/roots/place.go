//go:build linux

package roots

import (
	"os"
	"path"
	"strconv"

	"github.com/surehook/surehook/internal/unix"
)

// Place is where a path leads: the directory that it names, and the file that
// processes get.
type Place struct{ Dir, File unix.FileID }

// Finder finds places in one root. It is short-lived: what it has found of
// directories it does not ask again.
type Finder struct {
	root *os.File
	dirs map[string]unix.FileID
}

// In finds places in the root of a process; Close it.
func In(pid int) (*Finder, error) { return in(strconv.Itoa(pid)) }

// Here finds places in the root of this one; Close it.
func Here() (*Finder, error) { return in("self") }

func in(pid string) (*Finder, error) {
	root, err := unix.FollowPath("/proc/" + pid + "/root")
	if err != nil {
		return nil, err
	}
	return &Finder{root, map[string]unix.FileID{}}, nil
}

// Close frees it.
func (f *Finder) Close() error { return f.root.Close() }

// Find follows an absolute path as the processes of the root do. ok is false if
// there is no file.
func (f *Finder) Find(name string) (p Place, ok bool) {
	file, err := f.stat(name)
	if err != nil || !file.Regular() {
		return p, false
	}
	dir, known := f.dirs[path.Dir(name)]
	if !known {
		info, err := f.stat(path.Dir(name))
		if err != nil {
			return p, false
		}
		dir = info.FileID
		f.dirs[path.Dir(name)] = dir
	}
	return Place{dir, file.FileID}, true
}

func (f *Finder) stat(name string) (unix.FileInfo, error) {
	x, err := unix.LookupInRoot(f.root, name)
	if err != nil {
		return unix.FileInfo{}, err
	}
	defer x.Close()
	return unix.Stat(x)
}
