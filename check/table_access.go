package check

// The rules about what a program reads, on a kernel.
const (
	SH131 Code = "SH131" // argument that is not there
	SH132 Code = "SH132" // argument of another type
	SH133 Code = "SH133" // member that is not there
	SH134 Code = "SH134" // reads that cannot be checked
	SH203 Code = "SH203" // register of another architecture
)

func accessRules() []Rule {
	return []Rule{
		{
			Code: SH131, Title: "argument that is not there", Severity: Error, beyond: true,
			Summary: "A program reads an argument that the function does not take on this kernel, or not in its register: what it gets is garbage.",
			Explanation: `
A kprobe reads arguments from registers. Nothing checks that there is one:

    kprobe:cap_capable { @[arg3] = count(); }   // int audit, until Linux 5.0
    kprobe:cap_capable { @[arg4] = count(); }   // there are four arguments

The second counts what the caller left in a register. The same happens where
the compiler has dropped or moved a parameter of a static function
(finish_task_switch.isra.0).`,
			Remedy: "Read the arguments by kernel, or take a tracepoint, whose fields have names.",
		},
		{
			Code: SH132, Title: "argument of another type", Severity: Error, beyond: true,
			Summary: "A program takes an argument for another struct than it is on this kernel.",
			Explanation: `
The place is right and the type is not:

    kprobe:oom_kill_process { $oc = (struct oom_control *)arg0; ... }

When a release puts a parameter before it, the program follows a pointer to
something else, and prints what stands there. A struct that begins with the
other one (struct tcp_sock begins with struct sock) is no finding.`,
			Remedy: "Read the arguments by kernel (BTFs and CO-RE tell), or hook a function with a stable signature.",
		},
		{
			Code: SH133, Title: "member that is not there", Severity: Error, beyond: true,
			Summary: "A program reads a member of a struct, or a field of an event, that this kernel does not have.",
			Explanation: `
Members come and go as functions do:

    kprobe:blk_account_io_start {
      $rq = (struct request *)arg0; $d = $rq->rq_disk; ... }

rq_disk left struct request in Linux 5.17; the disk is behind q since. bpftrace
refuses the script then, libbpf the object, unless the program asks first
(bpf_core_field_exists).`,
			Remedy: "Read it by kernel, or ask first whether it is there.",
		},
		{
			Code: SH134, Title: "reads that cannot be checked", Severity: Info, beyond: true,
			Summary: "What a program reads cannot be compared with the kernel: a signature, a type or a name is not known.",
			Explanation: `
A script that brings its own definition of a struct reads what that says:

    struct nameidata { struct path path; struct qstr last; };
    kprobe:lookup_fast { $nd = (struct nameidata *)arg0; ... }

Whether the kernel has the same layout is not looked at; nor is anything where
the facts on a kernel have no signatures or types.`,
			Remedy: "Look yourself. A script's own definitions can be left to the kernel's BTF (#ifndef BPFTRACE_HAVE_BTF).",
		},
		{
			Code: SH203, Title: "register of another architecture", Severity: Error, beyond: true, program: otherRegisters,
			Summary: "A program names a register that the kernel's architecture does not have.",
			Explanation: `
Registers are no interface between architectures:

    kprobe:f { @[reg("di")] = count(); }   // the first argument on x86-64
    kprobe:f { @[reg("r0")] = count(); }   // the same on arm64

arg0 is the first argument on both. PT_REGS_PARM1(ctx) of an object is compiled
for one of them: byte 112 of the registers (di) on amd64, byte 0 (x0) on arm64.
Where loaders relocate it the program is refused on the other; where they do not
it reads another register.`,
			Remedy: "Use arg0, arg1, ..., retval, or a file for each architecture.",
		},
	}
}
