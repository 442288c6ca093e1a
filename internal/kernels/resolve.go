package kernels

import (
	"fmt"
	"path"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// Resolve gives the places of a hook in a kernel: one Result for each function
// or event that it names, by name.
func Resolve(k kernel.Kernel, h hook.Hook) ([]sites.Result, error) {
	if h.HasAddress {
		return nil, fmt.Errorf("%s: a kernel's addresses change with every boot; name a function", h)
	}
	event := h.Kind == hook.Tracepoint || h.Kind == hook.RawTracepoint || h.Kind == hook.LSM
	if why := k.Missing(kernel.Symbols); why != "" && !event {
		return nil, fmt.Errorf("%s: the symbols of %s are not known: %s", h, k.Identity().Name, why)
	}
	p := check.NewPlanner(k)
	names, err := named(p, h)
	if err != nil {
		return nil, err
	}
	var out []sites.Result
	for _, name := range names {
		one := h
		one.Function = name
		r, ok, err := p.Places(one)
		if err != nil {
			return nil, err
		}
		if ok {
			r.Hook = h
			out = append(out, r)
		}
	}
	if len(out) == 0 {
		return nil, notThere(k, h)
	}
	return out, nil
}

// named gives what a hook names: itself, or what a glob matches.
func named(p *check.Planner, h hook.Hook) ([]string, error) {
	if !h.Glob() {
		return []string{h.Function}, nil
	}
	if _, err := path.Match(h.Function, ""); err != nil {
		return nil, fmt.Errorf("%s: %w", h, err)
	}
	return p.Matching(h)
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
