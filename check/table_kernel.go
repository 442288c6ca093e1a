package check

// The rules of gotcha 1, kernel versions, and 2, architectures.
const (
	SH101 Code = "SH101" // no such function
	SH102 Code = "SH102" // renamed
	SH103 Code = "SH103" // other arguments
	SH104 Code = "SH104" // kind of hook not supported
	SH105 Code = "SH105" // no place for ftrace
	SH106 Code = "SH106" // on the kprobe blacklist
	SH107 Code = "SH107" // several functions of one name
	SH108 Code = "SH108" // in a module
	SH109 Code = "SH109" // no such tracepoint
	SH110 Code = "SH110" // other fields
	SH111 Code = "SH111" // other raw arguments
	SH112 Code = "SH112" // no such LSM hook
	SH113 Code = "SH113" // BPF LSM not active
	SH114 Code = "SH114" // not in BTF
	SH115 Code = "SH115" // boot only
	SH201 Code = "SH201" // kind of hook not on this architecture
	SH202 Code = "SH202" // system calls by architecture
)

func kernelRules() []Rule {
	all := append(functionRules(), supportRules()...)
	return append(append(all, eventRules()...), architectureRules()...)
}

// all runs several rule functions as one.
func all(rules ...func(*kcontext) ([]kfinding, error)) func(*kcontext) ([]kfinding, error) {
	return func(c *kcontext) (found []kfinding, err error) {
		for _, run := range rules {
			f, err := run(c)
			if err != nil {
				return nil, err
			}
			found = append(found, f...)
		}
		return found, nil
	}
}

func functionRules() []Rule {
	return []Rule{
		{
			Code: SH101, Title: "no such function", Severity: Error, kernel: absent,
			Summary: "The kernel has no function of that name, and nothing that it obviously became.",
			Explanation: `
Functions inside the kernel are no interface: they come and go with every
release. A kprobe on one that is gone fails to attach, and a program that
treats that as optional is silent:

    $ surehook check --kernel all kprobe:blk_account_io_merge_bio

The table shows which of the kernels that you ship to have it.`,
			Remedy: "Take an alternative that all kernels have, or attach by kernel.",
		},
		{
			Code: SH102, Title: "renamed", Severity: Error, kernel: renamed,
			Summary: "The function is gone, and another one stands in its place.",
			Explanation: `
A function that is gone often lives on under another name: it was split
(do_f, __f), converted (page to folio), or wrapped (f_noprof). surehook
compares with a kernel that still has it: who called it and what it called,
the file it was declared in, and its arguments:

    _do_fork            called by 3 of the 3 functions that called it, same
                        file, same arguments: kernel_clone since 5.10

It is evidence, not proof: look at the arguments before you rely on it.`,
			Remedy: "Hook it by the name that each kernel has.",
		},
		{
			Code: SH103, Title: "other arguments", Severity: Warning, kernel: signatureChanged,
			Summary: "The function is there in several kernels, with other parameters: the probe fires and reads the wrong ones.",
			Explanation: `
Nothing fails when a parameter was added in the middle: arg2 is then what arg1
was. In Linux 5.12 most functions of the file system took another first one:

    5.10   int vfs_rename(struct inode *, struct dentry *, ...)
    5.12   int vfs_rename(struct renamedata *)

What is compared is the signature in the source of each kernel; the first one
asked for is the measure.`,
			Remedy: "Read the arguments by kernel: a program for each, or CO-RE checks.",
		},
		{
			Code: SH107, Title: "several functions of one name", Severity: Error, kernel: duplicate,
			Summary: "Static functions of one name: the kernel refuses the name, or takes the first and misses the others.",
			Explanation: `
Static functions of different files may share a name; Debian's 6.1 has 300
such names:

    $ sudo grep -w get_next /proc/kallsyms

Older kernels put a kprobe on the first and say nothing. Since Linux 6.7, and
in stable kernels since, the attach fails with EADDRNOTAVAIL, also where the
other symbol is a variable (pt_regs_offset). fentry and kprobe.multi still take
the first.`,
			Remedy: "Hook a caller, or put kprobes at the addresses.",
		},
		{
			Code: SH108, Title: "in a module", Severity: Info, kernel: all(inModule, eventInModule),
			Summary: "The function belongs to a module and can be hooked while that is loaded.",
			Explanation: `
A hook on a module's function fails while the module is not loaded. A kprobe
goes with its module when that is unloaded, and does not come back by itself:

    kprobe:xfs_file_open       fails before "modprobe xfs"`,
			Remedy: "Load the module before attaching.",
		},
		{
			Code: SH115, Title: "runs during boot only", Severity: Error, kernel: bootOnly,
			Summary: "The function is in code that is freed after boot (__init).",
			Explanation: `
Functions marked __init have symbols, also in /proc/kallsyms, but their memory
is given back when the kernel has booted:

    Freeing unused kernel image (initmem) memory: 2708K

Nothing can be attached there, and nothing would ever fire.`,
			Remedy: "Hook a function that runs later.",
		},
	}
}

