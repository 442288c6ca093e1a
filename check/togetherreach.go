package check

import (
	"slices"
	"strings"
)

// near is how many calls away from a helper's function a hook is taken to be
// reached. Further away lies the whole kernel: of any function that allocates
// memory something leads to the code that ends processes.
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
	nearby, all map[string]string
}

// reach gives the direct calls from a helper to one of the goals; nil if there
// are none. unlikely: only by functions that run rarely, or over many calls.
func (m *member) reach(helper string, goals []string) (path []string, unlikely bool, err error) {
	r := m.reaches[helper]
	if r == nil {
		r = &reached{}
		if r.nearby, err = m.walk(roots(helper), near, false); err != nil {
			return nil, false, err
		}
		if r.all, err = m.walk(roots(helper), far, true); err != nil {
			return nil, false, err
		}
		if m.reaches == nil {
			m.reaches = map[string]*reached{}
		}
		m.reaches[helper] = r
	}
	for _, from := range []map[string]string{r.nearby, r.all} {
		for _, g := range goals {
			if _, ok := from[g]; !ok {
				continue
			}
			for at := g; at != ""; at = from[at] {
				path = append(path, at)
			}
			slices.Reverse(path)
			return path, unlikely, nil
		}
		unlikely = true
	}
	return nil, false, nil
}

// walk follows direct calls, breadth first, so that paths are short. rarely:
// also through functions that run rarely.
func (m *member) walk(roots []string, calls int, rarely bool) (map[string]string, error) {
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
				if _, ok := from[c.Callee]; ok || c.CallerModule != "" || c.CalleeModule != "" || !rarely && rare(c.Callee) {
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
