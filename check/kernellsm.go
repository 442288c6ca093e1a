package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// noLSM: there is no such security hook (SH112).
func noLSM(c *kcontext) ([]kfinding, error) {
	if c.kind != hook.LSM {
		return nil, nil
	}
	if c.Missing(kernel.LSMHooks) != "" {
		return []kfinding{c.missing(kernel.LSMHooks, "whether there is an LSM hook "+c.name)}, nil
	}
	l, ok, err := c.lsmHook(c.name)
	if err != nil {
		return nil, err
	}
	f := kfinding{reason: reasonAbsent, plain: blocks, plan: blocks}
	switch {
	case ok && l.Attachable == kernel.Yes:
		return nil, nil
	case ok && l.Attachable == kernel.NotKnown:
		return []kfinding{c.missing(kernel.LSMHooks, "whether BPF programs can be put on the LSM hook "+c.name)}, nil
	case ok:
		f.Message = fmt.Sprintf("the LSM hook %s has no function bpf_lsm_%s that a program could be put on", c.name, c.name)
	default:
		f.Message = fmt.Sprintf("there is no LSM hook %s in this kernel", c.name)
		names, err := c.eventNames()
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if hook.Distance(name, c.name) <= 2 {
				f.Remedy = "did you mean lsm:" + name + "?"
			}
		}
	}
	where, err := c.elsewhere(func(m *member) (bool, error) {
		l, ok, err := m.lsmHook(c.name)
		return ok && l.Attachable == kernel.Yes, err
	})
	f.Evidence = append(f.Evidence, where...)
	return []kfinding{f}, err
}

func (m *member) lsmHook(name string) (kernel.LSMHook, bool, error) {
	list, err := m.LSMHooks()
	if err != nil {
		return kernel.LSMHook{}, false, err
	}
	i, ok := slices.BinarySearchFunc(list, name, func(l kernel.LSMHook, n string) int { return strings.Compare(l.Name, n) })
	if !ok {
		return kernel.LSMHook{}, false, nil
	}
	return list[i], true, nil
}

// lsmChanged: an LSM hook passes other arguments (SH111).
func lsmChanged(c *kcontext) ([]kfinding, error) {
	if c.kind != hook.LSM || c.hook.Glob() || c.Missing(kernel.LSMHooks) != "" {
		return nil, nil
	}
	here, ok, err := c.lsmHook(c.name)
	if err != nil || !ok {
		return nil, err
	}
	for _, m := range c.fleet.asked {
		if m == c.member {
			return nil, nil
		}
		there, ok, err := m.lsmHook(c.name)
		if err != nil {
			return nil, err
		}
		if !ok || m.Missing(kernel.LSMHooks) != "" {
			continue
		}
		changes := protoChanges(there.Proto, here.Proto)
		if len(changes) == 0 {
			return nil, nil
		}
		return []kfinding{{Finding: Finding{
			Message: fmt.Sprintf("LSM hook %s passes other arguments than in %s: %s", c.name, m.id.Name, strings.Join(changes, "; ")),
			Remedy:  "read the arguments by kernel (a program for each, or CO-RE's bpf_core_* checks)",
		}, reason: reasonChanged}}, nil
	}
	return nil, nil
}
