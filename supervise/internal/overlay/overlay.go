//go:build linux

// Package overlay finds the file that a file of an overlay file system really
// is: a uprobe is on that one, and so is seen through every overlay above it.
package overlay

import (
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"

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

// Real opens (O_PATH) the file of a layer that f is. pid is a process whose
// mounts are asked besides ours; 0: none. The layers must be where this
// process can find them.
func Real(f *os.File, pid int) (*os.File, error) {
	info, err := unix.Stat(f)
	if err != nil {
		return nil, err
	}
	layers, err := find(info.Mount, pid)
	if err != nil {
		return nil, err
	}
	name, err := os.Readlink(unix.FDPath(f))
	if err != nil {
		return nil, err
	}
	return layers.open(layers.inside(name), info)
}

func find(mount uint64, pid int) (*Layers, error) {
	files := []string{"/proc/self/mountinfo"}
	if pid != 0 {
		files = append(files, fmt.Sprintf("/proc/%d/mountinfo", pid))
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			continue
		}
		if l := parse(string(text), mount); l != nil {
			return l, nil
		}
	}
	return nil, fmt.Errorf("the overlay mount %d is of another mount namespace", mount)
}

// parse finds a mount in a text of mountinfo (proc_pid_mountinfo(5)).
func parse(text string, mount uint64) *Layers {
	id := strconv.FormatUint(mount, 10)
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) < 7 || fields[0] != id {
			continue
		}
		rest := fields[6:]
		for len(rest) > 0 && rest[0] != "-" { // optional fields
			rest = rest[1:]
		}
		if len(rest) < 4 || rest[1] != "overlay" {
			return nil
		}
		l := &Layers{Root: unescape(fields[3]), Point: unescape(fields[4])}
		for option := range strings.SplitSeq(rest[3], ",") {
			l.set(unescape(option))
		}
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

// unescape undoes the octal escapes of mountinfo (mangle_path).
func unescape(s string) string {
	if !strings.Contains(s, `\0`) && !strings.Contains(s, `\1`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+3 < len(s) {
			if n, err := strconv.ParseUint(s[i+1:i+4], 8, 8); err == nil {
				b.WriteByte(byte(n))
				i += 3
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// inside is the path of a file in the overlay itself.
func (l *Layers) inside(name string) string {
	name = strings.TrimSuffix(name, " (deleted)")
	if l.Point != "/" {
		name = strings.TrimPrefix(name, l.Point)
	}
	return path.Join("/", l.Root, name)
}

// open finds the layer that has the file.
func (l *Layers) open(name string, merged unix.FileInfo) (*os.File, error) {
	dirs := l.Lower
	if l.Upper != "" {
		dirs = append([]string{l.Upper}, dirs...)
	}
	for _, d := range dirs {
		f, err := unix.LookupPath(path.Join(d, name))
		if err != nil {
			continue
		}
		info, err := unix.Stat(f)
		if err == nil && info.Regular() && !unix.HasAttribute(f, "trusted.overlay.metacopy") {
			if info.Size == merged.Size && info.Written.Equal(merged.Written) {
				return f, nil
			}
		}
		f.Close()
	}
	return nil, fmt.Errorf("%s: no layer of the overlay at %s has this file", name, l.Point)
}
