package kernels

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// Resolve gives the places of a hook in a kernel: one Result for each function
// that it names, by name.
func Resolve(k kernel.Kernel, h hook.Hook) ([]sites.Result, error) {
	if err := hasPlaces(h); err != nil {
		return nil, err
	}
	if why := k.Missing(kernel.Symbols); why != "" {
		return nil, fmt.Errorf("%s: the symbols of %s are not known: %s", h, k.Identity().Name, why)
	}
	names, err := functions(k, h)
	if err != nil {
		return nil, err
	}
	var out []sites.Result
	for _, name := range names {
		f, ok, err := k.Function(name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		can, bodies, copies, err := check.Attachable(k, f)
		if err != nil {
			return nil, err
		}
		r := result(k, h, can)
		if h.Function == f.Name || h.Glob() {
			lose(&r, bodies, copies)
		}
		out = append(out, r)
	}
	if len(out) == 0 {
		return nil, notThere(k, h)
	}
	return out, nil
}

// lose notes bodies and copies that no probe can be put on.
func lose(r *sites.Result, bodies []string, copies []kernel.Copy) {
	n := len(bodies) + len(copies)
	if n == 0 {
		return
	}
	for _, name := range bodies {
		r.PlanLost = append(r.PlanLost, sites.Lost{Caller: name, Why: "the kernel refuses kprobes on the function itself", Code: sites.ReasonHazard})
	}
	for _, c := range copies {
		r.PlanLost = append(r.PlanLost, sites.Lost{Caller: c.Caller, Why: "inlined copy where the kernel refuses kprobes", Code: sites.ReasonHazard})
	}
	r.Lost = append(r.Lost, r.PlanLost[len(r.PlanLost)-n:]...)
	r.Plan.Reasons = append([]sites.Reason{{Code: sites.ReasonHazard, Text: fmt.Sprintf("the kernel refuses kprobes at %d places", n)}}, r.Plan.Reasons...)
	for _, j := range []*sites.Judgement{&r.Plan, &r.Plain} {
		if j.Verdict == sites.Complete || j.Verdict == sites.Unknown {
			j.Verdict = sites.Partial
		}
	}
	if len(r.Sites) == 0 {
		r.Plan.Verdict = sites.None
	}
}

// hasPlaces tells whether a hook is put on a function's code.
func hasPlaces(h hook.Hook) error {
	switch h.Kind {
	case hook.Tracepoint, hook.RawTracepoint, hook.LSM:
		return fmt.Errorf("%s: the kernel itself says where it fires; there are no places to list (surehook check tells whether it is there)", h)
	}
	if h.HasAddress {
		return fmt.Errorf("%s: a kernel's addresses change with every boot; name a function", h)
	}
	return nil
}

// functions gives the source names that a hook means: a name, that behind a
// symbol, or what a glob matches.
func functions(k kernel.Kernel, h hook.Hook) ([]string, error) {
	if _, ok, err := k.Function(h.Function); ok || err != nil {
		return []string{h.Function}, err
	}
	if source, ok, err := k.Symbol(h.Function); ok || err != nil {
		return []string{source}, err
	}
	if !h.Glob() {
		return nil, nil
	}
	if _, err := path.Match(h.Function, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", h, err)
	}
	all, err := k.Names()
	if err != nil {
		return nil, err
	}
	var names []string
	for n := range all {
		if ok, _ := path.Match(h.Function, n); ok { // checked before
			names = append(names, n)
		}
	}
	return names, nil
}

// result gives the places of one function: of a clone asked for by its symbol
// only that, of an offset that place.
func result(k kernel.Kernel, h hook.Hook, f kernel.Function) sites.Result {
	if h.Function != f.Name && !h.Glob() {
		f.Symbols = slices.DeleteFunc(slices.Clone(f.Symbols), func(s kernel.Symbol) bool { return s.Name != h.Function })
		f.Copies = nil
	}
	if h.Module != "" {
		f.Symbols = slices.DeleteFunc(slices.Clone(f.Symbols), func(s kernel.Symbol) bool { return s.Module != h.Module })
	}
	if h.HasOffset {
		f.Copies = nil
	}
	named := h
	if h.Glob() {
		named.Function = f.Name
	}
	r := kernel.Result(named, f, k.Identity(), k.Missing(kernel.Inlining))
	r.Hook = h
	if h.HasOffset {
		for i := range r.Sites {
			r.Sites[i].Kind, r.Sites[i].Offset, r.Sites[i].Plain = sites.Offset, h.Offset, true
		}
		r.PlainSymbol = ""
	}
	return r
}

// notThere says that a function is not in a kernel, with names like it.
func notThere(k kernel.Kernel, h hook.Hook) error {
	all, err := k.Names()
	if err != nil {
		return err
	}
	var near []string
	best := 4
	for n := range all {
		if strings.TrimLeft(n, "_") == strings.TrimLeft(h.Function, "_") {
			near = append([]string{n}, near...)
		} else if len(n) > 4 && len(n)-len(h.Function) < 3 && len(h.Function)-len(n) < 3 {
			if d := hook.Distance(n, h.Function); d < best {
				near = append(near, n)
			}
		}
	}
	return &NoFunctionError{Hook: h, Kernel: k.Identity().Name, Near: near[:min(len(near), 3)], Modules: k.Missing(kernel.Modules)}
}

// NoFunctionError says that a kernel has no function that a hook names.
type NoFunctionError struct {
	Hook    hook.Hook
	Kernel  string
	Near    []string // names that are like it
	Modules string   // why its modules are not known, where it may be; "" if they are
}

func (e *NoFunctionError) Error() string {
	text := fmt.Sprintf("%s: no such function in %s", e.Hook, e.Kernel)
	if e.Modules != "" {
		text += " itself; it may be in a module: " + e.Modules
	}
	if len(e.Near) > 0 {
		text += "; did you mean " + strings.Join(e.Near, ", ") + "?"
	}
	return text
}
