package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"syscall"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/running"
)

// process is one with the executable mappings of files that it has.
type process struct {
	Process
	mappings []mapping
}

// mapping is an executable area of /proc/PID/maps.
type mapping struct {
	start, end uint64 // addresses in the process
	offset     uint64 // of start in the file
	device     uint64
	inode      uint64
	path       string // as seen from our root directory
	deleted    bool
}

// user is a process with its mappings of one file.
type user struct {
	Process
	mappings []mapping
}

// readProcesses looks at all processes but this one. Those that end meanwhile
// are left out; those that may not be looked at are told.
func readProcesses() (out []process, unread []running.Unread, err error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		maps, err := os.ReadFile(path.Join("/proc", e.Name(), "maps"))
		if errors.Is(err, fs.ErrPermission) {
			unread = append(unread, running.Unread{What: fmt.Sprintf("files that process %d runs", pid), Reason: err.Error()})
			continue
		}
		if err != nil || len(maps) == 0 {
			continue // it has ended, or is a kernel thread
		}
		comm, _ := os.ReadFile(path.Join("/proc", e.Name(), "comm"))
		out = append(out, process{Process{pid, strings.TrimSpace(string(comm))}, parseMaps(maps)})
	}
	return out, unread, nil
}

// parseMaps reads the executable mappings of files: "start-end perms offset
// dev inode path".
func parseMaps(text []byte) []mapping {
	var out []mapping
	for line := range bytes.Lines(text) {
		m, ok := parseMapping(strings.TrimSuffix(string(line), "\n"))
		if ok {
			out = append(out, m)
		}
	}
	return out
}

func parseMapping(line string) (m mapping, ok bool) {
	fields := strings.SplitN(line, " ", 6)
	if len(fields) < 6 || !strings.Contains(fields[1], "x") {
		return m, false
	}
	from, to, _ := strings.Cut(fields[0], "-")
	major, minor, _ := strings.Cut(fields[3], ":")
	var err error
	number := func(text string, base, bits int) uint64 {
		v, e := strconv.ParseUint(text, base, bits)
		err = errors.Join(err, e)
		return v
	}
	m = mapping{
		start: number(from, 16, 64), end: number(to, 16, 64), offset: number(fields[2], 16, 64), inode: number(fields[4], 10, 64),
		device: unix.Device(uint32(number(major, 16, 32)), uint32(number(minor, 16, 32))),
	}
	m.path, m.deleted = strings.CutSuffix(strings.TrimLeft(fields[5], " "), " (deleted)")
	return m, err == nil && m.inode != 0 && strings.HasPrefix(m.path, "/")
}

// lacks gives the file offsets that the process maps and where its memory is as
// the file is.
func (u user) lacks(f *file, offsets []uint64) ([]uint64, error) {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", u.PID))
	if err != nil {
		return nil, err
	}
	defer mem.Close()
	var out []uint64
	got := make([]byte, len(unix.Breakpoint()))
	for _, off := range offsets {
		for _, m := range u.mappings {
			if off < m.offset || off-m.offset >= m.end-m.start {
				continue
			}
			if _, err := mem.ReadAt(got, int64(m.start+off-m.offset)); err != nil {
				if errors.Is(err, syscall.EIO) || errors.Is(err, syscall.ESRCH) {
					continue // it has ended, or the page is gone
				}
				return nil, err
			}
			switch on, err := f.trapped(off, got); {
			case err != nil:
				return nil, err
			case !on:
				out = append(out, off)
			}
		}
	}
	return out, nil
}
