//go:build amd64 || arm64

package misses

import (
	"errors"
	"fmt"
	"runtime"

	"github.com/surehook/surehook/hook"
	nest "github.com/surehook/surehook/internal/nesting"
	"github.com/surehook/surehook/internal/unix"
)

// SelfTest makes probes of all kinds nest on the running kernel and sees what
// it skips and what of that it counts. It attaches some twenty programs for a
// second, which act in one thread of this process only.
func SelfTest() (*Abilities, error) {
	getpgid := map[string]string{"amd64": "__x64_sys_getpgid", "arm64": "__arm64_sys_getpgid"}[runtime.GOARCH]
	outers := outerHooks(getpgid)
	target, err := nest.TargetHook()
	if err != nil {
		return nil, fmt.Errorf("self-test: %w", err)
	}
	outers = append(outers, target)
	var tried []nesting
	for _, outer := range outers {
		n, err := nestIn(outer)
		if err != nil {
			return nil, fmt.Errorf("self-test: %w", err)
		}
		tried = append(tried, n)
	}
	a, err := conclude(tried)
	if err != nil {
		return nil, err
	}
	if err := a.itself(); err != nil {
		return nil, err
	}
	if a.Release, err = unix.Release(); err != nil {
		return nil, err
	}
	a.Boot, err = bootID()
	return a, err
}

// nestIn nests all inner hooks in one.
func nestIn(outer hook.Hook) (nesting, error) {
	n := nesting{outer: outer}
	out, err := nest.Run(nest.Trial{Outer: outer, Action: nest.Print | nest.Update, Inner: innerHooks(), Calls: calls})
	var refused *nest.AttachError
	if errors.As(err, &refused) {
		n.reason = nest.Reason(refused.Err)
		return n, nil
	}
	if err != nil {
		return n, err
	}
	n.ran = out.Outer.Ran
	for _, p := range out.Inner {
		part := innerPart{hook: p.Hook, ran: p.Ran, program: p.Recursion}
		if p.Err != nil {
			part.reason = nest.Reason(p.Err)
		}
		if p.Missed != nil {
			part.link = *p.Missed
		}
		n.inner = append(n.inner, part)
	}
	return n, nil
}

// itself nests programs in themselves, which is all that the kernel guards
// those of raw tracepoints and fentry against.
func (a *Abilities) itself() error {
	raw := nest.Trial{
		Outer: hook.Hook{Kind: hook.RawTracepoint, Function: "task_rename"}, Action: nest.Print, Calls: calls,
		Inner: []hook.Hook{{Kind: hook.RawTracepoint, Function: printk}}, Same: true,
	}
	// The function is called by bpf(2), and again by its program.
	fentry := nest.Trial{Outer: hook.Hook{Kind: hook.Fentry, Function: mapUpdate}, Action: nest.Update, Calls: calls, Touch: true}
	for _, t := range []nest.Trial{raw, fentry} {
		out, err := nest.Run(t)
		if errors.As(err, new(*nest.AttachError)) || err == nil && len(out.Inner) > 0 && out.Inner[0].Err != nil {
			continue // the other trials have said why
		}
		if err != nil {
			return fmt.Errorf("self-test: %w", err)
		}
		for i := range a.Kinds {
			if k := &a.Kinds[i]; k.Kind == t.Outer.Kind && out.Completed > 0 {
				k.Trials = append(k.Trials, Trial{
					In: t.Outer.String(), Kind: Itself, Expected: 2 * uint64(out.Completed), Ran: out.Outer.Ran, Program: out.Outer.Recursion,
				})
			}
		}
	}
	return nil
}
