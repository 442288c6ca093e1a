package misses

import (
	"errors"
	"fmt"

	"github.com/surehook/surehook/hook"
)

// ErrNotSupported means that this system has no BPF programs that nest.
var ErrNotSupported = errors.New("the self-test needs Linux on amd64 or arm64")

// calls is how often each nesting of the self-test happens.
const calls = 32

// The hooks of the self-test: outer ones fire in getpgid(2) and
// prctl(PR_SET_NAME); inner ones in what their programs do, which is
// bpf_trace_printk and an update of a hash map.
const (
	mapUpdate = "htab_map_update_elem"
	printk    = "bpf_trace_printk"
)

// outerHooks are the hooks that others are nested in. getpgid is the
// architecture's name of that system call.
func outerHooks(getpgid string) []hook.Hook {
	return []hook.Hook{
		{Kind: hook.Kprobe, Function: getpgid}, {Kind: hook.Kretprobe, Function: getpgid}, {Kind: hook.KprobeMulti, Function: getpgid},
		{Kind: hook.Fentry, Function: getpgid}, {Kind: hook.Tracepoint, Module: "syscalls", Function: "sys_enter_getpgid"},
		{Kind: hook.Tracepoint, Module: "task", Function: "task_rename"}, {Kind: hook.RawTracepoint, Function: "task_rename"},
		{Kind: hook.LSM, Function: "task_getpgid"},
	}
}

// innerHooks are those that fire in the middle of them.
func innerHooks() []hook.Hook {
	return []hook.Hook{
		{Kind: hook.Kprobe, Function: mapUpdate}, {Kind: hook.Kretprobe, Function: mapUpdate},
		{Kind: hook.KprobeMulti, Function: mapUpdate}, {Kind: hook.KretprobeMulti, Function: mapUpdate},
		{Kind: hook.Fentry, Function: mapUpdate}, {Kind: hook.Fexit, Function: mapUpdate},
		{Kind: hook.Tracepoint, Module: "bpf_trace", Function: printk}, {Kind: hook.RawTracepoint, Function: printk},
	}
}

// nesting is what one outer hook did to all inner ones.
type nesting struct {
	outer  hook.Hook
	reason string // why it could not be tried
	ran    uint64 // executions of the outer program
	inner  []innerPart
}

type innerPart struct {
	hook               hook.Hook
	reason             string
	ran, program, link uint64
}

// conclude makes abilities of what was tried.
func conclude(tried []nesting) (*Abilities, error) {
	a := &Abilities{}
	for _, h := range innerHooks() {
		a.Kinds = append(a.Kinds, Ability{Kind: h.Kind, Hook: h.String()})
	}
	for _, n := range tried {
		a.Outer = append(a.Outer, Outer{Kind: n.outer.Kind, Hook: n.outer.String(), Reason: n.reason})
		for _, p := range n.inner {
			if err := a.note(n, p); err != nil {
				return nil, err
			}
		}
	}
	for i := range a.Kinds {
		b := &a.Kinds[i]
		if len(b.Trials) == 0 && b.Reason == "" {
			b.Reason = "no hook that it could be nested in can be attached"
		}
		if len(b.Trials) > 0 {
			b.Reason = ""
		}
	}
	a.Kinds = append(a.Kinds, Ability{Kind: hook.LSM, Reason: "nothing that a program can do calls a security hook, so that none can be nested"})
	return a, nil
}

// note adds one inner hook's part of a nesting.
func (a *Abilities) note(n nesting, p innerPart) error {
	for i := range a.Kinds {
		b := &a.Kinds[i]
		if b.Kind != p.hook.Kind {
			continue
		}
		if p.reason != "" {
			b.Reason = p.reason
			return nil
		}
		t := Trial{In: n.outer.String(), Kind: string(n.outer.Kind), Expected: n.ran, Ran: p.ran, Program: p.program, Link: p.link}
		if p.ran > n.ran {
			return fmt.Errorf("self-test: %s ran %d times in %d executions of %s", p.hook, p.ran, n.ran, n.outer)
		}
		if n.ran > 0 {
			b.Trials = append(b.Trials, t)
		}
	}
	return nil
}
