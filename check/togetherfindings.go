package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Starving gives the findings about hooks that are attached together: one for
// each two hooks and kernel at most, about the one that is skipped.
func (f *Fleet) Starving(parts []Part) ([]Finding, error) {
	list, err := f.Together(parts)
	if err != nil {
		return nil, err
	}
	var out []Finding
	for i := range list {
		n := &list[i]
		m := f.asked[slices.IndexFunc(f.asked, func(m *member) bool { return m.id.Name == n.Kernel })]
		inner := parts[slices.IndexFunc(parts, func(p Part) bool { return p.Hook == n.Inner })]
		found, err := m.starving(n, inner.Calls)
		if err != nil {
			return nil, fmt.Errorf("kernel %s: %w", n.Kernel, err)
		}
		out = append(out, found...)
	}
	return out, nil
}

// starving makes findings of one nesting.
func (m *member) starving(n *Nesting, calls []string) ([]Finding, error) {
	var out []Finding
	still, err := m.standstill(n, calls)
	if err != nil {
		return nil, err
	}
	if still {
		out = append(out, m.about(n, SH604, fmt.Sprintf("%s fires inside of bpf_trace_printk, which holds a lock here, and its program calls bpf_trace_printk", n.Inner)))
	}
	switch {
	case n.Fires == kernel.Yes && n.Skipped == kernel.Yes && n.Made != kernel.Sometimes && !n.Assumed:
		out = append(out, m.about(n, SH601, starved(n)))
	case n.Fires == kernel.Yes && n.Skipped == kernel.Yes:
		out = append(out, m.about(n, SH602, maybe(n)))
	default:
		path, err := m.interrupted(n)
		if err != nil {
			return nil, err
		}
		if path == nil {
			break
		}
		f := m.about(n, SH603, fmt.Sprintf("%s fires in interrupts, which are not seen while the program of %s runs", n.Inner, n.Outer))
		f.Evidence = []string{"in an interrupt: " + strings.Join(path, " calls ")}
		out = append(out, f)
	}
	for i := range out {
		if out[i].Remedy, err = m.wayOut(n, out[i].Rule); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// starved says when the inner hook is skipped.
func starved(n *Nesting) string {
	text := fmt.Sprintf("%s is skipped when the program of %s calls %s", n.Inner, n.Outer, n.Helper)
	if n.Condition != "" {
		text += ", " + n.Condition
	}
	return text + ", and " + whetherCounted(n)
}

// maybe says on what it depends whether the inner hook is skipped.
func maybe(n *Nesting) string {
	text := fmt.Sprintf("%s may be skipped when the program of %s calls %s", n.Inner, n.Outer, n.Helper)
	if n.Assumed {
		text = fmt.Sprintf("%s may be skipped while the program of %s runs, if that calls %s", n.Inner, n.Outer, n.Helper)
	}
	if n.Unlikely {
		text += ", seldom"
	}
	if n.Condition != "" {
		text += ": " + n.Condition
	}
	return text + "; " + whetherCounted(n)
}

// about makes a finding.
func (m *member) about(n *Nesting, code Code, text string) Finding {
	rule, _ := Find(string(code))
	f := Finding{Rule: code, Severity: rule.Severity, Hook: n.Inner, Function: n.Inner.Function, Kernel: n.Kernel, Message: text}
	if len(n.Path) > 0 {
		f.Evidence = append(f.Evidence, strings.Join(n.Path, " calls "))
	}
	switch n.Layer {
	case AttachLayer:
		f.Evidence = append(f.Evidence, "skipped before the program: hooks of these kinds do not fire inside of each other")
	case ProgramLayer:
		f.Evidence = append(f.Evidence, "skipped at the program: another one runs on the CPU (bpf_prog_active)")
	}
	return f
}

// whetherCounted says whether the kernel counts what it skips.
func whetherCounted(n *Nesting) string {
	switch n.Counted {
	case kernel.Yes:
		return "the kernel counts it"
	case kernel.No:
		return "the kernel does not count it"
	}
	return "whether the kernel counts it is not known"
}

// standstill tells whether the inner program waits for a lock that the outer
// one's helper holds.
func (m *member) standstill(n *Nesting, calls []string) (bool, error) {
	if n.Fires != kernel.Yes || n.Skipped == kernel.Yes || n.Helper != printHelper || !slices.Contains(calls, printHelper) {
		return false, nil
	}
	for _, holder := range []string{printHelper, "bpf_do_trace_printk"} {
		if yes, err := m.callsTo(holder, "_raw_spin_lock_irqsave"); err != nil || yes {
			return yes, err
		}
	}
	return false, nil
}

const printHelper = "bpf_trace_printk"

// interrupts are functions that run in interrupts; what calls them does so by
// pointers.
func interrupts() []string {
	return []string{
		"hrtimer_interrupt", "__sysvec_apic_timer_interrupt", "sysvec_apic_timer_interrupt", "__common_interrupt", "irq_enter_rcu", "irq_exit_rcu",
		"__do_softirq", "handle_softirqs", "scheduler_tick", "sched_tick", "update_process_times", "run_timer_softirq", "hrtimer_run_softirq",
		"net_rx_action", "rcu_core", "tick_nohz_handler", "tick_sched_timer",
	}
}

// interrupted gives the calls by which the inner hook fires in an interrupt
// that is skipped while the outer program runs; nil if it is not known to.
func (m *member) interrupted(n *Nesting) ([]string, error) {
	if n.Inner.Kind.User() || m.Missing(kernel.Calls) != "" || !probe(n.Inner.Kind) && n.Inner.Kind != hook.Tracepoint && n.Inner.Kind != hook.KprobeMulti && n.Inner.Kind != hook.KretprobeMulti {
		return nil, nil
	}
	busy, err := m.busy(n.Outer)
	if err != nil || busy != kernel.Yes {
		return nil, err
	}
	goals, err := m.goals(n.Inner)
	if err != nil {
		return nil, err
	}
	for _, root := range interrupts() {
		w, err := m.reach(root, n.Inner.Kind, goals)
		if err != nil {
			return nil, err
		}
		if w != nil && !w.unlikely {
			return w.path, nil
		}
	}
	return nil, nil
}

// wayOut names the hooks of the same place that are not starved, best first.
func (m *member) wayOut(n *Nesting, code Code) (string, error) {
	rule, _ := Find(string(code))
	if code == SH604 {
		return rule.Remedy, nil
	}
	h := n.Inner
	switch {
	case h.Kind == hook.Tracepoint:
		events, err := m.Tracepoints()
		if err != nil {
			return "", err
		}
		i := slices.IndexFunc(events, func(e kernel.Tracepoint) bool { return e.System == h.Module && e.Name == h.Function })
		if i >= 0 && events[i].Raw != "" {
			return "rawtracepoint:" + events[i].Raw + " is not starved: only its own program keeps it from running", nil
		}
	case h.Function != "" && !h.HasOffset:
		f, ok, err := m.Function(h.Function)
		if err != nil {
			return "", err
		}
		if !ok || f.BTF == kernel.No || len(f.Symbols) == 0 || f.Symbols[0].Traceable == kernel.No {
			break
		}
		kind := hook.Fentry
		if h.Kind.Return() {
			kind = hook.Fexit
		}
		return fmt.Sprintf("%s:%s is not starved: only its own program keeps it from running", kind, h.Function), nil
	}
	return rule.Remedy, nil
}

// Inside gives the findings about one hook while others are attached, on every
// kernel: those that starve it, and what may.
func (f *Fleet) Inside(inner Part, outers []Part) ([]Finding, error) {
	var out []Finding
	for _, m := range f.asked {
		for i := range outers {
			n, err := m.nesting(&outers[i], &inner)
			if err != nil {
				return nil, fmt.Errorf("kernel %s: %w", m.id.Name, err)
			}
			found, err := m.starving(&n, inner.Calls)
			if err != nil {
				return nil, fmt.Errorf("kernel %s: %w", m.id.Name, err)
			}
			out = append(out, found...)
		}
	}
	return out, nil
}
