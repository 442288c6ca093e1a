package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

func sourceName(symbol string) string {
	name, _, _, _ := sites.SymbolName(symbol)
	return name
}

// Alternative is another hook for the same executions, that works on every
// kernel asked for.
type Alternative struct {
	Hook hook.Hook
	Why  string // one clause: how it relates to the function
	// Exact: it fires once for every execution, as far as the code tells.
	Exact bool
}

// Limits of the search.
const (
	maxDispatch     = 60 // calls of a function that does one of many things
	maxLevels       = 2  // calls away from the function
	maxWide         = 24 // functions looked at on each level
	maxAlternatives = 5
)

// Prefixes of what stands for an event or a security hook in the call graph.
const (
	traceIter   = "__traceiter_"    // what a tracepoint calls, include/linux/tracepoint.h
	traceStatic = "__SCT__tp_func_" // the same through a static call
	traceInline = "trace_"          // the inlined test in front of it
	lsmCall     = "security_"       // security/security.c
)

// capability is the prefix of the functions of security/commoncap.c, which are
// called for the security hook of the same name.
const capability = "cap_"

// spot is where an alternative was found.
type spot struct {
	level int  // 0: in the function itself
	up    bool // in a caller
	via   string
}

// alternatives gives other hooks for a hook on a function which is not seen
// completely everywhere. seen are the contexts of all kernels.
func (f *Fleet) alternatives(h hook.Hook, seen []*kcontext) []Alternative {
	if len(seen) == 0 || h.Glob() || h.HasAddress || h.HasOffset || !seen[0].functions() {
		return nil
	}
	fine := true
	for _, c := range seen {
		fine = fine && c.plain().Verdict == sites.Complete
	}
	if fine {
		return nil
	}
	raws, hooks := map[string]spot{}, map[string]spot{}
	seen = sample(seen)
	for _, c := range seen {
		if err := c.around(raws, hooks); err != nil {
			return nil // damaged facts are reported with the verdict
		}
	}
	var out []ranked
	out = append(out, f.events(raws)...)
	out = append(out, f.hooks(hooks)...)
	out = append(out, f.otherKinds(h, seen)...)
	out = append(out, f.deeper(h, seen)...)
	slices.SortStableFunc(out, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), strings.Compare(a.Hook.Function, b.Hook.Function))
	})
	var list []Alternative
	for _, r := range out[:min(len(out), maxAlternatives)] {
		list = append(list, r.Alternative)
	}
	return list
}

// maxSample is in how many kernels calls are followed: what is found there is
// looked up in all.
const maxSample = 3

// sample picks the first, the middle and the last of the kernels that have the
// function, as call graphs take 50 ms each to read.
func sample(seen []*kcontext) []*kcontext {
	var known []*kcontext
	for _, c := range seen {
		if c.known && c.Missing(kernel.Calls) == "" {
			known = append(known, c)
		}
	}
	if len(known) == 0 {
		return seen[:1]
	}
	if len(known) <= maxSample {
		return known
	}
	return []*kcontext{known[0], known[len(known)/2], known[len(known)-1]}
}

type ranked struct {
	Alternative
	rank int // cost and misses of the kind, then the distance
}

// around walks the calls near a function and notes the events and security
// hooks that fire there, each at its nearest place.
func (c *kcontext) around(raws, hooks map[string]spot) error {
	if c.Missing(kernel.Calls) != "" || !c.known {
		return nil
	}
	var start []string
	for _, s := range c.function.Symbols {
		if s.Kind == kernel.Body || s.Kind == kernel.Clone || s.Kind == kernel.Part {
			start = append(start, s.Name)
		}
	}
	if err := c.down(start, raws, hooks); err != nil {
		return err
	}
	var up []string
	for _, s := range start {
		calls, err := c.Callers(s)
		if err != nil {
			return err
		}
		for _, e := range calls {
			up = append(up, e.Caller)
		}
	}
	for _, p := range c.function.Copies {
		up = append(up, p.Caller)
	}
	slices.Sort(up)
	if up = slices.Compact(up); len(up) > maxWide {
		return nil
	}
	for _, caller := range up {
		if err := c.note(caller, spot{1, true, caller}, raws, hooks); err != nil {
			return err
		}
	}
	return nil
}

