package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// copies tells whether the hook means the function with its inlined copies: a
// hook on a clone or an offset means that place.
func (c *kcontext) copies() bool {
	return c.functions() && !c.hook.HasOffset && !c.hook.HasAddress && c.name == c.function.Name
}

// kernelSelective: some callers hold a copy (SH401).
func kernelSelective(c *kcontext) ([]kfinding, error) {
	if !c.copies() || len(c.function.Copies) == 0 || len(c.target) == 0 {
		return nil, nil
	}
	f := kfinding{Finding: Finding{
		Message: fmt.Sprintf("%s is inlined at %s besides its body: a plain probe misses every call there",
			c.name, plural(len(c.function.Copies), "place")),
		Evidence: c.callers(),
		Remedy:   c.kernelCommand(),
	}, reason: sites.ReasonInlined, plain: loses}
	if c.kind.Return() {
		f.plan = loses
		f.Evidence = append(f.Evidence, "an inlined copy has no return that a probe could take")
	} else if c.trampoline() {
		f.Evidence = append(f.Evidence, "surehook puts kprobes on the copies, which count; the arguments that "+string(c.kind)+" passes are those of the body alone")
	}
	return []kfinding{f}, nil
}

// kernelFull: there are copies only (SH402).
func kernelFull(c *kcontext) ([]kfinding, error) {
	if !c.copies() || len(c.function.Copies) == 0 || len(c.target) > 0 || len(c.bodies(kernel.Clone)) > 0 {
		return nil, nil
	}
	f := kfinding{Finding: Finding{
		Message:  fmt.Sprintf("%s has no symbol: it is inlined at %s", c.name, plural(len(c.function.Copies), "place")),
		Evidence: c.callers(),
		Remedy:   c.kernelCommand(),
	}, reason: sites.ReasonInlined, plain: blocks}
	if c.kind.Return() {
		f.plan = blocks
	}
	return []kfinding{f}, nil
}

// callers lists the functions that hold copies.
func (c *kcontext) callers() []string {
	count := map[string]int{}
	var order []string
	for _, p := range c.function.Copies {
		name := p.Caller
		if p.Module != "" {
			name += " of module " + p.Module
		}
		if count[name]++; count[name] == 1 {
			order = append(order, name)
		}
	}
	var out []string
	for i, name := range order {
		if i == maxEvidence {
			return append(out, fmt.Sprintf("and in %d more functions", len(order)-i))
		}
		line := "a copy is in " + name
		if n := count[name]; n > 1 {
			line = fmt.Sprintf("%d copies are in %s", n, name)
		}
		out = append(out, line)
	}
	return out
}

// maxPasted is how many probes a command to paste may have.
const maxPasted = 40

// kernelCommand is a bpftrace command with a kprobe on every place, where
// bpftrace can do that.
func (c *kcontext) kernelCommand() string {
	var probes []string
	for _, s := range c.function.Symbols {
		if s.Kind == kernel.Body || s.Kind == kernel.Clone {
			probes = append(probes, "kprobe:"+s.Name)
		}
	}
	for _, p := range c.function.Copies {
		if p.Cond.Op != flow.Always || p.Times > 1 {
			return "take one of the alternatives, or hook the callers; not every place is counted by a plain kprobe"
		}
		probes = append(probes, fmt.Sprintf("kprobe:%s+%d", p.Caller, p.Offset))
	}
	if len(probes) == 0 || len(probes) > maxPasted || c.kind.Return() {
		return "take one of the alternatives, or hook the callers"
	}
	return "put a kprobe on every place; the offsets hold for this build only:\nbpftrace -e '" + strings.Join(probes, ", ") + " { @ = count(); }'"
}

// inliningKnown tells whether the copies of this function are known: a vmlinux
// may have been read for the functions asked for only.
func (c *kcontext) inliningKnown() bool {
	if c.Missing(kernel.Inlining) == "" {
		return true
	}
	return c.function.Plan.Verdict != "" && !slices.ContainsFunc(c.function.Plan.Reasons, func(r sites.Reason) bool { return r.Code == sites.ReasonNoDebug })
}

// noInlining: whether there are copies is not known (SH407).
func noInlining(c *kcontext) ([]kfinding, error) {
	if c.inliningKnown() || !c.copies() || !c.known {
		return nil, nil
	}
	if len(c.target) == 0 && !slices.ContainsFunc(c.function.Symbols, func(s kernel.Symbol) bool { return s.Kind != kernel.Cold }) {
		return nil, nil
	}
	return []kfinding{{Finding: Finding{
		Message:  fmt.Sprintf("whether %s is inlined anywhere cannot be told", c.name),
		Evidence: []string{c.Missing(kernel.Inlining)},
		Remedy:   "compare with builds that are known:\nsurehook check --kernel all " + shellQuote(c.hook.String()),
	}, reason: sites.ReasonNoDebug, plain: doubts, plan: doubts}}, nil
}

