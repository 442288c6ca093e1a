package check

import (
	"fmt"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// planPlaces: places of the plan that cannot be probed in this kernel (SH409).
func planPlaces(c *kcontext) ([]kfinding, error) {
	if !c.copies() || len(c.function.Copies) == 0 || c.kind.Return() {
		return nil, nil
	}
	can, err := c.kprobesHere()
	if err != nil {
		return nil, err
	}
	if can != kernel.Yes {
		e := doubts
		if can == kernel.No {
			e = loses
			if len(c.target) == 0 {
				e = blocks
			}
		}
		return []kfinding{{Finding: Finding{
			Message:  fmt.Sprintf("inlined copies of %s need kprobes, which this kernel may not have", c.name),
			Evidence: []string{"CONFIG_KPROBE_EVENTS"},
			Remedy:   "take one of the alternatives",
		}, reason: reasonKind, plan: e}}, nil
	}
	refused, unsure, err := c.copiesRefused()
	if err != nil || len(refused)+len(unsure) == 0 {
		return nil, err
	}
	f := kfinding{Finding: Finding{
		Message:  fmt.Sprintf("%s of %s cannot be probed: the kernel refuses kprobes in the callers", plural(len(refused), "inlined copy"), c.name),
		Evidence: limited(refused),
		Remedy:   "take one of the alternatives, or hook the callers",
	}, reason: reasonRefused, plan: loses}
	if len(refused) == 0 {
		f.Severity, f.plan = Warning, doubts
		f.Message = fmt.Sprintf("whether the kernel refuses kprobes on copies of %s cannot be told", c.name)
		f.Evidence = append([]string{c.Missing(kernel.Blacklist)}, limited(unsure)...)
	} else if len(refused) == len(c.function.Copies) && len(c.target) == 0 {
		f.plan = blocks
	}
	return []kfinding{f}, nil
}

func limited(list []string) []string {
	if len(list) > maxEvidence {
		return append(list[:maxEvidence:maxEvidence], fmt.Sprintf("and %d more", len(list)-maxEvidence))
	}
	return list
}

// kprobesHere tells whether the kernel has kprobes.
func (c *kcontext) kprobesHere() (kernel.Answer, error) {
	o := kcontext{member: c.member, kind: hook.Kprobe}
	missing, unsure, err := o.lacks()
	switch {
	case err != nil || len(unsure) > 0 && len(missing) == 0:
		return kernel.NotKnown, err
	default:
		return kernel.Is(len(missing) == 0), nil
	}
}

// copiesRefused lists the copies in functions that kprobes are refused in, and
// those of which that is not known.
func (c *kcontext) copiesRefused() (refused, unsure []string, err error) {
	callers := map[string]kernel.Answer{}
	for _, p := range c.function.Copies {
		a, asked := callers[p.Caller]
		if !asked {
			if a, err = c.refusedIn(p); err != nil {
				return nil, nil, err
			}
			callers[p.Caller] = a
		}
		where := fmt.Sprintf("%s+%#x", p.Caller, p.Offset)
		switch a {
		case kernel.Yes:
			refused = append(refused, where)
		case kernel.NotKnown:
			unsure = append(unsure, where)
		}
	}
	return refused, unsure, nil
}

// refusedIn tells whether kprobes are refused in the caller of a copy.
func (c *kcontext) refusedIn(p kernel.Copy) (kernel.Answer, error) {
	source, _, _, _ := sites.SymbolName(p.Caller)
	f, ok, err := c.Function(source)
	if err != nil || !ok {
		return kernel.NotKnown, err
	}
	for _, s := range f.Symbols {
		if s.Name == p.Caller && s.Module == p.Module {
			return c.refusedAt(f, s)
		}
	}
	return kernel.NotKnown, nil
}

// refusedAt tells whether kprobes are refused in a symbol of a function.
func (c *kcontext) refusedAt(f kernel.Function, s kernel.Symbol) (kernel.Answer, error) {
	if s.Refused == kernel.Yes || s.Init {
		return kernel.Yes, nil
	}
	notrace, err := c.notraceRefused()
	if err != nil {
		return kernel.NotKnown, err
	}
	if notrace == kernel.Yes {
		o := kcontext{member: c.member, kind: hook.Kprobe, function: f}
		switch a, err := o.traced(s); {
		case err != nil:
			return kernel.NotKnown, err
		case a == kernel.No:
			return kernel.Yes, nil
		case a != kernel.Yes:
			return kernel.NotKnown, nil
		}
	}
	return s.Refused, nil
}
