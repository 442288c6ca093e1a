package misses

import (
	"github.com/surehook/surehook/hook"
)

// story is an example of missed executions.
type story struct {
	title string
	text  string // what happens, in sentences
	calls int
	// scenes are hooks to show it with; the first that can be attached is, and
	// of those that need a contended lock the first in which there was one.
	scenes []scene
}

// scene is two hooks of the same executions inside of an outer one: that which
// is skipped, and that which is advised.
type scene struct {
	outer, inner, instead hook.Hook
	does                  does
	// lock is what the outer program takes, with others that run on other
	// processors at the same time; "": none is looked for.
	lock string
	// symbol is that of the lock, if not all kernels have it.
	symbol string
}

// does is what the outer program does.
type does int

const (
	helpers does = iota // prints and updates a map
	spins               // takes long
	signals             // sends a signal
)

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
	timer := scene{inner: event("timer", "hrtimer_expire_entry"), instead: of(hook.RawTracepoint, "hrtimer_expire_entry"), does: spins}
	contended := scene{inner: event("lock", "contention_begin"), instead: of(hook.RawTracepoint, "contention_begin")}
	printing, signalling := contended, contended
	printing.lock, printing.symbol = "the lock of bpf_trace_printk", "trace_printk_lock"
	signalling.lock, signalling.does = "the lock of the process's signals, by bpf_send_signal_thread", signals
	return []story{
		{
			title: "A kprobe inside of another kprobe's program", calls: 1000,
			text: "The program of the outer hook updates a hash map. The kernel's function for that has a probe too: it is hit while the\n" +
				"first one's program runs, and skipped.",
			scenes: []scene{
				{outer: of(hook.Kprobe, getpgid), inner: of(hook.Kprobe, mapUpdate), instead: of(hook.Fentry, mapUpdate)},
				{outer: rename, inner: of(hook.KprobeMulti, mapUpdate), instead: of(hook.Fentry, mapUpdate)},
			},
		},
		{
			title: "bpf_trace_printk and its own event", calls: 1000,
			text:   "The program of the outer hook prints. What it prints passes a tracepoint, whose program is skipped.",
			scenes: []scene{with(print, of(hook.Kprobe, getpgid)), with(print, rename)},
		},
		{
			title: "A contended lock and lock:contention_begin", calls: 20000,
			text: "Programs of the outer hook run on several processors at a time and take one lock: that of bpf_trace_printk where the\n" +
				"kernel has it still (before Linux 6.2, and before the same mend in older ones), else that of the process's signals. One that\n" +
				"has to wait for it passes lock:contention_begin in the middle of the outer program, and the event's program is skipped.",
			scenes: []scene{with(printing, of(hook.Kprobe, getpgid)), with(printing, rename), with(signalling, rename)},
		},
		{
			title: "An interrupt in the middle of a program", calls: 3000,
			text: "The program of the outer hook takes some 100 µs. Timers that expire meanwhile interrupt it, and their tracepoint's\n" +
				"program is skipped.",
			scenes: []scene{with(timer, rename), with(timer, of(hook.KprobeMulti, getpgid))},
		},
	}
}