// kernelUnsure: the copies are known, but not all of what they count (SH406).
func kernelUnsure(c *kcontext) ([]kfinding, error) {
	plan := c.function.Plan
	if !c.copies() || !c.known || !c.inliningKnown() || plan.Verdict == sites.Complete || plan.Verdict == "" {
		return nil, nil
	}
	e := doubts
	switch plan.Verdict {
	case sites.Partial:
		e = loses
	case sites.None:
		return nil, nil
	}
	f := kfinding{Finding: Finding{
		Message: fmt.Sprintf("whether probes on the body and all copies see every execution of %s cannot be told", c.name),
		Remedy:  "take one of the alternatives, or hook the callers",
	}, reason: sites.ReasonEvidence, plain: e, plan: e}
	if e == loses {
		f.Message = fmt.Sprintf("some executions of %s have no place of their own", c.name)
	}
	for _, r := range plan.Reasons {
		f.Evidence = append(f.Evidence, r.Text)
	}
	return []kfinding{f}, nil
}

// unreadModules: a header's function may be inlined in modules that were not read (SH406).
func unreadModules(c *kcontext) ([]kfinding, error) {
	why := c.Missing(kernel.Modules)
	if why == "" || !c.copies() || len(c.function.Copies) == 0 || !c.inliningKnown() {
		return nil, nil
	}
	inHeader := slices.ContainsFunc(c.function.Sources, func(s string) bool {
		file, _, _ := strings.Cut(s, ":")
		return strings.HasSuffix(file, ".h")
	})
	if !inHeader {
		return nil, nil
	}
	return []kfinding{{Finding: Finding{
		Message:  fmt.Sprintf("%s is defined in a header: whether modules hold copies of it cannot be told", c.name),
		Evidence: []string{why, "defined in " + strings.Join(c.function.Sources, ", ")},
		Remedy:   "take one of the alternatives, or hook the callers",
	}, reason: reasonMissing, plain: doubts, plan: doubts}}, nil
}

// lostReturn: the probe does not see inlined copies return (SH410).
func lostReturn(c *kcontext) ([]kfinding, error) {
	if !c.kind.Return() || !c.copies() || len(c.function.Copies) == 0 {
		return nil, nil
	}
	return []kfinding{{Finding: Finding{
		Message:  fmt.Sprintf("a return probe on %s does not see its %s end", c.name, plural(len(c.function.Copies), "inlined copy")),
		Evidence: c.callers(),
		Remedy:   "hook the returns of the callers",
	}, reason: sites.ReasonReturn, plain: loses, plan: loses}}, nil
}

// clonesOf makes the finding of clones with a suffix, for SH502, SH503, SH505.
func (c *kcontext) clonesOf(what string, match func(symbol string) bool) []kfinding {
	if !c.functions() || c.hook.HasAddress {
		return nil
	}
	var all []kernel.Symbol
	for _, s := range c.bodies(kernel.Clone) {
		if match(s.Name) && (c.name == c.function.Name || c.name == s.Name) {
			all = append(all, s)
		}
	}
	if len(all) == 0 {
		return nil
	}
	f := kfinding{reason: sites.ReasonClone}
	for _, s := range all[:min(len(all), maxEvidence)] {
		f.Evidence = append(f.Evidence, c.arguments(s)...)
	}
	names := all[0].Name
	if len(all) > 1 {
		names = plural(len(all), "clone")
	}
	f.Remedy = "hook the clone by its name, which changes with the build:\nsurehook check " + shellQuote(string(hook.Kprobe)+":"+all[0].Name)
	switch {
	case c.name != c.function.Name:
		f.Severity = Info
		f.Message = fmt.Sprintf("%s is %s: arguments may be elsewhere than in %s", c.name, isAre(1, what), c.function.Name)
	case len(c.target) == 0:
		f.plain = blocks
		f.Message = fmt.Sprintf("%s exists only as %s: a probe by its plain name cannot attach", c.name, names)
	default:
		f.plain = loses
		f.Message = fmt.Sprintf("calls of %s also go to %s, %s: the plain probe misses them", c.name, names, isAre(len(all), what))
	}
	return []kfinding{f}
}

func kernelIsra(c *kcontext) ([]kfinding, error) {
	return c.clonesOf("changed parameters", israSuffix.MatchString), nil
}

