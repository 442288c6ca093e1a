//go:build linux

// Package overlay finds the file that a file of an overlay file system really
// is: a uprobe is on that one, and so is seen through every overlay above it.
package overlay

import (
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// Layers are the directories of an overlay.
type Layers struct {
	Point string // where it is mounted
	Root  string // what of it is mounted there
	Upper string // empty: it is read only
	Lower []string
}

// Is tells whether a file is on an overlay file system.
func Is(f *os.File) (bool, error) {
	kind, err := unix.FileSystem(f)
	return kind == unix.OverlayFS, err
}

// Real opens (O_PATH) the file of a layer that f is. pids are processes whose
// mounts are asked besides ours; 0 and those that have ended are passed over. The
// layers must be where this process can find them.
func Real(f *os.File, pids ...int) (*os.File, error) {
	info, err := unix.Stat(f)
	if err != nil {
		return nil, err
	}
	layers, err := find(info.Mount, pids)
	if err != nil {
		return nil, err
	}
	was := ""
	for end := time.Now().Add(renaming); ; {
		name, err := os.Readlink(unix.FDPath(f))
		if err != nil {
			return nil, err
		}
		if name == was {
			time.Sleep(pace)
		}
		was = name
		inside := layers.inside(name)
		layer, err := layers.open(inside, f)
		if err == nil || strings.HasSuffix(name, deleted) || !layers.has(path.Dir(inside)) || time.Now().After(end) {
			return layer, err
		}
	}
}

const (
	// renaming bounds the time for which a file has its old name in the overlay
	// and the new one in the layer: ovl_rename does one after the other.
	renaming = 10 * time.Millisecond
	pace     = 100 * time.Microsecond
	deleted  = " (deleted)"
)

func find(mount uint64, pids []int) (*Layers, error) {
	if text, err := os.ReadFile("/proc/self/mountinfo"); err == nil {
		if l := parse(string(text), mount); l != nil {
			return l, nil
		}
	}
	for _, pid := range pids {
		text, err := os.ReadFile(fmt.Sprintf("/proc/%d/mountinfo", pid))
		if err != nil {
			continue
		}
		l := parse(string(text), mount)
		if l == nil {
			continue
		}
		// Its root need not be that of its mounts, which names of files begin at.
		root, err := os.Readlink(fmt.Sprintf("/proc/%d/root", pid))
		if err != nil {
			continue
		}
		l.Point = path.Join(root, l.Point)
		return l, nil
	}
	return nil, fmt.Errorf("the overlay mount %d is of another mount namespace", mount)
}

// parse finds a mount in a text of mountinfo.
func parse(text string, mount uint64) *Layers {
	for _, m := range unix.ParseMounts(text) {
		if m.ID != mount {
			continue
		}
		if m.Type != "overlay" {
			return nil
		}
		l := &Layers{Root: m.Root, Point: m.Point}
		for _, option := range m.Options {
			l.set(option)
		}
		l.complete(func(dir string) bool {
			info, err := os.Stat(dir)
			return err == nil && info.IsDir()
		})
		return l
	}
	return nil
}

func (l *Layers) set(option string) {
	name, value, _ := strings.Cut(option, "=")
	switch name {
	case "upperdir":
		l.Upper = strings.ReplaceAll(value, `\:`, ":")
	case "lowerdir":
		l.Lower = splitLower(value)
	case "lowerdir+":
		l.Lower = append(l.Lower, value)
	}
}

// complete finds the directory that names of lower layers are relative to: the
// working directory of whoever mounted them, which the kernel does not tell.
// Those who shorten names so keep their layers beside the upper one.
func (l *Layers) complete(exists func(dir string) bool) {
	there := func(base string) bool {
		for _, d := range l.Lower {
			if !path.IsAbs(d) && !exists(path.Join(base, d)) {
				return false
			}
		}
		return true
	}
	if !path.IsAbs(l.Upper) || there("/") {
		return
	}
	base := path.Dir(l.Upper)
	for !there(base) {
		if base == "/" {
			return
		}
		base = path.Dir(base)
	}
	for i, d := range l.Lower {
		if !path.IsAbs(d) {
			l.Lower[i] = path.Join(base, d)
		}
	}
}

// splitLower divides a list at colons; one that is part of a name has a
// backslash before it. What comes after an empty part holds data only.
func splitLower(list string) []string {
	var out []string
	var cur strings.Builder
	for i := 0; i < len(list); i++ {
		switch c := list[i]; {
		case c == '\\' && i+1 < len(list):
			i++
			cur.WriteByte(list[i])
		case c == ':':
			out = append(out, cur.String())
			cur.Reset()
		default:
			cur.WriteByte(c)
		}
	}
	out = append(out, cur.String())
	kept := out[:0]
	for _, d := range out {
		if d != "" {
			kept = append(kept, d)
		}
	}
	return kept
}

// inside is the path of a file in the overlay itself.
func (l *Layers) inside(name string) string {
	name = strings.TrimSuffix(name, deleted)
	if l.Point != "/" {
		name = strings.TrimPrefix(name, l.Point)
	}
	return path.Join("/", l.Root, name)
}

// dirs are the layers, that which hides the others first.
func (l *Layers) dirs() []string {
	if l.Upper == "" {
		return l.Lower
	}
	return append([]string{l.Upper}, l.Lower...)
}

// has tells whether a layer has a directory.
func (l *Layers) has(dir string) bool {
	for _, d := range l.dirs() {
		if info, err := os.Lstat(path.Join(d, dir)); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// open finds the layer that has the file, which an overlay shows with the size
// and the time of its layer.
func (l *Layers) open(name string, merged *os.File) (*os.File, error) {
	for _, d := range l.dirs() {
		f, err := unix.LookupPath(path.Join(d, name))
		if err != nil {
			continue
		}
		if shows(merged, f) && !unix.HasAttribute(f, "trusted.overlay.metacopy") {
			return f, nil
		}
		f.Close()
	}
	return nil, fmt.Errorf("%s: no layer of the overlay at %s has this file", name, l.Point)
}

// shows tells whether what an overlay shows may be a file of a layer. While that is
// being written it has been looked at in between.
func shows(merged, layer *os.File) bool {
	before, err := unix.Stat(layer)
	if err != nil || !before.Regular() {
		return false
	}
	between, err := unix.Stat(merged)
	if err != nil {
		return false
	}
	after, err := unix.Stat(layer)
	if err != nil {
		return false
	}
	if before.Size == after.Size && before.Written.Equal(after.Written) {
		return between.Size == after.Size && between.Written.Equal(after.Written)
	}
	return !between.Written.Before(before.Written) && !between.Written.After(after.Written)
}
