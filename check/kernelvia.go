package check

import (
	"slices"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// via is the kind of probe that the plan takes for a body: the hook's own where
// the kernel allows that, else one that it allows; "" for none. The effect
// tells whether it is sure.
func (c *kcontext) via(s kernel.Symbol) (best hook.Kind, sure effect, err error) {
	kinds := []hook.Kind{c.kind, hook.Kprobe, hook.Fentry}
	if c.kind.Return() {
		kinds = []hook.Kind{c.kind, hook.Kretprobe, hook.Fexit}
		if slices.Contains(stackSwitchers[c.id.Arch], s.Name) {
			kinds = kinds[:1]
		}
	}
	sure = blocks
	for _, kind := range kinds {
		o := *c
		o.kind, o.found, o.target, o.name, o.probing = kind, nil, []kernel.Symbol{s}, s.Name, true
		if o.trampoline() && (s.Kind != kernel.Body || len(c.target) > 1) {
			continue // found by its name in BTF, which clones and namesakes are not
		}
		worst := harmless
		for _, rule := range []func(*kcontext) ([]kfinding, error){unsupported, onArch, untraceable, blacklisted, noBTF, bootOnly} {
			found, err := rule(&o)
			if err != nil {
				return "", blocks, err
			}
			for _, f := range found {
				worst = max(worst, f.plain)
			}
		}
		if worst < sure {
			best, sure = kind, worst
		}
	}
	return best, sure, nil
}

// otherwise says what it means for the plan that the hook's kind cannot be put
// on the body: it may take another one, or has at least the copies.
func (c *kcontext) otherwise() (effect, error) {
	if c.probing {
		return blocks, nil
	}
	worst := harmless
	if len(c.target) == 0 || c.hook.HasOffset {
		worst = blocks
	}
	for _, s := range c.target {
		_, sure, err := c.via(s)
		if err != nil {
			return blocks, err
		}
		worst = max(worst, sure)
	}
	if worst == blocks && c.copies() && len(c.function.Copies) > 0 && !c.kind.Return() {
		worst = loses // or none, which SH409 says
	}
	return worst, nil
}
