//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"io"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
)

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

// search attaches breaks by one link, or by several if some are refused.
func (m multi) search(t *target, breaks []breakpoint, pid int, keep bool) ([]io.Closer, []fault, error) {
	link := func(part []breakpoint) (io.Closer, error) { return m.link(t, part, pid) }
	refused := func(b breakpoint, err error) fault { return fault{b, t.fault(b, explain(err), err)} }
	return halve(breaks, keep, link, refused)
}

// halve attaches breaks by one link. The kernel does not say which breakpoint
// it refuses: halves are tried until it is found. Without keep only the first
// is, and nothing stays.
func halve(breaks []breakpoint, keep bool, link func([]breakpoint) (io.Closer, error), refused func(breakpoint, error) fault) ([]io.Closer, []fault, error) {
	l, err := link(breaks)
	if err == nil {
		return []io.Closer{l}, nil, nil
	}
	if general(err) {
		return nil, nil, err
	}
	if len(breaks) == 1 {
		return nil, []fault{refused(breaks[0], err)}, nil
	}
	var links closers
	var faults []fault
	for _, part := range [][]breakpoint{breaks[:len(breaks)/2], breaks[len(breaks)/2:]} {
		ls, fs, err := halve(part, keep, link, refused)
		links, faults = append(links, ls...), append(faults, fs...)
		if err != nil || len(faults) > 0 && !keep {
			return nil, faults, errors.Join(err, links.Close())
		}
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
