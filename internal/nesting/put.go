//go:build linux && (amd64 || arm64)

package nesting

import (
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/bpf"
)

// probe is a program, and once that is attached its link.
type probe struct {
	slot int
	prog *ebpf.Program
	link link.Link
}

// load loads a program for a hook.
func load(n *bpf.Nested, slot int, h hook.Hook, do Action) (*probe, error) {
	kind, how, to, err := loading(h)
	if err != nil {
		return nil, err
	}
	p, err := n.Load(slot, bpf.Action(do), kind, how, to)
	return &probe{slot: slot, prog: p}, err
}

// inner loads the program for an inner hook.
func inner(n *bpf.Nested, slot int, h hook.Hook, t *Trial) (*probe, error) {
	if t.Threads <= 1 {
		return load(n, slot, h, 0)
	}
	kind, how, to, err := loading(h)
	if err != nil {
		return nil, err
	}
	p, err := n.LoadWithin(slot, kind, how, to)
	return &probe{slot: slot, prog: p}, err
}

// loading is what a program must be loaded as for a hook.
func loading(h hook.Hook) (kind ebpf.ProgramType, how ebpf.AttachType, to string, err error) {
	switch h.Kind {
	case hook.Kprobe, hook.Kretprobe, hook.Uprobe, hook.Uretprobe:
		return ebpf.Kprobe, ebpf.AttachNone, "", nil
	case hook.KprobeMulti, hook.KretprobeMulti:
		return ebpf.Kprobe, ebpf.AttachTraceKprobeMulti, "", nil
	case hook.Tracepoint:
		return ebpf.TracePoint, ebpf.AttachNone, "", nil
	case hook.RawTracepoint:
		return ebpf.RawTracepoint, ebpf.AttachNone, "", nil
	case hook.Fentry:
		return ebpf.Tracing, ebpf.AttachTraceFEntry, h.Function, nil
	case hook.Fexit:
		return ebpf.Tracing, ebpf.AttachTraceFExit, h.Function, nil
	case hook.LSM:
		return ebpf.LSM, ebpf.AttachLSMMac, h.Function, nil
	}
	return 0, 0, "", fmt.Errorf("%s: hooks of this kind cannot be nested", h)
}

func attachTo(h hook.Hook, p *ebpf.Program) (link.Link, error) {
	switch h.Kind {
	case hook.Kprobe:
		return link.Kprobe(h.Function, p, nil)
	case hook.Kretprobe:
		return link.Kretprobe(h.Function, p, nil)
	case hook.KprobeMulti:
		return link.KprobeMulti(p, link.KprobeMultiOptions{Symbols: []string{h.Function}})
	case hook.KretprobeMulti:
		return link.KretprobeMulti(p, link.KprobeMultiOptions{Symbols: []string{h.Function}})
	case hook.Tracepoint:
		return link.Tracepoint(h.Module, h.Function, p, nil)
	case hook.RawTracepoint:
		return link.AttachRawTracepoint(link.RawTracepointOptions{Name: h.Function, Program: p})
	case hook.LSM:
		return link.AttachLSM(link.LSMOptions{Program: p})
	case hook.Uprobe, hook.Uretprobe:
		x, err := link.OpenExecutable(h.Target)
		if err != nil {
			return nil, err
		}
		if h.Kind == hook.Uretprobe {
			return x.Uretprobe("", p, &link.UprobeOptions{Address: h.Address})
		}
		return x.Uprobe("", p, &link.UprobeOptions{Address: h.Address})
	}
	return link.AttachTracing(link.TracingOptions{Program: p})
}

// read says what became of the probe.
func (p *probe) read(n *bpf.Nested, h hook.Hook) (Part, error) {
	part := Part{Hook: h}
	var err error
	if part.Ran, err = n.Count(p.slot); err != nil {
		return part, err
	}
	stats, err := p.prog.Stats()
	if err != nil {
		return part, fmt.Errorf("the counters of %s: %w", h, err)
	}
	part.Recursion = stats.RecursionMisses
	part.Missed = missed(p.link)
	return part, nil
}

func (p *probe) attached(n *bpf.Nested, h hook.Hook) (Attached, error) {
	part, err := p.read(n, h)
	if err != nil {
		return Attached{}, err
	}
	info, err := p.prog.Info()
	if err != nil {
		return Attached{}, err
	}
	id, _ := info.ID()
	return Attached{part, uint32(id)}, nil
}

// missed reads what a link says that it missed; nil if it says nothing.
func missed(l link.Link) *uint64 {
	info, err := l.Info()
	if err != nil {
		return nil // before Linux 5.15 what is behind a perf event is no link
	}
	if m := info.KprobeMulti(); m != nil {
		return &m.Missed
	}
	if e := info.PerfEvent(); e != nil {
		if k := e.Kprobe(); k != nil {
			return &k.Missed
		}
	}
	return nil
}
