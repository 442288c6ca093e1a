package check

import (
	"fmt"
	"slices"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// Planner finds the places of hooks in one kernel.
type Planner struct{ fleet *Fleet }

// NewPlanner makes a Planner, which keeps what it has looked up.
func NewPlanner(k kernel.Kernel) *Planner { return &Planner{NewFleet([]kernel.Kernel{k}, nil)} }

// Places gives the places of a hook that names one function, event or LSM
// hook: how the plan attaches each of them, what it has to leave out, and the
// verdicts. ok is false if the kernel has no trace of the function.
func (p *Planner) Places(h hook.Hook) (r sites.Result, ok bool, err error) {
	contexts, err := p.fleet.contexts(h, p.fleet.asked[0])
	if err != nil {
		return r, false, err
	}
	c := contexts[0]
	if err := c.run(); err != nil {
		return r, false, err
	}
	switch {
	case !c.functions():
		r = c.eventPlace()
	case !c.known:
		return r, false, nil
	default:
		if r, err = c.places(); err != nil {
			return r, false, err
		}
	}
	r.Plain, r.Plan = c.plain(), c.plan()
	if n := copiesIn(r.Sites); n > 0 {
		r.Plan.Reasons = append(r.Plan.Reasons, sites.Reason{Code: sites.ReasonInlined, Text: fmt.Sprintf(
			"at %s the arguments are in no fixed place: that the function begins is all that can be read there", plural(n, "inlined copy"))})
	}
	if r.Plain.Verdict == sites.None {
		for i := range r.Sites {
			r.Sites[i].Plain = false
		}
	}
	if r.Plan.Verdict == sites.None {
		r.Sites = nil
	}
	return r, true, nil
}

func copiesIn(list []sites.Site) (n int) {
	for _, s := range list {
		if s.Kind == sites.Inlined {
			n++
		}
	}
	return n
}

// Matching gives the names that a glob matches in a kernel: of functions, also
// those that are inlined everywhere.
func (p *Planner) Matching(h hook.Hook) ([]string, error) {
	c := kcontext{member: p.fleet.asked[0], hook: h, kind: h.Kind}
	var all []string
	if h.Kind == hook.Tracepoint || h.Kind == hook.RawTracepoint || h.Kind == hook.LSM {
		names, err := c.eventNames()
		if err != nil {
			return nil, err
		}
		all = names
	} else {
		names, err := c.Names()
		if err != nil {
			return nil, err
		}
		all = slices.Collect(names)
	}
	match := matcher(h.Function)
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return !match(name) }), nil
}

// eventPlace is the one place of a tracepoint or LSM hook.
func (c *kcontext) eventPlace() sites.Result {
	name := c.name
	if c.kind == hook.Tracepoint {
		name = c.hook.Module + ":" + name
	}
	return sites.Result{
		Hook: c.hook, Function: name,
		Target: sites.Target{Path: c.id.Name, BuildID: c.id.BuildID, Arch: c.id.Arch, Kernel: true},
		Sites:  []sites.Site{{Kind: sites.Event, Symbol: name, Plain: true, Times: 1, Ways: []hook.Kind{c.kind}}},
	}
}

// places gives the function's places: of a clone asked for by its symbol only
// that, of an offset that place.
func (c *kcontext) places() (sites.Result, error) {
	f := c.function
	f.Symbols = slices.DeleteFunc(slices.Clone(f.Symbols), func(s kernel.Symbol) bool {
		named := slices.ContainsFunc(c.target, func(t kernel.Symbol) bool { return t == s })
		return !named && (!c.copies() || c.hook.Module != "")
	})
	if !c.copies() {
		f.Copies = nil
	}
	named := c.hook
	named.Kind, named.Function = c.kind, c.name
	r := kernel.Result(named, f, c.id)
	r.Hook = c.hook
	if err := c.attachable(&r); err != nil {
		return r, err
	}
	if c.hook.HasOffset {
		for i := range r.Sites {
			r.Sites[i].Kind, r.Sites[i].Offset, r.Sites[i].Plain = sites.Offset, c.hook.Offset, true
		}
	}
	return r, nil
}

// attachable notes how each place is attached and leaves out where nothing
// can be.
func (c *kcontext) attachable(r *sites.Result) error {
	kprobes, err := c.kprobesHere()
	if err != nil {
		return err
	}
	callers := map[string]inCaller{}
	all := r.Sites
	r.Sites = nil
	for _, s := range all {
		why := ""
		if s.Kind == sites.Inlined {
			why, err = c.onCopy(&s, callers, kprobes)
		} else {
			why, err = c.onBody(&s)
		}
		if err != nil {
			return err
		}
		if why == "" && s.Namesake && s.Address == 0 {
			why = "several symbols are named " + s.Symbol + ", and the kernel's addresses are not known"
		}
		if why == "" {
			r.Sites = append(r.Sites, s)
			continue
		}
		name := s.Symbol
		if s.Kind == sites.Inlined {
			why = "inlined copy: " + why
		} else {
			r.Lost = append(r.Lost, sites.Lost{Caller: name, Why: why})
		}
		r.PlanLost = append(r.PlanLost, sites.Lost{Caller: name, Why: why, Code: sites.ReasonHazard})
	}
	return nil
}

// onBody says why no probe can be put on a body, "" if one can.
func (c *kcontext) onBody(s *sites.Site) (why string, err error) {
	i := slices.IndexFunc(c.function.Symbols, func(o kernel.Symbol) bool { return o.Name == s.Symbol && o.Address == s.Address })
	if i < 0 {
		return "", fmt.Errorf("%s has no symbol at %#x", s.Symbol, s.Address)
	}
	if s.Ways, err = c.ways(c.function.Symbols[i]); err != nil || len(s.Ways) > 0 {
		return "", err
	}
	return "the kernel refuses probes on the function itself", nil
}

// inCaller is what is known of a function that holds copies.
type inCaller struct {
	refused  kernel.Answer
	namesake bool
}

// onCopy says why no probe can be put on a copy, "" if one can or may.
func (c *kcontext) onCopy(s *sites.Site, seen map[string]inCaller, kprobes kernel.Answer) (why string, err error) {
	if kprobes == kernel.No {
		return "this kernel has no kprobes", nil
	}
	in, asked := seen[s.Symbol]
	if !asked {
		source, _, _, _ := sites.SymbolName(s.Symbol)
		f, _, err := c.Function(source)
		if err != nil {
			return "", err
		}
		in.namesake = kernel.Ambiguous(f, s.Symbol)
		j := slices.IndexFunc(c.function.Copies, func(p kernel.Copy) bool { return p.Caller == s.Symbol && p.Offset == s.Offset })
		if in.refused, err = c.refusedIn(c.function.Copies[j]); err != nil {
			return "", err
		}
		seen[s.Symbol] = in
	}
	s.Ways, s.Namesake = []hook.Kind{hook.Kprobe}, in.namesake
	if in.refused == kernel.Yes {
		return "the kernel refuses kprobes in " + s.Symbol, nil
	}
	return "", nil
}
