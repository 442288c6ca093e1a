package check

// The rules of gotcha 6, missed executions.
const (
	SH601 Code = "SH601" // starved by another program
	SH602 Code = "SH602" // may be starved
	SH603 Code = "SH603" // starved from an interrupt
	SH604 Code = "SH604" // the machine stands still
)

func togetherRules() []Rule {
	return []Rule{
		{
			Code: SH601, Title: "starved by another program", Severity: Warning, beyond: true,
			Summary: "The hook fires while the program of another hook runs, and the kernel does not run its program then.",
			Explanation: `
Programs of kprobes, tracepoints and perf events run one at a time on a CPU. A
helper that one of them calls can lead to the hook of another, whose program is
then skipped, every time:

    kprobe:vfs_read                calls bpf_get_stack
    kprobe.multi:__bpf_get_stack   never sees those of vfs_read

    $ surehook check --together --calls bpf_get_stack kprobe:vfs_read \
          kprobe.multi:__bpf_get_stack

It is said where each call on the way is made on every way through the code of
its function, or on every one on which that does not return an error, as when it
refuses its arguments: "unless bpf_trace_printk fails" is said then. Where one
is made under some other condition, SH602 is.

Whether the kernel counts it depends on both hooks and on its version: "surehook
misses" shows what is counted on a running one.`,
			Remedy: "Take a hook whose program only itself keeps from running: fentry or a raw tracepoint; an LSM hook is never skipped.",
		},
		{
			Code: SH602, Title: "may be starved", Severity: Info, beyond: true,
			Summary: "The hook may fire while the program of another hook runs: a call on the way is made under some condition, or seldom, or it is not known what that program calls.",
			Explanation: `
Given only by their hooks, programs may call any helper:

    $ surehook check --together kprobe:vfs_read kprobe:bpf_ringbuf_output

starves the second if the first writes to a ring buffer. --calls says what the
programs call.

Most calls inside the kernel are made under some condition. The finding names
the first such call; whether it holds is not looked at: htab_map_update_elem
frees an old element only where there was one. Ways that pass the slow path of a
lock, or are longer than three calls, are taken seldom: bpf_trace_printk reaches
lock:contention_begin only when its lock is contended.`,
			Remedy: "Say what the programs call (--calls), or take fentry or raw tracepoints, which others do not starve.",
		},
		{
			Code: SH603, Title: "starved from an interrupt", Severity: Info, beyond: true,
			Summary: "The hook fires in interrupts; one that comes while another program runs on the CPU is not seen.",
			Explanation: `
An interrupt does not wait for a BPF program:

    tracepoint:sched:sched_switch   takes 2 µs, 10,000 times a second
    kprobe:hrtimer_interrupt        misses the 2 % that come in the middle

Those are skipped as if the program itself had caused them. How many depends on
how long the other program runs, and how often.`,
			Remedy: "Take fentry or a raw tracepoint for what fires in interrupts; make the other program short.",
		},
		{
			Code: SH604, Title: "the machine stands still", Severity: Error, beyond: true,
			Summary: "A program that calls bpf_trace_printk runs inside of bpf_trace_printk, which holds a lock on this kernel: the CPU waits for itself.",
			Explanation: `
Before Linux 6.2 (commit e2bb9e01d589) bpf_trace_printk holds a spinlock while
it passes its tracepoint. What runs there is kept from running inside of itself
only, or not at all:

    rawtracepoint:bpf_trace_printk   prints; so does any other program

The first print of another program takes the lock, the second waits for it with
interrupts off.`,
			Remedy: "Do not print there: write to a ring buffer or a map.",
		},
	}
}
