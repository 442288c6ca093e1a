//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"syscall"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/features"
	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/internal/bpf"
)

// inKernel attaches what is in the kernel: each breakpoint by the first of its
// ways that the kernel takes.
type inKernel struct {
	kprobes
	multi *ebpf.Program  // for kprobe_multi links; nil: the kernel has none
	taken map[string]int // breakpoints by the name of what they are attached by
}

// maxFentry is how many functions are attached by fentry where one
// kprobe_multi link could have all: each takes a program of its own, 2 ms.
const maxFentry = 16

func newInKernel(objs *bpf.Objects, can abilities, l *layout) (*inKernel, error) {
	p := &inKernel{kprobes: kprobes{objs: objs, cookie: can.cookie}, taken: map[string]int{}}
	wants := func(b breakpoint) bool { return b.ways.has(ByKprobeMulti) }
	if !can.cookie || !slices.ContainsFunc(l.breaks, func(of []breakpoint) bool { return slices.ContainsFunc(of, wants) }) {
		return p, nil
	}
	switch err := lifting(features.HaveBPFLinkKprobeMulti); {
	case errors.Is(err, ebpf.ErrNotSupported):
		return p, nil
	case err != nil:
		return nil, fmt.Errorf("asking the kernel for kprobe_multi: %w", err)
	}
	return p, lifting(func() (err error) {
		p.multi, err = objs.Multi()
		return err
	})
}

func (p *inKernel) name() string {
	var parts []string
	for what, n := range p.taken {
		parts = append(parts, fmt.Sprintf("%d %s", n, what))
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}

func (*inKernel) perProcess() bool { return false }

func (p *inKernel) attach(t *target, breaks []breakpoint, _ int, keep bool) ([]io.Closer, []fault, error) {
	many, rest := p.crowd(breaks)
	var links closers
	var faults []fault
	for _, part := range parts(many) {
		ls, refused, err := halve(part, true, p.linkMulti, func(b breakpoint, err error) fault { return fault{b: b} })
		links = append(links, ls...)
		if err != nil {
			return nil, nil, errors.Join(err, links.Close())
		}
		p.taken[ByKprobeMulti.name(part[0].ret)] += len(part) - len(refused)
		for _, f := range refused { // the next way may do
			rest = append(rest, f.b)
		}
	}
	for _, b := range rest {
		l, why, err := p.one(b)
		switch {
		case err == nil:
			links = append(links, l)
			continue
		case exhausted(err):
			return nil, nil, errors.Join(err, links.Close())
		}
		if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
			err = fmt.Errorf("%w: %w", ErrNotPermitted, err)
		}
		faults = append(faults, fault{b, t.fault(b, why, err)})
		if !keep {
			return nil, faults, links.Close()
		}
	}
	return links, faults, nil
}

// exhausted tells whether err is of this machine and not of one breakpoint.
func exhausted(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) || errors.Is(err, syscall.ENOMEM)
}

// crowd takes out the breakpoints that one link is to have together.
func (p *inKernel) crowd(breaks []breakpoint) (many, rest []breakpoint) {
	if p.multi == nil {
		return nil, breaks
	}
	could := 0
	for _, b := range breaks {
		if b.ways.has(ByKprobeMulti) {
			could++
		}
	}
	for _, b := range breaks {
		if b.ways.has(ByKprobeMulti) && (could > maxFentry || b.ways[0] == ByKprobeMulti) {
			many = append(many, b)
		} else {
			rest = append(rest, b)
		}
	}
	return many, rest
}

// parts parts breakpoints as kprobe_multi links need it: entries and returns,
// names and addresses.
func parts(breaks []breakpoint) [][]breakpoint {
	var out [][]breakpoint
	for _, byName := range []bool{true, false} {
		named := slices.DeleteFunc(slices.Clone(breaks), func(b breakpoint) bool { return (b.address == 0) != byName })
		out = append(out, split(named)...)
	}
	return out
}

func (p *inKernel) linkMulti(breaks []breakpoint) (io.Closer, error) {
	var opts link.KprobeMultiOptions
	for _, b := range breaks {
		if b.address != 0 {
			opts.Addresses = append(opts.Addresses, uintptr(b.address))
		} else {
			opts.Symbols = append(opts.Symbols, b.symbol)
		}
		opts.Cookies = append(opts.Cookies, b.cookie())
	}
	put := link.KprobeMulti
	if breaks[0].ret {
		put = link.KretprobeMulti
	}
	l, err := put(p.multi, opts)
	if err != nil && !exhausted(err) && !errors.Is(err, syscall.EPERM) {
		// A name that is not there is one that another way may take; it must
		// not pass for an error of all.
		return nil, fmt.Errorf("kprobe_multi: %s", err.Error())
	}
	return l, err
}

// one attaches a breakpoint. The error is that of the last way, why has all.
func (p *inKernel) one(b breakpoint) (l io.Closer, why string, err error) {
	var said []string
	err = fmt.Errorf("%w: this kernel has no kprobe_multi links (CONFIG_FPROBE)", ErrNotSupported)
	for _, way := range orKprobe(b.ways) {
		if way == NoWay || way == ByKprobeMulti && p.multi == nil {
			continue
		}
		err = lifting(func() (err error) {
			l, err = p.by(way, b)
			return err
		})
		if err == nil {
			p.taken[way.name(b.ret)]++
			return l, "", nil
		}
		why := explainWay(way, b, err)
		if len(said) > 0 {
			why = "nor by a " + way.name(b.ret) + ": " + why
		}
		said = append(said, why)
	}
	if said == nil {
		said = append(said, err.Error())
	}
	return nil, strings.Join(said, "; "), err
}

// orKprobe is the zero value of Ways in words.
func orKprobe(w Ways) Ways {
	if w == (Ways{}) {
		return Ways{ByKprobe}
	}
	return w
}

// by attaches a breakpoint in one way.
func (p *inKernel) by(way Way, b breakpoint) (io.Closer, error) {
	kind, how := ebpf.Tracing, ebpf.AttachTraceFEntry
	switch way {
	case ByKprobe:
		return p.link(b)
	case ByKprobeMulti:
		return p.linkMulti([]breakpoint{b})
	case ByFentry:
		if b.ret {
			how = ebpf.AttachTraceFExit
		}
	case ByTracepoint:
		kind, how = ebpf.TracePoint, ebpf.AttachNone
	case ByRawTracepoint:
		kind, how = ebpf.RawTracepoint, ebpf.AttachNone
	case ByLSM:
		kind, how = ebpf.LSM, ebpf.AttachLSMMac
	}
	to := ""
	if kind == ebpf.Tracing || kind == ebpf.LSM {
		to = b.symbol
	}
	prog, err := p.objs.Fired(b.cookie(), kind, how, to)
	if err != nil {
		return nil, err
	}
	switch way {
	case ByTracepoint:
		system, name, _ := strings.Cut(b.symbol, ":")
		return link.Tracepoint(system, name, prog, nil)
	case ByRawTracepoint:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: b.symbol, Program: prog})
	case ByLSM:
		return link.AttachLSM(link.LSMOptions{Program: prog})
	}
	return link.AttachTracing(link.TracingOptions{Program: prog})
}