// down follows calls to functions that nobody else calls.
func (c *kcontext) down(start []string, raws, hooks map[string]spot) error {
	now := start
	for level := 0; level <= maxLevels && len(now) > 0; level++ {
		var next []string
		for _, symbol := range now {
			if err := c.note(symbol, spot{level, false, symbol}, raws, hooks); err != nil {
				return err
			}
			calls, err := c.Callees(symbol)
			if err != nil {
				return err
			}
			if len(calls) > maxDispatch {
				continue
			}
			for _, e := range calls {
				if len(next) >= maxWide || special(e.Callee) {
					continue
				}
				n, err := c.CountCallers(e.Callee)
				if err != nil {
					return err
				}
				if n == 1 {
					next = append(next, e.Callee)
				}
			}
		}
		now = next
	}
	return nil
}

func special(symbol string) bool {
	return strings.HasPrefix(symbol, traceIter) || strings.HasPrefix(symbol, traceStatic) || strings.HasPrefix(symbol, lsmCall)
}

// note writes down the events and security hooks that a function fires.
func (c *kcontext) note(symbol string, at spot, raws, hooks map[string]spot) error {
	if name, ok := strings.CutPrefix(symbol, lsmCall); ok {
		nearer(hooks, name, at)
	}
	if name, ok := strings.CutPrefix(symbol, capability); ok && at.level == 0 {
		nearer(hooks, name, spot{1, true, lsmCall + name})
	}
	calls, err := c.Callees(symbol)
	if err != nil {
		return err
	}
	for _, e := range calls {
		for _, prefix := range []string{traceIter, traceStatic} {
			if name, ok := strings.CutPrefix(e.Callee, prefix); ok {
				nearer(raws, name, at)
			}
		}
		if name, ok := strings.CutPrefix(e.Callee, lsmCall); ok {
			nearer(hooks, name, at)
		}
	}
	return nil
}

func nearer(m map[string]spot, name string, at spot) {
	if old, ok := m[name]; !ok || at.level < old.level || at.level == old.level && old.up && !at.up {
		m[name] = at
	}
}

func (s spot) why() string {
	switch {
	case s.level == 0:
		return "it fires in the function itself"
	case s.up:
		return "it fires in " + s.via + ", which calls it or holds a copy"
	}
	return "it fires in " + s.via + ", which only it calls, modules aside"
}

func (s spot) rank(base int) int {
	if s.up { // what a caller fires may have little to do with the function
		return base + 15
	}
	return base + s.level
}

// Ranks of the kinds: a tracepoint is part of the kernel's interface and misses
// least, an LSM hook is stable too, fentry is cheap, a kprobe is neither.
const (
	rankEvent  = 0
	rankLSM    = 10
	rankFentry = 20
	rankKprobe = 30
)

// events turns raw tracepoints into the trace events that every kernel has.
func (f *Fleet) events(raws map[string]spot) []ranked {
	var out []ranked
	for name, at := range raws {
		key := ""
		for _, m := range f.asked {
			if err := m.readEvents(); err != nil {
				return nil
			}
			k := m.byRaw[name]
			if k == "" || key != "" && k != key {
				key = ""
				break
			}
			key = k
		}
		system, event, ok := strings.Cut(key, ":")
		if !ok {
			continue
		}
		out = append(out, ranked{Alternative{Hook: hook.Hook{Kind: hook.Tracepoint, Module: system, Function: event}, Why: at.why()}, at.rank(rankEvent)})
	}
	return out
}

// hooks keeps the security hooks that programs can be put on in every kernel.
func (f *Fleet) hooks(names map[string]spot) []ranked {
	var out []ranked
	for name, at := range names {
		h := hook.Hook{Kind: hook.LSM, Function: name}
		if f.works(h) {
			out = append(out, ranked{Alternative{Hook: h, Why: at.why()}, at.rank(rankLSM)})
		}
	}
	return out
}

// works tells whether a hook sees all on every kernel asked for.
func (f *Fleet) works(h hook.Hook) bool {
	for _, m := range f.asked {
		contexts, err := f.contexts(h, m)
		if err != nil || len(contexts) != 1 {
			return false
		}
		if err := contexts[0].run(); err != nil || contexts[0].plain().Verdict != sites.Complete {
			return false
		}
	}
	return true
}

