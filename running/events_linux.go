package running

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/unix"
)

// errNotSupp is the kernel's ENOTSUPP, which is in no errno table: the event
// runs a program that does not trace, or a counter's.
const errNotSupp = syscall.Errno(524)

// events asks what the perf events of all processes run: programs that were
// attached by ioctl have no link.
func (r *reader) events() {
	for _, o := range r.holders.events {
		e, err := unix.TaskFD(o.PID, o.FD)
		switch {
		case err == nil:
			r.event(o, e)
		case errors.Is(err, syscall.ENOENT), errors.Is(err, syscall.EBADF), errors.Is(err, syscall.ESRCH):
			// it runs no program, or is gone
		case errors.Is(err, errNotSupp), errors.Is(err, syscall.EOPNOTSUPP), errors.Is(err, syscall.EINVAL):
			r.Unread = append(r.Unread, Unread{perfEventOf(o), "whether it runs a program the kernel does not tell of counters and timers"})
		default:
			r.Unread = append(r.Unread, Unread{perfEventOf(o), err.Error()})
		}
	}
}

func perfEventOf(o Owner) string {
	return fmt.Sprintf("perf event %d of process %d (%s)", o.FD, o.PID, o.Comm)
}

// event adds what a perf event runs, unless a link has told it.
func (r *reader) event(o Owner, e unix.FDEvent) {
	if r.Program(e.Program) == nil {
		return // loaded since
	}
	p, why := r.placeOf(o, e)
	for i := range r.Attachments {
		a := &r.Attachments[i]
		switch {
		case a.Program != e.Program || a.Mechanism != PerfLink && a.Mechanism != PerfIoctl:
		case a.Mechanism == PerfLink && len(a.Places) == 0 && slices.ContainsFunc(a.Owners, func(x Owner) bool { return x.PID == o.PID }):
			a.Places, a.NotKnown = nonEmpty(p, why) // before Linux 6.6 only the event tells
			return
		case slices.ContainsFunc(a.Places, func(q Place) bool { return same(q, p) }):
			if a.Mechanism == PerfIoctl && !slices.ContainsFunc(a.Owners, func(x Owner) bool { return x.PID == o.PID }) {
				a.Owners = append(a.Owners, o)
			}
			return
		}
	}
	a := Attachment{Program: e.Program, Mechanism: PerfIoctl, Owners: []Owner{o}, Missed: Counter{NotKnown: "a perf event without a link tells no counter"}}
	a.Places, a.NotKnown = nonEmpty(p, why)
	r.Attachments = append(r.Attachments, a)
}

// same compares what both a link and its perf event tell.
func same(a, b Place) bool {
	return a.Kind == b.Kind && a.Name == b.Name && a.Offset == b.Offset && a.File.Path == b.File.Path
}

func nonEmpty(p Place, why string) ([]Place, string) {
	if why != "" {
		return nil, why
	}
	return []Place{p}, ""
}

func (r *reader) placeOf(o Owner, e unix.FDEvent) (Place, string) {
	kinds := map[uint32]hook.Kind{
		unix.FDRawTracepoint: hook.RawTracepoint, unix.FDTracepoint: hook.Tracepoint, unix.FDKprobe: hook.Kprobe,
		unix.FDKretprobe: hook.Kretprobe, unix.FDUprobe: hook.Uprobe, unix.FDUretprobe: hook.Uretprobe,
	}
	p := Place{Kind: kinds[e.Kind], Name: e.Name, Offset: e.Offset, Address: e.Address}
	switch {
	case p.Kind == "":
		return p, fmt.Sprintf("perf events of kind %d are not known here", e.Kind)
	case p.Kind.User() && e.Name == "":
		return p, "the kernel does not tell the file"
	case p.Kind.User():
		p.Name, p.File = "", r.file(e.Name, []Owner{o})
	case p.Name == "" && p.Address == 0:
		return p, "the kernel hides the address; sysctl kernel.kptr_restrict=1 shows it to root"
	}
	return p, ""
}

// resolve gives names to places of the kernel that have only an address, by
// /proc/kallsyms.
func (r *reader) resolve() error {
	var nameless []*Place
	for i := range r.Attachments {
		for j := range r.Attachments[i].Places {
			if p := &r.Attachments[i].Places[j]; p.Address != 0 && p.Name == "" {
				nameless = append(nameless, p)
			}
		}
	}
	if len(nameless) == 0 {
		return nil
	}
	symbols, err := readSymbols(filepath.Join(r.proc, "kallsyms"))
	if err != nil {
		return err
	}
	for _, p := range nameless {
		i, _ := slices.BinarySearchFunc(symbols, p.Address+1, func(s symbol, at uint64) int {
			if s.address < at {
				return -1
			}
			return 1
		})
		if i > 0 && symbols[i-1].address != 0 {
			s := symbols[i-1]
			p.Name, p.Module, p.Offset = s.name, s.module, p.Address-s.address
			if p.Kind == hook.KprobeMulti || p.Kind == hook.KretprobeMulti {
				p.Offset = 0 // always the entry: ftrace's place may lie behind an endbr
			}
		}
	}
	return nil
}

type symbol struct {
	address      uint64
	name, module string
}

func readSymbols(path string) ([]symbol, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var out []symbol
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		part := strings.Fields(lines.Text())
		if len(part) < 3 || part[1] != "t" && part[1] != "T" && part[1] != "w" && part[1] != "W" {
			continue
		}
		address, err := strconv.ParseUint(part[0], 16, 64)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		s := symbol{address: address, name: part[2]}
		if len(part) > 3 {
			s.module = strings.Trim(part[3], "[]")
		}
		out = append(out, s)
	}
	slices.SortStableFunc(out, func(a, b symbol) int {
		switch {
		case a.address < b.address:
			return -1
		case a.address > b.address:
			return 1
		}
		return 0
	})
	return out, lines.Err()
}
