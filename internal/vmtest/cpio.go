package vmtest

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"
)

// The kinds of entries, as in st_mode (Documentation/driver-api/early-userspace/buffer-format.rst).
const (
	cpioDir  = 0o040000
	cpioFile = 0o100000
	cpioLink = 0o120000
	cpioChar = 0o020000
)

// archive writes an initramfs in the "newc" form.
type archive struct {
	w    *bufio.Writer
	n    int // bytes written
	ino  int
	dirs map[string]bool
}

// writeInitramfs writes the files and the directories that they lie in, and
// the console, which the kernel opens before init has mounted /dev.
func writeInitramfs(w io.Writer, files []File) error {
	a := &archive{w: bufio.NewWriter(w), dirs: map[string]bool{"/": true, "": true}}
	for _, d := range []string{"/proc", "/sys", "/dev", "/tmp"} {
		if err := a.dir(d); err != nil {
			return err
		}
	}
	if err := a.entry("/dev/console", cpioChar|0o600, nil, 5, 1); err != nil {
		return err
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b File) int { return cmp.Compare(a.Name, b.Name) })
	for _, f := range files {
		if err := a.file(f); err != nil {
			return fmt.Errorf("initramfs: %s: %w", f.Name, err)
		}
	}
	if err := a.entry("/TRAILER!!!", 0, nil, 0, 0); err != nil {
		return err
	}
	return a.w.Flush()
}

func (a *archive) dir(name string) error {
	if a.dirs[name] {
		return nil
	}
	a.dirs[name] = true
	if err := a.dir(path.Dir(name)); err != nil {
		return err
	}
	return a.entry(name, cpioDir|0o755, nil, 0, 0)
}

func (a *archive) file(f File) error {
	if err := a.dir(path.Dir(f.Name)); err != nil {
		return err
	}
	if f.Link != "" {
		return a.entry(f.Name, cpioLink|0o777, []byte(f.Link), 0, 0)
	}
	data := f.Data
	if f.From != "" {
		var err error
		if data, err = os.ReadFile(f.From); err != nil {
			return err
		}
	}
	return a.entry(f.Name, cpioFile|int(cmp.Or(f.Mode.Perm(), 0o755)), data, 0, 0)
}

// entry writes one entry; major and minor are those of a device.
func (a *archive) entry(name string, mode int, data []byte, major, minor int) error {
	name = strings.TrimPrefix(name, "/")
	a.ino++
	// ino, mode, uid, gid, nlink, mtime, filesize, devmajor, devminor,
	// rdevmajor, rdevminor, namesize, check
	head := "070701"
	for _, v := range []int{a.ino, mode, 0, 0, 1, 0, len(data), 0, 0, major, minor, len(name) + 1, 0} {
		head += fmt.Sprintf("%08X", v)
	}
	if err := a.write([]byte(head + name + "\x00")); err != nil {
		return err
	}
	return a.write(data)
}

// write pads to 4 bytes.
func (a *archive) write(data []byte) error {
	n, err := a.w.Write(data)
	a.n += n
	for err == nil && a.n%4 != 0 {
		err = a.w.WriteByte(0)
		a.n++
	}
	return err
}