// otherKinds tries cheaper or less demanding kinds on the same function, and
// the tracepoint of a system call.
func (f *Fleet) otherKinds(h hook.Hook, seen []*kcontext) []ranked {
	var out []ranked
	try := func(alt hook.Hook, why string, rank int) {
		if f.works(alt) {
			out = append(out, ranked{Alternative{Hook: alt, Why: why, Exact: true}, rank})
		}
	}
	call, ok := syscallName(h.Function)
	if h.Kind == hook.Ksyscall || h.Kind == hook.Kretsyscall {
		call, ok = h.Function, true
	}
	if ok {
		event := "sys_enter_"
		if h.Kind.Return() {
			event = "sys_exit_"
		}
		try(hook.Hook{Kind: hook.Tracepoint, Module: "syscalls", Function: event + call}, "the system call has it on every architecture", rankEvent)
	}
	same := hook.Hook{Kind: hook.Fentry, Module: h.Module, Function: h.Function}
	other := hook.Hook{Kind: hook.Kprobe, Module: h.Module, Function: h.Function}
	if h.Kind.Return() {
		same.Kind, other.Kind = hook.Fexit, hook.Kretprobe
	}
	if seen[0].kprobe() || seen[0].multi() {
		try(same, "cheaper, and not skipped when probes nest", rankFentry)
	}
	if seen[0].trampoline() || seen[0].multi() {
		try(other, "needs less of the kernel", rankKprobe)
	}
	return out
}

// deeper offers the functions that the hook's body calls and hardly anything
// else does, if a probe sees them completely on every kernel.
func (f *Fleet) deeper(h hook.Hook, seen []*kcontext) []ranked {
	if h.Kind.Return() {
		return nil
	}
	count := map[string]int{} // kernels in which the function calls it
	also := map[string][]string{}
	for _, c := range seen {
		for _, name := range c.mainCallees(also) {
			count[name]++
		}
	}
	var out []ranked
	for name, n := range count {
		if n != len(seen) {
			continue
		}
		why := calledBy(also[name])
		for _, kind := range []struct {
			kind hook.Kind
			rank int
		}{{hook.Fentry, rankFentry + 5}, {hook.Kprobe, rankKprobe + 5}} {
			if alt := (hook.Hook{Kind: kind.kind, Function: name}); f.works(alt) {
				out = append(out, ranked{Alternative{Hook: alt, Why: why}, kind.rank + len(also[name])})
				break
			}
		}
	}
	return out
}

// maxAlso is how many functions besides may call a function that is offered.
const maxAlso = 3

// mainCallees gives the functions that the body calls and at most maxAlso
// others; also collects those.
func (c *kcontext) mainCallees(also map[string][]string) []string {
	if c.Missing(kernel.Calls) != "" || len(c.target) != 1 {
		return nil
	}
	calls, err := c.Callees(c.target[0].Name)
	if err != nil || len(calls) > maxWide {
		return nil
	}
	own := map[string]bool{c.name: true}
	for _, p := range c.function.Copies {
		own[sourceName(p.Caller)] = true
	}
	var out []string
	for _, e := range calls {
		name := sourceName(e.Callee)
		if n, err := c.CountCallers(e.Callee); err != nil || special(e.Callee) || n > maxWide {
			continue
		}
		from, err := c.Callers(e.Callee)
		if err != nil {
			continue
		}
		var others []string
		for _, o := range from {
			if caller := sourceName(o.Caller); !own[caller] && !slices.Contains(others, caller) {
				others = append(others, caller)
			}
		}
		if len(others) > maxAlso {
			continue
		}
		for _, o := range others {
			if !slices.Contains(also[name], o) {
				also[name] = append(also[name], o)
			}
		}
		out = append(out, name)
	}
	return out
}

// calledBy says how a function that is called relates to the hooked one.
func calledBy(also []string) string {
	if len(also) == 0 {
		return "it calls this, and nothing else does, modules aside; perhaps not every time"
	}
	return "it calls this, as do " + strings.Join(also, ", ") + "; perhaps not every time"
}

// String is for people: the hook and why.
func (a Alternative) String() string { return fmt.Sprintf("%s: %s", a.Hook, a.Why) }
