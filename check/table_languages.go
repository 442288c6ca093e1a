package check

// The codes of what a language's own run time does.
const (
	SH412 Code = "SH412" // Go: entry before the stack check
	SH413 Code = "SH413" // Go: return probe
	SH414 Code = "SH414" // uretprobe that breaks the program
)

func languageRules() []Rule {
	return []Rule{
		{
			Code: SH412, Title: "Go: entry before the stack check", Severity: Warning, run: stackCheck,
			Summary: "A Go function that has to grow its stack passes its entry twice: the plain probe counts two executions.",
			Explanation: `
A goroutine begins with a small stack. A function that needs more than is left
calls the run time, which moves the stack and begins the function once more:

    main.small:     cmp  0x10(%r14),%rsp      // the plain probe is here
                    jbe  grow
                    push %rbp                 // an execution begins here
                    ...
    grow:           call runtime.morestack_noctxt
                    jmp  main.small

How often that happens depends on the depth of the stack, so the counts change
from run to run: 30,043 hits of 30,009 calls.`,
			Remedy: "Probe the first instruction behind the check, as surehook does.",
		},
		{
			Code: SH413, Title: "Go: return probe", Severity: Error, run: goReturn,
			Summary: "A uretprobe on Go code crashes the program.",
			Explanation: `
A uretprobe replaces the return address on the stack. Go's run time reads
stacks: to move them when they grow, and to find pointers. It looks every return
address up, and the probe's is none of its own:

    $ bpftrace -e 'uretprobe:./prog:main.f { @ = count(); }'
    runtime: unexpected return pc for main.f called from 0x7fffffffe000
    fatal error: unknown caller pc

The program dies as soon as a stack grows or the garbage collector runs below
the probed function (golang/go#22008). surehook probes its return instructions,
that of the epilogue too which a recovered panic comes to.`,
			Remedy: "Use surehook trace, which probes the function's return instructions.",
		},
		{
			Code: SH414, Title: "uretprobe that breaks the program", Severity: Error, run: unsafeReturn,
			Summary: "A uretprobe changes a return address that an unwinder reads, or what is no return address.",
			Explanation: `
A uretprobe overwrites the return address on the stack. The unwinder of C++
and Rust does not know what is there then: an exception or a panic that passes
the function ends the program instead of being caught:

    $ bpftrace -e 'uretprobe:./prog:f { @ = count(); }' -c ./prog
    terminate called after throwing an instance of 'int'

surehook probes the return instructions of functions that may be passed so.
Where a program starts, in a cold part, in the midst of a function no return
address is on top of the stack, and what is there is overwritten (argc).`,
			Remedy: "Use surehook trace, which probes return instructions, or probe entries.",
		},
	}
}
