package check

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// guard fills in what the kernel does with an inner hook that fires while the
// outer program runs. What guards there are is read from the kernel's own
// calls, not from its version.
func (m *member) guard(n *Nesting) error {
	switch n.Inner.Kind {
	case hook.Fentry, hook.Fexit, hook.RawTracepoint:
		n.Skipped = kernel.No // each is kept out of itself only
		return nil
	case hook.LSM:
		n.Skipped = kernel.No
		return nil
	}
	kprobes := probe(n.Inner.Kind)
	switch {
	case kprobes && probe(n.Outer.Kind):
		// kprobe_busy: the handler of another kprobe runs (kprobe_running).
		n.Skipped, n.Layer = kernel.Yes, AttachLayer
	case n.Inner.Kind == hook.Tracepoint && n.Outer.Kind == hook.Tracepoint:
		faultable, err := m.faultable(n.Outer)
		if err != nil {
			return err
		}
		// perf_trace_buf_alloc: one event at a time in each kind of context.
		n.Skipped, n.Layer, n.Counted = kernel.Is(!faultable), AttachLayer, kernel.No
		return nil
	default:
		busy, err := m.busy(n.Outer)
		if err != nil {
			return err
		}
		n.Skipped, n.Layer = busy, ProgramLayer
	}
	if n.Skipped != kernel.Yes {
		n.Layer = ""
		return nil
	}
	return m.counts(n)
}

// probe tells whether hooks of the kind are kprobes.
func probe(kind hook.Kind) bool {
	switch kind {
	case hook.Kprobe, hook.Kretprobe, hook.Ksyscall, hook.Kretsyscall:
		return true
	}
	return false
}

// busy tells whether the program of a hook keeps others of its CPU from
// running (bpf_prog_active).
func (m *member) busy(h hook.Hook) (kernel.Answer, error) {
	switch h.Kind {
	case hook.Fentry, hook.Fexit, hook.RawTracepoint, hook.LSM:
		return kernel.No, nil
	case hook.Tracepoint:
		faultable, err := m.faultable(h)
		return kernel.Is(!faultable), err
	case hook.Uprobe, hook.Uretprobe:
		// Until Linux 6.0 uprobes ran programs as kprobes do.
		for _, caller := range []string{"__uprobe_perf_func.isra.0", "__uprobe_perf_func", "__uprobe_perf_func.constprop.0"} {
			if yes, err := m.callsTo(caller, "trace_call_bpf"); err != nil || yes {
				return kernel.Is(yes), err
			}
		}
		return kernel.No, nil
	}
	return kernel.Yes, nil
}

// faultable tells whether a tracepoint is one of a system call on a kernel
// that runs those without any guard but their program's own.
func (m *member) faultable(h hook.Hook) (bool, error) {
	if h.Kind != hook.Tracepoint || h.Module != "syscalls" {
		return false, nil
	}
	_, ok, err := m.Symbol("trace_call_bpf_faultable")
	return ok, err
}

// callsTo tells whether a symbol calls a function directly.
func (m *member) callsTo(caller, callee string) (bool, error) {
	calls, err := m.Callees(caller)
	return slices.ContainsFunc(calls, func(c kernel.Call) bool {
		name, _, _ := strings.Cut(c.Callee, ".")
		return name == callee
	}), err
}

// counter is the function that counts what is skipped at the program.
const counter = "bpf_prog_inc_misses_counter"

// counts tells whether what is skipped is counted.
func (m *member) counts(n *Nesting) error {
	if n.Layer == AttachLayer {
		// bpf_get_perf_event_info hands out a kprobe's missed since Linux 6.7.
		f, ok, err := m.Function("bpf_get_perf_event_info")
		switch {
		case err != nil:
			return err
		case !ok || len(f.Protos) == 0:
			n.Why = "whether links tell what they missed is not known: no signature of bpf_get_perf_event_info"
			return nil
		}
		const withMissed = 7
		n.Counted = kernel.Is(len(f.Protos[0].Params) >= withMissed)
		return nil
	}
	callers, err := m.Callers(counter)
	if err != nil {
		return err
	}
	who := "trace_call_bpf"
	if n.Inner.Kind == hook.KprobeMulti || n.Inner.Kind == hook.KretprobeMulti {
		who = "kprobe_multi_link"
	}
	n.Counted = kernel.Is(slices.ContainsFunc(callers, func(c kernel.Call) bool { return strings.HasPrefix(c.Caller, who) }))
	return nil
}
