package nesting

import "github.com/surehook/surehook/hook"

// Action is what the outer program does: a set.
type Action uint32

// The actions, as those of package bpf.
const (
	Print  Action = 1 << iota // bpf_trace_printk
	Update                    // bpf_map_update_elem and bpf_map_delete_elem of a hash map
	Stack                     // bpf_get_stack of the kernel
	Output                    // bpf_ringbuf_output
	Spin                      // some 100 µs of bpf_ktime_get_ns, for interrupts to come
	Signal                    // bpf_send_signal_thread, which takes the lock of the process's signals
)

// Trial is one nesting. A uprobe is named by the file offset in its target;
// no other hook has offsets or addresses.
type Trial struct {
	Outer  hook.Hook
	Action Action
	Inner  []hook.Hook // at most MaxInner; each has a program of its own
	// Calls is how often the work is done: getpgid, prctl(PR_SET_NAME) and a
	// call of Target.
	Calls int
	// Threads is how many do the work, each its Calls and each on a CPU of its
	// own; 0: one. Of several it is the process whose executions of the outer
	// hook are counted, and of the inner ones those in the middle of its program.
	Threads int
	// Enough ends the work early, when the last inner program has counted this
	// many; 0: never.
	Enough uint64
	// Same attaches the outer program itself, and no others, to the inner hooks
	// as well, where it does nothing. Outer and inner hooks must be of a kind
	// whose programs can be attached twice: raw tracepoints.
	//
	// A program that does the action inside of the action must not be made:
	// before Linux 6.2 bpf_trace_printk holds a lock (e2bb9e01d589), and the
	// machine would stand still.
	Same bool
	// Touch adds an update of a hash map by bpf(2) to the work.
	Touch bool
	// Look, if it is set, is called when the work is done and all is attached
	// still.
	Look func(outer Attached, inner []Attached) error
}

// Attached is one of the hooks of a trial while it is attached.
type Attached struct {
	Part
	Program uint32 // its number
}

// MaxInner is how many inner hooks a trial may have.
const MaxInner = 31

// Outcome is what became of a trial. Counts are of its thread or threads.
type Outcome struct {
	Outer     Part
	Inner     []Part // as in Trial.Inner
	Completed int    // calls
}

// Part is what became of one hook.
type Part struct {
	Hook hook.Hook
	Err  error  // it could not be attached; nothing else is set
	Ran  uint64 // executions that its program counted itself
	// Recursion is recursion_misses of the program, of all threads, and 0 on
	// kernels that do not have it (before Linux 5.12).
	Recursion uint64
	// Missed is what the link's information says; nil where it has no such
	// number. Kernels before Linux 6.7 do not fill it in and leave 0.
	Missed *uint64
}