func supportRules() []Rule {
	return []Rule{
		{
			Code: SH104, Title: "kind of hook not supported", Severity: Error, kernel: unsupported,
			Summary: "The kernel was built without what the kind of hook needs.",
			Explanation: `
Whether a kernel has kprobes, kprobe.multi, fentry or BPF LSM is decided when
it is built, not by its version:

    kprobe              CONFIG_KPROBE_EVENTS, CONFIG_BPF_EVENTS
    kprobe.multi        CONFIG_FPROBE: Debian's cloud kernel 6.1 lacks it
    fentry, fexit, lsm  CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS, BTF, BPF_JIT
    lsm                 CONFIG_BPF_LSM besides

surehook reads the configuration; where that is not at hand, functions that
are in the kernel exactly if an option is set.`,
			Remedy: "Take a kind that every kernel has.",
		},
		{
			Code: SH105, Title: "no place for ftrace", Severity: Error, kernel: untraceable,
			Summary: "The compiler left no room for a call to ftrace in the function (notrace): the kernel refuses the probe.",
			Explanation: `
fentry, fexit and kprobe.multi are put on the NOP that the compiler leaves at
the beginning of every function, except those that are marked notrace or
noinstr. kprobes do not need it, but are refused there too unless the kernel
has CONFIG_KPROBE_EVENTS_ON_NOTRACE:

    $ grep -w FUNCTION /sys/kernel/tracing/available_filter_functions`,
			Remedy: "Hook a function that it calls, or that calls it.",
		},
		{
			Code: SH106, Title: "on the kprobe blacklist", Severity: Error, kernel: blacklisted,
			Summary: "The kernel refuses kprobes there: a probe could hit itself.",
			Explanation: `
What handles a kprobe may not be probed: code marked NOKPROBE_SYMBOL or
noinstr, entry code, and what the architecture adds. Attaching fails with
EINVAL:

    $ grep -w FUNCTION /sys/kernel/debug/kprobes/blacklist`,
			Remedy: "Hook a function that it calls, or that calls it.",
		},
		{
			Code: SH114, Title: "not in BTF", Severity: Error, kernel: noBTF,
			Summary: "fentry and fexit find a function by the kernel's BTF, and it is not there or its signature does not fit.",
			Explanation: `
BTF is made from debug information by pahole, which leaves functions out: those
whose parameters were optimised away, and those of which there are several with
different signatures. Such a function has a symbol, and a kprobe works:

    libbpf: failed to find kernel BTF type ID of 'FUNCTION': -3`,
			Remedy: "Take a kprobe.",
		},
	}
}

