package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// near is how many calls away from a helper's function a hook is taken to be
// reached, where some of the calls are made under a condition. Further away lies
// the whole kernel: of any function that allocates memory something leads to the
// code that ends processes.
const near = 3

// far is how many calls are followed to say that a hook could be reached.
const far = 8

// mapOps are the helpers on maps, and how the functions end that take their
// place: the verifier calls those instead (map_ops in do_misc_fixups).
func mapOps() map[string]string {
	return map[string]string{"bpf_map_lookup_elem": "_lookup_elem", "bpf_map_update_elem": "_update_elem", "bpf_map_delete_elem": "_delete_elem"}
}

// roots are the functions that a helper begins with.
func roots(helper string) []string {
	if suffix, ok := mapOps()[helper]; ok {
		var out []string
		for _, kind := range mapFunctions() {
			out = append(out, kind+suffix)
		}
		slices.Sort(out)
		return out
	}
	return []string{helper, helper + "_tp", helper + "_raw_tp", helper + "_tracing"}
}

// rare tells whether a function runs only when something is out of the
// ordinary.
func rare(symbol string) bool {
	switch symbol {
	case "__warn_printk", "_printk", "printk", "vprintk", "panic", "refcount_warn_saturate", "__fortify_panic", "fortify_panic", "usercopy_abort",
		"__schedule", "schedule", "rcu_read_unlock_special", "__stack_chk_fail", "dump_stack", "__schedule_bug", "warn_slowpath_fmt", "__warn",
		"__list_add_valid_or_report", "__list_del_entry_valid_or_report", "__list_add_valid", "__list_del_entry_valid":
		return true
	}
	return strings.Contains(symbol, "preempt_schedule") || strings.Contains(symbol, "_slowpath") || strings.Contains(symbol, "might_resched") || strings.Contains(symbol, "cond_resched")
}

// reached are the functions that a helper leads to, each with the one that
// calls it; roots have none.
type reached struct {
	sure, good  map[string]map[string]string // by root: by calls that are made each time, or unless a caller fails
	nearby, all map[string]string
}

// way is how a helper leads to a hook.
type way struct {
	path     []string    // functions, from that of the helper to that of the hook
	made     kernel.Made // the call of all that is made least surely
	unlikely bool        // by functions that run rarely, or over many calls
}

// begins are those of a helper's roots that a program of a kind may begin with:
// what takes the registers of a kprobe, a record or neither differs.
func (r *reached) begins(helper string, kind hook.Kind) []string {
	_, plain := r.sure[helper]
	_, record := r.sure[helper+"_tp"]
	switch {
	case kind == hook.Tracepoint && record:
		return []string{helper + "_tp"}
	case plain && (probe(kind) || kind == hook.Tracepoint || kind == hook.KprobeMulti || kind == hook.KretprobeMulti || kind.User()):
		return []string{helper}
	}
	return slices.Sorted(maps.Keys(r.sure))
}

// reach gives the direct calls from a helper that a program of a kind calls to
// one of the goals, those that are made each time first; nil if there are none.
func (m *member) reach(helper string, kind hook.Kind, goals []string) (*way, error) {
	r, err := m.reached(helper)
	if err != nil {
		return nil, err
	}
	begins := r.begins(helper, kind)
	if path := surely(r.sure, begins, goals); path != nil {
		return &way{path: path, made: kernel.Always}, nil
	}
	if path := surely(r.good, begins, goals); path != nil {
		return &way{path: path, made: kernel.UnlessFails}, nil
	}
	for i, from := range []map[string]string{r.nearby, r.all} {
		for _, g := range goals {
			if _, ok := from[g]; ok {
				return &way{path: back(from, g), unlikely: i > 0}, nil
			}
		}
	}
	return nil, nil
}

