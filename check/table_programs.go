package check

// The rules of compiled programs.
const (
	SH116 Code = "SH116" // no such field or type
	SH117 Code = "SH117" // field of another size
	SH118 Code = "SH118" // arguments that the program reads
	SH119 Code = "SH119" // event records that the program reads
	SH120 Code = "SH120" // helpers, kfuncs, maps, kinds of programs
)

func programRules() []Rule { return append(fieldRules(), readRules()...) }

func fieldRules() []Rule {
	return []Rule{
		{
			Code: SH116, Title: "no such field or type", Severity: Error, program: relocations,
			Summary: "The program needs a field, type or enumerator that the kernel does not have.",
			Explanation: `
Loaders look up every field that a program reads in the kernel's BTF (CO-RE). An
instruction whose field is not there is made invalid; the kernel refuses the
program if control can get to it.

    BPF_CORE_READ(task, state)     task_struct has __state since Linux 5.14

Code behind bpf_core_field_exists, bpf_core_type_exists and
bpf_core_enum_value_exists, or behind LINUX_KERNEL_VERSION, that control cannot
get to on a kernel does no harm there: it is guarded, and no finding. What
control gets to only with another value of a variable that the loader sets is a
warning.`,
			Remedy: "Guard the access, and read what the kernel has instead.",
		},
		{
			Code: SH117, Title: "field of another size", Severity: Error, program: sizes,
			Summary: "The program copies as many bytes of a field as it had where the program was compiled; the kernel has another number.",
			Explanation: `
bpf_probe_read_kernel copies a number of bytes that the compiler wrote into the
program. Loaders change where it reads, not how much:

    BPF_CORE_READ(file, f_mode)    8 bytes of 4: the upper half is what lies
                                   behind the field`,
			Remedy: "Copy bpf_core_field_size(field) bytes.",
		},
		{
			Code: SH120, Title: "helper, instruction, map or kind of program not there", Severity: Error, program: calls,
			Summary: "The program calls a helper or kfunc, or has an instruction, a map or a kind of program, that the kernel does not know.",
			Explanation: `
The kernel's own types say what it knows: enum bpf_func_id has its helpers, enum
bpf_map_type its maps, enum bpf_attach_type the kinds of programs.

    bpf_get_func_ip            since Linux 5.15
    BPF_MAP_TYPE_BLOOM_FILTER  since Linux 5.16

    atomic operations with a result   since Linux 5.12
    loads with sign extension         since Linux 6.6

Of helpers and kfuncs, code that control cannot get to is not looked at.
Instructions are known by the kernel's version. Which kinds of programs may call
a helper is judged only of helpers for packets and sockets.`,
			Remedy: "Guard it with bpf_core_enum_value_exists, or do without.",
		},
	}
}

func readRules() []Rule {
	return []Rule{
		{
			Code: SH118, Title: "the program reads another argument", Severity: Error, program: arguments,
			Summary: "The program reads an argument that the function does not have, or that is of another type.",
			Explanation: `
Programs read arguments by their number. What the number means is the kernel's
signature; what the program takes it for is seen from the fields that it reads:

    SEC("fexit/vfs_unlink")      the third slot is the result on Linux 5.10,
                                 the third argument from 5.12 on

A pointer to a struct may be used as one to a struct that begins with it (struct
sock as struct tcp_sock).`,
			Remedy: "Have a program for each signature, and load the one that fits.",
		},
		{
			Code: SH119, Title: "the program reads another field of the event", Severity: Error, program: eventReads,
			Summary: "The program reads the record of a tracepoint at an offset where the kernel has another field.",
			Explanation: `
A program on a tracepoint gets the event's record. With a struct of its own it
reads it at fixed offsets, which the kernel's format file need not have:

    $ cat /sys/kernel/tracing/events/block/block_rq_issue/format

Reads behind the end of the record are refused when the program is attached.`,
			Remedy: "Read through struct trace_event_raw_NAME of vmlinux.h, which loaders relocate.",
		},
	}
}
