package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Part is one of the hooks that are to be attached together.
type Part struct {
	Hook hook.Hook
	// Calls are the helpers that its program calls, "bpf_trace_printk"; nil: not
	// known.
	Calls []string
}

// Nesting is whether a hook fires while the program of another one runs, and
// what the kernel does then.
type Nesting struct {
	Kernel       string
	Outer, Inner hook.Hook
	// Fires: the inner hook is reached from a helper that the outer program
	// calls. It is Yes or NotKnown: calls by pointers are not known. Of a hook
	// of user space it is No.
	Fires  kernel.Answer
	Helper string   // the helper that leads there, if Fires is Yes
	Path   []string // the direct calls from the helper's function to the hook's
	// Made says whether the helper leads there each time: whether each call of
	// Path is made on every way through its function, or on every one that does
	// not return an error. Condition names the first that is not made always, and
	// says when it is.
	Made      kernel.Made
	Condition string
	// Unlikely: the way there is long, or passes a function that runs only if
	// something is out of the ordinary: a lock is contended, a warning printed.
	Unlikely bool
	// Assumed: it is not known what the outer program calls.
	Assumed bool
	// Skipped: the kernel does not run the inner program then.
	Skipped kernel.Answer
	Layer   Layer         // where it skips it
	Counted kernel.Answer // and whether it counts that
	Why     string        // of what is not known; "" if all is
}

// Layer is where the kernel skips a program.
type Layer string

// The layers.
const (
	AttachLayer  Layer = "attach"  // the hook's handler is not entered
	ProgramLayer Layer = "program" // another program runs on the CPU
)

// usual are helpers that most programs call one of, for hooks of which only
// the place is known.
func usual() []string {
	return []string{"bpf_trace_printk", "bpf_map_update_elem", "bpf_map_delete_elem", "bpf_get_stack", "bpf_get_stackid", "bpf_perf_event_output", "bpf_ringbuf_output", "bpf_probe_read_user", "bpf_probe_read_kernel", "bpf_get_current_comm"}
}

// Together says of each two hooks, in both orders, whether the second fires
// while the program of the first runs, on every kernel of the fleet.
func (f *Fleet) Together(parts []Part) ([]Nesting, error) {
	var out []Nesting
	for _, m := range f.asked {
		for i := range parts {
			for j := range parts {
				if i == j {
					continue
				}
				n, err := m.nesting(&parts[i], &parts[j])
				if err != nil {
					return nil, fmt.Errorf("kernel %s: %w", m.id.Name, err)
				}
				out = append(out, n)
			}
		}
	}
	return out, nil
}

func (m *member) nesting(outer, inner *Part) (Nesting, error) {
	n := Nesting{Kernel: m.id.Name, Outer: outer.Hook, Inner: inner.Hook}
	if inner.Hook.Kind.User() {
		n.Fires, n.Skipped = kernel.No, kernel.No // from user space, where no program runs on the CPU
		return n, nil
	}
	if why := m.Missing(kernel.Calls); why != "" {
		n.Why = "the calls inside this kernel are not known: " + why
		return n, nil
	}
	goals, err := m.goals(inner.Hook)
	if err != nil {
		return n, err
	}
	if len(goals) == 0 {
		n.Why = "the place of the hook is not known"
		return n, nil
	}
	calls := outer.Calls
	if calls == nil {
		calls, n.Assumed = usual(), true
	}
	for _, helper := range calls {
		w, err := m.reach(helper, outer.Hook.Kind, goals)
		if err != nil {
			return n, err
		}
		if w == nil {
			continue
		}
		made := w.made
		if inner.Hook.Offset != 0 || !tracepoint(inner.Hook) && strings.HasPrefix(w.path[len(w.path)-1], traceiter) {
			made = kernel.Sometimes
		}
		if n.Path == nil || made > n.Made || n.Unlikely && !w.unlikely {
			n.Fires, n.Helper, n.Path, n.Made, n.Unlikely = kernel.Yes, helper, w.path, made, w.unlikely
		}
	}
	if n.Fires != kernel.Yes {
		n.Why = "no direct call leads there; calls by pointers are not known"
		return n, nil
	}
	if n.Made != kernel.Always {
		if n.Condition, err = m.condition(&n); err != nil {
			return n, err
		}
	}
	return n, m.guard(&n)
}

// tracepoint tells whether a hook is the probe of a tracepoint.
func tracepoint(h hook.Hook) bool { return h.Kind == hook.Tracepoint || h.Kind == hook.RawTracepoint }

// goals are the functions by which a hook fires.
func (m *member) goals(h hook.Hook) ([]string, error) {
	switch h.Kind {
	case hook.RawTracepoint:
		return []string{traceiter + h.Function}, nil
	case hook.LSM:
		return []string{"security_" + h.Function, "bpf_lsm_" + h.Function}, nil
	case hook.Tracepoint:
		events, err := m.Tracepoints()
		if err != nil {
			return nil, err
		}
		i := slices.IndexFunc(events, func(e kernel.Tracepoint) bool { return e.System == h.Module && e.Name == h.Function })
		if i < 0 || events[i].Raw == "" {
			return nil, nil
		}
		return []string{traceiter + events[i].Raw}, nil
	}
	f, ok, err := m.Function(h.Function)
	if err != nil || !ok {
		return nil, err
	}
	var out []string
	for _, s := range f.Symbols {
		if s.Kind == kernel.Body || s.Name == h.Function {
			out = append(out, s.Name)
		}
	}
	return out, nil
}

// Reached are the functions of a kernel that helpers, or functions, lead to by
// few direct calls, without those that run rarely; sorted.
func (f *Fleet) Reached(kernel string, from ...string) ([]string, error) {
	seen := map[string]bool{}
	for _, m := range f.asked {
		if m.id.Name != kernel {
			continue
		}
		for _, name := range from {
			found, err := m.walk(roots(name), near, usually)
			if err != nil {
				return nil, err
			}
			for symbol := range found {
				seen[symbol] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}