// surely gives the calls to one of the goals that every root leads to each time:
// which of them a helper begins with depends on what is not known here.
func surely(by map[string]map[string]string, roots, goals []string) (path []string) {
	for _, root := range roots {
		from := by[root]
		i := slices.IndexFunc(goals, func(g string) bool { _, ok := from[g]; return ok })
		if i < 0 {
			return nil
		}
		if path == nil {
			path = back(from, goals[i])
		}
	}
	return path
}

// back gives the way to a function, from what walk noted.
func back(from map[string]string, to string) (path []string) {
	for at := to; at != ""; at = from[at] {
		path = append(path, at)
	}
	slices.Reverse(path)
	return path
}

// reached walks from a helper, once.
func (m *member) reached(helper string) (*reached, error) {
	if r := m.reaches[helper]; r != nil {
		return r, nil
	}
	r := &reached{sure: map[string]map[string]string{}, good: map[string]map[string]string{}}
	for _, root := range roots(helper) {
		from, err := m.walk([]string{root}, far, always)
		if err != nil {
			return nil, err
		}
		if len(from) > 0 {
			r.sure[root] = from
		}
		if from, err = m.walk([]string{root}, far, unlessFails); err != nil {
			return nil, err
		}
		r.good[root] = from
	}
	var err error
	if r.nearby, err = m.walk(roots(helper), near, usually); err != nil {
		return nil, err
	}
	if r.all, err = m.walk(roots(helper), far, rarely); err != nil {
		return nil, err
	}
	if m.reaches == nil {
		m.reaches = map[string]*reached{}
	}
	m.reaches[helper] = r
	return r, nil
}

// Calls that walk follows.
func always(c kernel.Call) bool      { return c.Made == kernel.Always }
func unlessFails(c kernel.Call) bool { return c.Made != kernel.Sometimes }
func usually(c kernel.Call) bool     { return !rare(c.Callee) }
func rarely(kernel.Call) bool        { return true }

// condition names the first call of a way that is not made each time, or what
// else keeps it from being certain.
func (m *member) condition(n *Nesting) (string, error) {
	path := n.Path
	if why := m.Missing(kernel.CertainCalls); why != "" {
		return "whether it is reached each time is not known: " + why, nil
	}
	for i := range path[1:] {
		calls, err := m.Callees(path[i])
		if err != nil {
			return "", err
		}
		made := kernel.Sometimes
		for _, c := range calls {
			if c.Callee == path[i+1] {
				made = max(made, c.Made)
			}
		}
		switch {
		case made == kernel.UnlessFails && n.Made == kernel.UnlessFails:
			return "unless " + path[i] + " fails", nil
		case made == kernel.Sometimes:
			return fmt.Sprintf("%s calls %s under some condition", path[i], path[i+1]), nil
		}
	}
	last := path[len(path)-1]
	switch {
	case n.Inner.Offset != 0:
		return last + " may not come to the place inside of it", nil
	case strings.HasPrefix(last, traceiter) && !tracepoint(n.Inner):
		return last + " runs only while a probe is on its tracepoint", nil
	}
	return "which function " + n.Helper + " begins with is not known", nil
}

// traceiter is what the functions begin with that call a tracepoint's probes.
const traceiter = "__traceiter_"

// walk follows direct calls inside the kernel that it is to, breadth first, so
// that paths are short.
func (m *member) walk(roots []string, calls int, follow func(kernel.Call) bool) (map[string]string, error) {
	from := map[string]string{}
	var level []string
	for _, r := range roots {
		if _, ok, err := m.Symbol(r); err != nil {
			return nil, err
		} else if ok {
			from[r] = ""
			level = append(level, r)
		}
	}
	for range calls {
		var next []string
		for _, at := range level {
			callees, err := m.Callees(at)
			if err != nil {
				return nil, err
			}
			for _, c := range callees {
				if _, ok := from[c.Callee]; ok || c.CallerModule != "" || c.CalleeModule != "" || !follow(c) {
					continue
				}
				from[c.Callee] = at
				next = append(next, c.Callee)
			}
		}
		level = next
	}
	return from, nil
}
