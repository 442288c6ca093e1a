package check

// The rules of gotcha 4, selective inlining: where copies of the function are.
const (
	SH401 Code = "SH401" // selective inlining
	SH402 Code = "SH402" // full inlining
	SH403 Code = "SH403" // suspected inlining
	SH404 Code = "SH404" // inside an instruction
	SH405 Code = "SH405" // identical code folding
	SH406 Code = "SH406" // cannot be told
	SH407 Code = "SH407" // no debug information
	SH408 Code = "SH408" // debug information not read
	SH409 Code = "SH409" // no place of its own
	SH410 Code = "SH410" // returns of inlined copies
	SH411 Code = "SH411" // instruction that cannot be probed
)

func inliningRules() []Rule {
	return append(inlinedRules(), evidenceRules()...)
}

func inlinedRules() []Rule {
	return []Rule{
		{
			Code: SH401, Title: "selective inlining", Severity: Error, run: selective, kernel: kernelSelective,
			Summary: "The symbol is there and the probe attaches, but some callers hold an inlined copy.",
			Explanation: `
The compiler decides call by call whether to inline. Where it does, the body is
copied into the caller and nothing is called; where it does not, the function
is called as written. A function of a library also keeps its body for others:

    int add(int a, int b) { return a + b; }      // add.c
    ...  sum = add(sum, i);                       // the same file: inlined
    ...  total = add(x, y);                       // another file: called

    $ bpftrace -e 'uprobe:./prog:add { @ = count(); }' -c './prog 10'
    @: 2
    $ surehook trace --count --prove uprobe:./prog:add -c './prog 10'
    plain probe saw 2 of 13 executions

No tool warns: the symbol exists, the attach succeeds, some events come.`,
			Remedy: "Put a probe on the body and on the start of every copy; the addresses hold for this build only.",
		},
		{
			Code: SH402, Title: "full inlining", Severity: Error, run: full, kernel: kernelFull,
			Summary: "No body is left to probe: the function exists only as copies in its callers.",
			Explanation: `
A static function that is inlined everywhere needs no body. It has no symbol,
so a probe by its name cannot attach:

    static int clamp(int v) { return v > 9 ? 9 : v; }

    $ bpftrace -e 'uprobe:./prog:clamp { @ = count(); }'
    No probes to attach

The debug information still says where each copy is.`,
			Remedy: "Put a probe on the start of every copy.",
		},
		{
			Code: SH403, Title: "suspected inlining", Severity: Warning, run: suspected,
			Summary: "Without debug information, the machine code itself says that the function was inlined.",
			Explanation: `
A function with a local symbol that nothing in the file calls, and whose
address nobody takes, would have been dropped by the compiler if it were not
needed. If it is there all the same, its callers most likely hold copies:

    $ objdump -d ./prog | grep -c 'call.*<add>'
    0

Where the copies are cannot be told from the code alone.`,
			Remedy: "Get the debug information of this very build (by its build id).",
		},
		{
			Code: SH404, Title: "inside an instruction", Severity: Error, run: notBoundary, kernel: kernelOffset,
			Summary: "The offset is not the start of an instruction; probing it breaks the program.",
			Explanation: `
An uprobe replaces the byte at its place by a breakpoint. Inside an
instruction that byte is data, not an opcode:

    1149:  b8 2a 00 00 00    mov  $0x2a,%eax
    add+1: b8 cc 00 00 00    mov  $0xcc,%eax     the program now computes 0xcc

The kernel does not check it for uprobes. On arm64 instructions are four
bytes, aligned.`,
			Remedy: "Use an address that begins an instruction.",
		},
		{
			Code: SH405, Title: "identical code folding", Severity: Warning, run: folded,
			Summary: "The linker merged functions of the same code: the probe counts calls of all of them.",
			Explanation: `
With --icf (gold, lld, mold) or -fipa-icf (gcc -O2) functions whose code is the
same become one:

    get_width    0x1180
    get_height   0x1180

A probe on "get_width" then also fires for "get_height". Nothing is lost, but
the count is too high.`,
			Remedy: "Link without folding, or probe the callers you mean.",
		},
		{
			Code: SH410, Title: "returns of inlined copies", Severity: Error, run: returns, kernel: lostReturn,
			Summary: "An inlined copy has no return instruction: a uretprobe sees only the calls of the body.",
			Explanation: `
A uretprobe replaces the return address on the stack when the function is
entered by a call. An inlined copy is not called and does not return: control
just goes on in the caller. surehook probes the ways out of the copy:

    $ surehook trace --count --prove uretprobe:./prog:add -c './prog 10'
    add: 13 returns
      plain probe saw 2 of 13 returns

Executions that never return (exit, abort, longjmp, an exception) are none.`,
			Remedy: "Use surehook trace, or put a probe on every way out of every copy.",
		},
		{
			Code: SH411, Title: "instruction that cannot be probed", Severity: Error, run: hazard,
			Summary: "A breakpoint on the function's first instruction fails, or makes the kernel skip the instruction.",
			Explanation: `
The kernel refuses a uprobe on an instruction with a lock prefix. Some vector
instructions (VEX and EVEX with opcode 70 to 7f, e8, e9, eb or 90) it takes for
a jump, a call or a nop when they are probed: they are not executed, and the
program goes on with wrong data. Nothing is reported:

    put:  vmovdqu %ymm0,(%rdi)     // probed: nothing is stored

surehook puts its probe on the next instruction that is executed as often.`,
			Remedy: "Probe the next instruction of the function, or use surehook trace, which does.",
		},
	}
}

