//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/internal/bpf"
)

// mechanism is a way to attach breakpoints.
type mechanism interface {
	name() string
	// attach puts breaks on t, for the process pid alone if it is not 0. The
	// breakpoints that could not be are the faults; when there are any and
	// keep is not set, nothing stays attached. An error concerns no single
	// breakpoint, and leaves nothing attached either.
	attach(t *target, breaks []breakpoint, pid int, keep bool) ([]io.Closer, []fault, error)
	// perProcess tells whether pid works.
	perProcess() bool
}

// multi attaches by uprobe_multi links. Requires at least Linux 6.6,
// commit 89ae89f53d20 ("bpf: Add multi uprobe link").
type multi struct {
	prog   *ebpf.Program
	filter bool
}

func (multi) name() string       { return "uprobe_multi" }
func (m multi) perProcess() bool { return m.filter }

func (m multi) attach(t *target, breaks []breakpoint, pid int, keep bool) ([]io.Closer, []fault, error) {
	var links closers
	var faults []fault
	for _, part := range split(breaks) {
		ls, fs, err := m.search(t, part, pid, keep)
		links = append(links, ls...)
		faults = append(faults, fs...)
		if err != nil || len(faults) > 0 && !keep {
			return nil, faults, errors.Join(err, links.Close())
		}
	}
	return links, faults, nil
}

// search attaches breaks by one link. The kernel does not say which
// breakpoint it refuses: halves are tried until it is found. Without keep
// only the first is, and nothing stays.
func (m multi) search(t *target, breaks []breakpoint, pid int, keep bool) ([]io.Closer, []fault, error) {
	l, err := m.link(t, breaks, pid)
	if err == nil {
		return []io.Closer{l}, nil, nil
	}
	if general(err) {
		return nil, nil, err
	}
	if len(breaks) == 1 {
		return nil, []fault{{breaks[0], t.fault(breaks[0], explain(err), err)}}, nil
	}
	half := len(breaks) / 2
	a, faults, err := m.search(t, breaks[:half], pid, keep)
	links := closers(a)
	if err != nil || len(faults) > 0 && !keep {
		return nil, faults, errors.Join(err, links.Close())
	}
	b, more, err := m.search(t, breaks[half:], pid, keep)
	links = append(links, b...)
	faults = append(faults, more...)
	if err != nil || len(faults) > 0 && !keep {
		return nil, faults, errors.Join(err, links.Close())
	}
	return links, faults, nil
}

func (m multi) link(t *target, breaks []breakpoint, pid int) (io.Closer, error) {
	ex, err := link.OpenExecutable(t.name())
	if err != nil {
		return nil, err
	}
	opts := &link.UprobeMultiOptions{
		Addresses: make([]uint64, len(breaks)), // file offsets, for all its name
		Cookies:   make([]uint64, len(breaks)),
		PID:       uint32(pid),
	}
	for i, b := range breaks {
		opts.Addresses[i], opts.Cookies[i] = b.offset, b.cookie()
	}
	if breaks[0].ret {
		return ex.UretprobeMulti(nil, m.prog, opts)
	}
	return ex.UprobeMulti(nil, m.prog, opts)
}

// split parts breaks as links need it: entries and returns are different
// links.
func split(breaks []breakpoint) [][]breakpoint {
	var parts [2][]breakpoint
	for _, b := range breaks {
		i := 0
		if b.ret {
			i = 1
		}
		parts[i] = append(parts[i], b)
	}
	var out [][]breakpoint
	for _, p := range parts {
		if len(p) > 0 {
			out = append(out, p)
		}
	}
	return out
}

// perf attaches by perf events, one a breakpoint: Linux before 6.6. A process
// filter would be one of a thread (perf_event_open(2)), so it has none.
type perf struct {
	objs   *bpf.Objects
	cookie bool // bpf_get_attach_cookie exists, Linux 5.15
}

func (perf) name() string     { return "perf-event uprobes" }
func (perf) perProcess() bool { return false }

func (p perf) attach(t *target, breaks []breakpoint, _ int, keep bool) ([]io.Closer, []fault, error) {
	ex, err := link.OpenExecutable(t.name())
	if err != nil {
		return nil, nil, err
	}
	var links closers
	var faults []fault
	for _, b := range breaks {
		l, err := p.link(ex, b)
		switch {
		case err == nil:
			links = append(links, l)
			continue
		case general(err):
			return nil, nil, errors.Join(err, links.Close())
		}
		faults = append(faults, fault{b, t.fault(b, explain(err), err)})
		if !keep {
			return nil, faults, links.Close()
		}
	}
	return links, faults, nil
}

func (p perf) link(ex *link.Executable, b breakpoint) (io.Closer, error) {
	prog, opts := p.objs.Hit, &link.UprobeOptions{Address: b.offset}
	if p.cookie {
		opts.Cookie = b.cookie()
	} else {
		var err error
		if prog, err = p.objs.Fixed(b.cookie()); err != nil {
			return nil, err
		}
	}
	if b.ret {
		return ex.Uretprobe("", prog, opts)
	}
	return ex.Uprobe("", prog, opts)
}

// closers closes what it holds, one after the other: closing a perf event
// waits for a grace period (some 0.1 s) under a lock, so that closing them side
// by side gains nothing.
type closers []io.Closer

// Close closes all and joins their errors.
func (c closers) Close() error {
	var errs []error
	for _, l := range c {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
