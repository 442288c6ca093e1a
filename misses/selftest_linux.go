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
	if err := a.raw(); err != nil {
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

// raw nests a raw tracepoint's program in itself, which is all that the kernel
// guards these against.
func (a *Abilities) raw() error {
	outer, inner := hook.Hook{Kind: hook.RawTracepoint, Function: "task_rename"}, hook.Hook{Kind: hook.RawTracepoint, Function: printk}
	out, err := nest.Run(nest.Trial{Outer: outer, Action: nest.Print, Inner: []hook.Hook{inner}, Calls: calls, Same: true})
	if errors.As(err, new(*nest.AttachError)) || err == nil && out.Inner[0].Err != nil {
		return nil // the trials above have said why
	}
	if err != nil {
		return fmt.Errorf("self-test: %w", err)
	}
	for i := range a.Kinds {
		if a.Kinds[i].Kind == hook.RawTracepoint {
			a.Kinds[i].Trials = append(a.Kinds[i].Trials, Trial{
				In: outer.String(), Kind: Itself, Expected: 2 * uint64(out.Completed), Ran: out.Outer.Ran, Program: out.Outer.Recursion,
			})
		}
	}
	return nil
}
