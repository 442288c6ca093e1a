//go:build linux

// Package mapped finds the processes that have files mapped or open.
package mapped

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/surehook/surehook/internal/unix"
)

// File is one that is looked for.
type File struct {
	ID   unix.FileID
	Base string // last part of its path
}

// Area is a mapping of a file.
type Area struct {
	Start, End uint64 // addresses in the process
	Offset     uint64 // of Start in the file
	Exec       bool
}

// User is a process that has a file mapped or open.
type User struct {
	PID   int
	Areas []Area
	Open  bool
}

// Runs tells whether the process can execute code of the file.
func (u User) Runs() bool {
	for _, a := range u.Areas {
		if a.Exec {
			return true
		}
	}
	return false
}

// Find looks through all processes but this one, and with open at what they
// have open too. The users of a file are those by its index.
//
// Whoever has opened a file before Find, and closes it only once it is mapped,
// is found: what is open is read before what is mapped.
func Find(files []File, open bool) ([][]User, error) {
	if len(files) == 0 {
		return nil, nil
	}
	pids, err := unix.Processes()
	if err != nil {
		return nil, err
	}
	return find(pids, files, open), nil
}

// find is Find among some processes.
func find(pids []int, files []File, open bool) [][]User {
	out := make([][]User, len(files))
	var buf bytes.Buffer
	self := os.Getpid()
	opened := make([]bool, len(files))
	for _, pid := range pids {
		if pid == self {
			continue
		}
		for i, f := range files {
			opened[i] = open && hasOpen(pid, f)
		}
		buf.Reset()
		if err := read(&buf, fmt.Sprintf("/proc/%d/maps", pid)); err != nil {
			continue // it has ended
		}
		for i, f := range files {
			u := User{PID: pid, Areas: areas(buf.Bytes(), f), Open: opened[i]}
			if len(u.Areas) > 0 || u.Open {
				out[i] = append(out[i], u)
			}
		}
	}
	return out
}

// Matching finds the files that processes can execute and whose path is as match
// wants it, each once, by a name that leads to it (below /proc/PID/map_files).
// Paths are those that the processes' maps have, also of what is deleted. In
// another mount namespace they begin at its root.
func Matching(match func(pid int, path string) bool) ([]string, error) {
	pids, err := unix.Processes()
	if err != nil {
		return nil, err
	}
	var out []string
	seen := map[string]bool{}
	var buf bytes.Buffer
	for _, pid := range pids {
		buf.Reset()
		if err := read(&buf, fmt.Sprintf("/proc/%d/maps", pid)); err != nil {
			continue // it has ended
		}
		for line := range bytes.Lines(buf.Bytes()) {
			start := bytes.IndexByte(line, '/')
			if start < 0 {
				continue
			}
			fields := strings.Fields(string(line[:start]))
			path := strings.TrimSuffix(strings.TrimSuffix(string(line[start:]), "\n"), " (deleted)")
			if len(fields) != 5 || !strings.Contains(fields[1], "x") || !match(pid, path) {
				continue
			}
			if id := fields[3] + " " + fields[4]; !seen[id] {
				seen[id] = true
				out = append(out, mapFile(pid, fields[0]))
			}
		}
	}
	return out, nil
}

// mapFile is the name of a mapped file; the kernel writes addresses there without
// the zeros that maps has in front.
func mapFile(pid int, area string) string {
	from, to, _ := strings.Cut(area, "-")
	trim := func(s string) string { return strings.TrimLeft(s[:len(s)-1], "0") + s[len(s)-1:] }
	return fmt.Sprintf("/proc/%d/map_files/%s-%s", pid, trim(from), trim(to))
}

// Of gives the mappings of a file in one process.
func Of(pid int, f File) []Area {
	var buf bytes.Buffer
	if err := read(&buf, fmt.Sprintf("/proc/%d/maps", pid)); err != nil {
		return nil
	}
	return areas(buf.Bytes(), f)
}

func read(buf *bytes.Buffer, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	_, err = io.Copy(buf, f)
	return err
}

// areas are the mappings of a file in a text of /proc/PID/maps:
// "start-end perms offset dev inode path".
//
// The device there is not always the one of stat (btrfs, overlayfs): a file of
// the same number and name counts too.
func areas(maps []byte, f File) []Area {
	number := []byte(" " + strconv.FormatUint(f.ID.Ino, 10) + " ")
	if !bytes.Contains(maps, number) {
		return nil
	}
	var list []Area
	for line := range bytes.Lines(maps) {
		if !bytes.Contains(line, number) {
			continue
		}
		fields := strings.Fields(string(line))
		if len(fields) < 6 || fields[4] != string(number[1:len(number)-1]) {
			continue
		}
		var major, minor uint32
		if n, _ := fmt.Sscanf(fields[3], "%x:%x", &major, &minor); n != 2 {
			continue
		}
		if unix.Device(major, minor) != f.ID.Dev && path.Base(fields[5]) != f.Base {
			continue
		}
		var a Area
		if n, _ := fmt.Sscanf(fields[0], "%x-%x", &a.Start, &a.End); n != 2 {
			continue
		}
		if n, _ := fmt.Sscanf(fields[2], "%x", &a.Offset); n != 1 {
			continue
		}
		a.Exec = strings.Contains(fields[1], "x")
		list = append(list, a)
	}
	return list
}

// hasOpen tells whether a process has a file of that name and number open.
func hasOpen(pid int, f File) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	d, err := os.Open(dir)
	if err != nil {
		return false
	}
	defer d.Close()
	names, err := d.Readdirnames(-1)
	if err != nil {
		return false
	}
	for _, n := range names {
		link := dir + "/" + n
		text, err := os.Readlink(link)
		if err != nil || path.Base(strings.TrimSuffix(text, " (deleted)")) != f.Base {
			continue
		}
		if id, err := unix.StatPath(link); err == nil && id == f.ID {
			return true
		}
	}
	return false
}
