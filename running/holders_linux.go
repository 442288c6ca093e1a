package running

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
)

// object is a kind of thing that a file descriptor or a pin stands for.
type object uint8

const (
	program object = iota
	link
	event // a perf event; has no number
)

type held struct {
	kind object
	id   uint32
}

// holders are the processes that hold BPF objects.
type holders struct {
	by     map[held][]Owner
	events []Owner // one for each descriptor of a perf event
}

func (h *holders) of(kind object, id uint32) []Owner { return h.by[held{kind, id}] }

// hold looks through all processes' file descriptors. Processes that end
// meanwhile are passed over.
func (r *reader) hold() {
	r.holders = &holders{by: map[held][]Owner{}}
	entries, err := os.ReadDir(r.proc)
	if err != nil {
		r.Unread = append(r.Unread, Unread{r.proc, err.Error()})
		return
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		comm, _ := os.ReadFile(filepath.Join(r.proc, e.Name(), "comm")) // gone if the process is
		owner := Owner{PID: pid, Comm: strings.TrimSpace(string(comm))}
		if err := r.descriptors(owner); err != nil && !gone(err) {
			r.Unread = append(r.Unread, Unread{fmt.Sprintf("process %d (%s)", pid, owner.Comm), err.Error()})
		}
	}
}

// gone tells whether a process or descriptor ended while it was looked at.
func gone(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH)
}

func (r *reader) descriptors(o Owner) error {
	dir := filepath.Join(r.proc, strconv.Itoa(o.PID))
	list, err := os.ReadDir(filepath.Join(dir, "fd"))
	if err != nil {
		return err
	}
	for _, e := range list {
		name, err := os.Readlink(filepath.Join(dir, "fd", e.Name()))
		if err != nil {
			if gone(err) {
				continue
			}
			return err
		}
		if o.FD, err = strconv.Atoi(e.Name()); err != nil {
			return err
		}
		switch what := strings.TrimPrefix(name, "anon_inode:"); {
		case what == name:
		case what == "[perf_event]":
			r.holders.events = append(r.holders.events, o)
		case strings.HasPrefix(what, "bpf-prog"), strings.HasPrefix(what, "bpf_link"), strings.HasPrefix(what, "bpf-link"):
			h, err := fdInfo(filepath.Join(dir, "fdinfo", e.Name()))
			if err != nil && !gone(err) {
				return err
			}
			if h.id != 0 && !slices.ContainsFunc(r.holders.by[h], func(x Owner) bool { return x.PID == o.PID }) {
				r.holders.by[h] = append(r.holders.by[h], o)
			}
		}
	}
	return nil
}

// fdInfo reads which program or link a descriptor is: a link's has the
// numbers of both.
func fdInfo(path string) (held, error) {
	f, err := os.Open(path)
	if err != nil {
		return held{}, err
	}
	defer f.Close()
	var out held
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ":")
		kind := program
		switch key {
		case "prog_id":
		case "link_id":
			kind = link
		default:
			continue
		}
		if out.id != 0 && kind == program {
			continue
		}
		id, err := strconv.ParseUint(strings.TrimSpace(value), 10, 32)
		if err != nil {
			return held{}, fmt.Errorf("%s: %w", path, err)
		}
		out = held{kind, uint32(id)}
	}
	return out, lines.Err()
}