func kernelConstprop(c *kcontext) ([]kfinding, error) {
	return c.clonesOf("constant arguments folded in", func(s string) bool { return constpropSuffix.MatchString(s) && !israSuffix.MatchString(s) }), nil
}

func kernelOtherClone(c *kcontext) ([]kfinding, error) {
	return c.clonesOf("another name", func(s string) bool { return !constpropSuffix.MatchString(s) && !israSuffix.MatchString(s) }), nil
}

// arguments says where the parameters of a body are.
func (c *kcontext) arguments(s kernel.Symbol) []string {
	first := symbolName(s)
	if s.Args == nil {
		return []string{first}
	}
	var moved []string
	for i, place := range s.Args.Place {
		name := c.parameter(i)
		switch {
		case place == kernel.ArgGone:
			moved = append(moved, name+" is dropped or constant")
		case place == kernel.ArgElsewhere:
			moved = append(moved, name+" is not in an argument register")
		case place == kernel.ArgNotKnown:
			moved = append(moved, "where "+name+" is cannot be told")
		case int(place) != i:
			moved = append(moved, fmt.Sprintf("%s is in arg%d", name, place))
		}
	}
	if len(moved) == 0 {
		return []string{first + ": all arguments are where the source has them"}
	}
	return []string{first + ": " + strings.Join(moved, ", ")}
}

// parameter names a parameter by its place in the source.
func (c *kcontext) parameter(i int) string {
	if len(c.function.Protos) == 1 && i < len(c.function.Protos[0].Params) {
		if name := c.function.Protos[0].Params[i].Name; name != "" {
			return fmt.Sprintf("arg%d (%s)", i, name)
		}
	}
	return fmt.Sprintf("arg%d", i)
}

// kernelPart: the hook names the tail of a function, or there is only that (SH501).
func kernelPart(c *kcontext) ([]kfinding, error) {
	parts := c.bodies(kernel.Part)
	if !c.functions() || len(parts) == 0 {
		return nil, nil
	}
	if slices.ContainsFunc(c.target, func(s kernel.Symbol) bool { return s.Kind == kernel.Part }) {
		return []kfinding{{Finding: Finding{
			Message: fmt.Sprintf("%s is the tail of a split function: it runs for the slow path only, not for every call of %s", c.name, c.function.Name),
			Remedy:  "hook the function itself:\nsurehook check " + shellQuote(string(c.kind)+":"+c.function.Name),
		}, reason: sites.ReasonPart, plain: loses}}, nil
	}
	if len(c.target) > 0 || len(c.bodies(kernel.Clone)) > 0 {
		return nil, nil
	}
	plan := harmless
	if len(c.function.Copies) == 0 {
		plan = blocks
	}
	return []kfinding{{Finding: Finding{
		Message:  fmt.Sprintf("of %s only the tail %s has a symbol: the head is inlined into the callers", c.name, parts[0].Name),
		Evidence: c.callers(),
		Remedy:   c.kernelCommand(),
	}, reason: sites.ReasonPart, plain: blocks, plan: plan}}, nil
}

// kernelCold: the hook names a part that is no entry (SH504).
func kernelCold(c *kcontext) ([]kfinding, error) {
	if !c.functions() || !slices.ContainsFunc(c.target, func(s kernel.Symbol) bool { return s.Kind == kernel.Cold }) {
		return nil, nil
	}
	return []kfinding{{Finding: Finding{
		Severity: Error,
		Message:  fmt.Sprintf("%s is the unlikely part of %s, jumped to from its middle: hits are not calls", c.name, c.function.Name),
		Remedy:   "hook the function itself:\nsurehook check " + shellQuote(string(c.kind)+":"+c.function.Name),
	}, reason: sites.ReasonPart, plain: blocks, plan: blocks}}, nil
}

// kernelOffset: a place inside a function holds for one build only (SH404).
func kernelOffset(c *kcontext) ([]kfinding, error) {
	if !c.hook.HasOffset && !c.hook.HasAddress || !c.functions() {
		return nil, nil
	}
	f := kfinding{Finding: Finding{
		Message:  "whether the place is the start of an instruction in this build cannot be told",
		Evidence: []string{"an offset holds for the build that it was computed for"},
		Remedy:   "hook the function by its name",
		Severity: Warning,
	}, reason: sites.ReasonNotBoundary, plain: doubts, plan: doubts}
	for _, s := range c.target {
		if c.hook.HasOffset && s.Size > 0 && c.hook.Offset >= s.Size {
			f.Severity, f.plain, f.plan = Error, blocks, blocks
			f.Message = fmt.Sprintf("%s has %d bytes in this build: the offset is behind it", symbolName(s), s.Size)
		}
	}
	return []kfinding{f}, nil
}