func eventRules() []Rule {
	return []Rule{
		{
			Code: SH109, Title: "no such tracepoint", Severity: Error, kernel: noEvent,
			Summary: "The kernel has no tracepoint, or raw tracepoint, of that name.",
			Explanation: `
Tracepoints are more stable than functions, and still are added, renamed and
moved to another system:

    5.10   tracepoint:writeback:writeback_dirty_page
    6.1    tracepoint:writeback:writeback_dirty_folio`,
			Remedy: "Take the name that each kernel has.",
		},
		{
			Code: SH110, Title: "other fields", Severity: Warning, kernel: fieldsChanged,
			Summary: "The tracepoint's record has other fields than in the first of the kernels asked for.",
			Explanation: `
A program for a tracepoint reads a record whose layout is in the event's
format file. If it was compiled with a struct, and a field was dropped, took
another size or moved, it reads something else:

    $ cat /sys/kernel/tracing/events/sched/sched_switch/format`,
			Remedy: "Read the fields by name when attaching, as bpftrace does.",
		},
		{
			Code: SH111, Title: "other arguments of a raw hook", Severity: Warning, kernel: all(rawChanged, lsmChanged),
			Summary: "A raw tracepoint or LSM hook passes other arguments than in the first of the kernels asked for.",
			Explanation: `
Raw tracepoints pass what the code at hand has, and that changes without
notice. For some time in Linux 5.18 sched_switch had an argument more in the
middle, and programs that took prev by its place read a number as a pointer:

    (bool preempt, struct task_struct *prev, struct task_struct *next)
    (bool preempt, unsigned int prev_state, struct task_struct *prev, ...)`,
			Remedy: "Read the arguments by kernel: a program for each, or CO-RE checks.",
		},
		{
			Code: SH112, Title: "no such LSM hook", Severity: Error, kernel: noLSM,
			Summary: "The kernel has no security hook of that name that BPF programs could be put on.",
			Explanation: `
LSM hooks follow the kernel's security modules: they are added, split and
renamed with them. A program is put on a function that is made for each:

    SEC("lsm/file_open")       is put on bpf_lsm_file_open`,
			Remedy: "Take the name that each kernel has.",
		},
		{
			Code: SH113, Title: "BPF LSM not active", Severity: Error, kernel: inactive,
			Summary: "Programs on LSM hooks attach and never run: bpf is not among the active security modules.",
			Explanation: `
A kernel with CONFIG_BPF_LSM still runs the programs only if bpf is in its list
of security modules, which is CONFIG_LSM or the boot parameter lsm=:

    $ cat /sys/kernel/security/lsm
    lockdown,capability,landlock,yama,apparmor

Attaching succeeds all the same.`,
			Remedy: "Boot with bpf in lsm=, or take another kind of hook.",
		},
	}
}

func architectureRules() []Rule {
	return []Rule{
		{
			Code: SH201, Title: "kind of hook not on this architecture", Severity: Error, kernel: onArch,
			Summary: "The kernel of this architecture lacks what the kind of hook needs; that of another one has it.",
			Explanation: `
fentry, fexit and BPF LSM need ftrace's direct calls. amd64 has them since
Linux 5.5, arm64 since 6.4 (and Debian's 6.1 for arm64 has not):

    CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS is not set`,
			Remedy: "Take kprobes there.",
		},
		{
			Code: SH202, Title: "system calls by architecture", Severity: Error, kernel: syscalls,
			Summary: "The functions of system calls have the architecture in their name, and their arguments in a struct.",
			Explanation: `
Since Linux 4.17 the function of openat is __x64_sys_openat on amd64 and
__arm64_sys_openat on arm64, and takes one argument: a pointer to the
registers of the caller, where the real arguments are:

    kprobe:__x64_sys_openat    arg0 is struct pt_regs *, arg0->si the name

Calls of 32-bit programs go to other functions.`,
			Remedy: "Take tracepoint:syscalls:sys_enter_NAME, or libbpf's ksyscall.",
		},
	}
}
