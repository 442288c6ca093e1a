package check

import (
	"slices"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// kinds are what may be put on a body for the hook, its own first.
func (c *kcontext) kinds(s kernel.Symbol) []hook.Kind {
	if c.hook.HasOffset { // only a kprobe can be put inside a function
		return []hook.Kind{c.kind}
	}
	kinds := []hook.Kind{c.kind, hook.Kprobe, hook.Fentry}
	if c.kind.Return() {
		kinds = []hook.Kind{c.kind, hook.Kretprobe, hook.Fexit}
		if slices.Contains(stackSwitchers[c.id.Arch], s.Name) {
			kinds = kinds[:1]
		}
	}
	slices.Sort(kinds[1:])
	return slices.Compact(kinds)
}

// can tells what keeps a kind of probe from a body.
func (c *kcontext) can(kind hook.Kind, s kernel.Symbol) (effect, error) {
	o := *c
	o.kind, o.found, o.target, o.name, o.probing = kind, nil, []kernel.Symbol{s}, s.Name, true
	if o.trampoline() && (s.Kind != kernel.Body || kernel.Namesakes(c.function, s.Name) > 1) {
		return blocks, nil // found by its name in BTF, which clones and namesakes are not
	}
	worst := harmless
	for _, rule := range []func(*kcontext) ([]kfinding, error){unsupported, onArch, untraceable, blacklisted, noBTF, bootOnly} {
		found, err := rule(&o)
		if err != nil {
			return blocks, err
		}
		for _, f := range found {
			worst = max(worst, f.plain)
		}
	}
	return worst, nil
}

// via tells whether the plan has a probe for a body, of the hook's own kind or
// of another.
func (c *kcontext) via(s kernel.Symbol) (sure effect, err error) {
	sure = blocks
	for _, kind := range c.kinds(s) {
		e, err := c.can(kind, s)
		if err != nil {
			return blocks, err
		}
		sure = min(sure, e)
	}
	return sure, nil
}

// ways are the kinds that the plan tries on a body, one after the other. A hook
// on a trampoline stays one. Else fentry is cheapest, and no other probe keeps
// it from running; but before Linux 5.12 it is not kept from running in itself
// (commit ca06f55b9002, struct bpf_prog's active).
func (c *kcontext) ways(s kernel.Symbol) ([]hook.Kind, error) {
	entry, many, trampoline := hook.Kprobe, hook.KprobeMulti, hook.Fentry
	if c.kind.Return() {
		entry, many, trampoline = hook.Kretprobe, hook.KretprobeMulti, hook.Fexit
	}
	order := []hook.Kind{trampoline, many, entry}
	guarded, err := c.guarded()
	switch {
	case err != nil:
		return nil, err
	case c.hook.HasOffset:
		order = []hook.Kind{entry}
	case c.trampoline():
		order = []hook.Kind{trampoline, entry}
	case c.multi():
		order = []hook.Kind{many, trampoline, entry}
	case guarded != kernel.Yes:
		order = []hook.Kind{many, entry, trampoline}
	}
	var sure, unsure []hook.Kind
	for _, kind := range order {
		if kind != trampoline && slices.Contains(stackSwitchers[c.id.Arch], s.Name) && c.kind.Return() {
			continue
		}
		switch e, err := c.can(kind, s); {
		case err != nil:
			return nil, err
		case e == blocks:
		case e == harmless:
			sure = append(sure, kind)
		default:
			unsure = append(unsure, kind)
		}
	}
	return append(sure, unsure...), nil
}

// guarded tells whether a program on a trampoline is kept from running in itself.
func (c *kcontext) guarded() (kernel.Answer, error) {
	if c.Missing(kernel.Types) != "" {
		return kernel.NotKnown, nil
	}
	return c.hasMember("bpf_prog", "active")
}

// otherwise says what it means for the plan that the hook's kind cannot be put
// on the body: it may take another one, or has at least the copies.
func (c *kcontext) otherwise() (effect, error) {
	if c.probing {
		return blocks, nil
	}
	worst, some := harmless, false
	if len(c.target) == 0 || c.hook.HasOffset {
		worst = blocks
	}
	for _, s := range c.target {
		sure, err := c.via(s)
		if err != nil {
			return blocks, err
		}
		worst, some = max(worst, sure), some || sure != blocks
	}
	if worst == blocks && some { // of functions of one name, by their addresses
		worst = loses
	}
	if worst == blocks && c.copies() && len(c.function.Copies) > 0 && !c.kind.Return() {
		worst = loses // or none, which SH409 says
	}
	return worst, nil
}