func evidenceRules() []Rule {
	return []Rule{
		{
			Code: SH406, Title: "cannot be told", Severity: Warning, run: unknown, kernel: all(kernelUnsure, unreadModules),
			Summary: "The machine code or the debug information leaves open whether every execution is seen.",
			Explanation: `
A verdict is "unknown" when the evidence does not carry a yes or a no: a jump
whose targets are not known may enter a copy, the code could not be
disassembled, or the debug information and the code disagree. surehook never
turns that into "complete":

    plain   unknown   an indirect jump at 0x14c2 has unknown targets

The reasons are the finding's evidence.`,
			Remedy: "Count a run whose number of calls you know, with trace --count --prove.",
		},
		{
			Code: SH407, Title: "no debug information", Severity: Warning, run: noDebug, kernel: noInlining,
			Summary: "Inlined copies are recorded in the debug information only, and there is none.",
			Explanation: `
Whether and where a function was inlined is written in DWARF
(DW_TAG_inlined_subroutine) and nowhere else. A stripped file has symbols at
best: the probe attaches, and nobody can say what it misses:

    $ surehook check uprobe:/usr/bin/prog:add
    unknown: no debug information (looked for build id 4f1c...)

surehook looks in the file, by build id under /usr/lib/debug and by
.gnu_debuglink.`,
			Remedy: "Install the debug symbols of this very build, or name their directory with --debug-dir, or a server in DEBUGINFOD_URLS with --debuginfod.",
		},
		{
			Code: SH408, Title: "debug information not read", Severity: Warning, run: gap,
			Summary: "There is debug information that surehook cannot read, and copies may be recorded in it.",
			Explanation: `
Some forms of debug information are spread over several files: dwz moves what
files share into an alternate file, which surehook reads where the file that
names it says, in .dwz directories and by build id; -gsplit-dwarf leaves it in
.dwo files, which are read where the compiler put them, beside the program, and
in its .dwp package. A file may be missing, or of another build.
Damaged units are skipped. A tool that ignores this finds no copies and says
"not inlined". surehook says what it has not read:

    unknown: debug information is split (.dwo/.dwp) and a part was not found:
             a.dwo: /src/a.dwo does not exist; /opt/prog/a.dwo does not exist`,
			Remedy: "Put the missing files where they were looked for, or count a run whose number of calls you know.",
		},
		{
			Code: SH409, Title: "no place of its own", Severity: Warning, run: planLost, kernel: planPlaces,
			Summary: "Some executions left no instruction to probe: no tool can count them.",
			Explanation: `
Optimising can leave nothing of a call: a copy whose result is known at
compile time, an early return that became part of the caller's own branch, two
calls merged into one, a recursion that became a loop:

    if (add(2, 3) == 5)      // gcc computes it: the copy is empty

Such copies are recorded in the debug information without any instruction.
The count is then a lower bound.`,
			Remedy: "Build the function with __attribute__((noinline)) if every execution has to be seen.",
		},
	}
}
