package misses

import (
	"github.com/surehook/surehook/hook"
)

// story is an example of missed executions.
type story struct {
	title string
	text  string // what happens, in sentences
	spin  bool   // the outer program takes long, instead of calling helpers
	calls int
	// scenes are hooks to show it with; the first that can be attached is.
	scenes []scene
}

// scene is two hooks of the same executions inside of an outer one: that which
// is skipped, and that which is advised.
type scene struct{ outer, inner, instead hook.Hook }

// stories are those of "misses demo". getpgid is the architecture's name of
// that system call.
func stories(getpgid string) []story {
	of := func(kind hook.Kind, function string) hook.Hook { return hook.Hook{Kind: kind, Function: function} }
	event := func(system, name string) hook.Hook {
		return hook.Hook{Kind: hook.Tracepoint, Module: system, Function: name}
	}
	rename := event("task", "task_rename")
	print := scene{inner: event("bpf_trace", printk), instead: of(hook.RawTracepoint, printk)}
	with := func(s scene, outer hook.Hook) scene { s.outer = outer; return s }
	timer := scene{inner: event("timer", "hrtimer_expire_entry"), instead: of(hook.RawTracepoint, "hrtimer_expire_entry")}
	return []story{
		{
			title: "A kprobe inside of another kprobe's program", calls: 1000,
			text: "The program of the outer hook updates a hash map. The kernel's function for that has a probe too: it is hit while the\n" +
				"first one's program runs, and skipped.",
			scenes: []scene{
				{of(hook.Kprobe, getpgid), of(hook.Kprobe, mapUpdate), of(hook.Fentry, mapUpdate)},
				{rename, of(hook.KprobeMulti, mapUpdate), of(hook.Fentry, mapUpdate)},
			},
		},
		{
			title: "bpf_trace_printk and its own event", calls: 1000,
			text: "The program of the outer hook prints. What it prints passes a tracepoint, whose program is skipped. The same happens\n" +
				"to lock:contention_begin, when a lock that is taken in the middle of a program is contended.",
			scenes: []scene{with(print, of(hook.Kprobe, getpgid)), with(print, rename)},
		},
		{
			title: "An interrupt in the middle of a program", calls: 3000, spin: true,
			text: "The program of the outer hook takes some 100 µs. Timers that expire meanwhile interrupt it, and their tracepoint's\n" +
				"program is skipped.",
			scenes: []scene{with(timer, rename), with(timer, of(hook.KprobeMulti, getpgid))},
		},
	}
}
