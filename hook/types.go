package hook

import "strings"

// Kind is the kind of hookpoint.
type Kind string

// The kinds, spelled as bpftrace and libbpf spell them.
const (
	Uprobe        Kind = "uprobe"
	Uretprobe     Kind = "uretprobe"
	Kprobe        Kind = "kprobe"
	Kretprobe     Kind = "kretprobe"
	Fentry        Kind = "fentry"
	Fexit         Kind = "fexit"
	Tracepoint    Kind = "tracepoint"
	RawTracepoint Kind = "rawtracepoint"
	LSM           Kind = "lsm"

	// KprobeMulti and KretprobeMulti put one program on many functions in one
	// step (libbpf's "kprobe.multi"; since Linux 5.18).
	KprobeMulti    Kind = "kprobe.multi"
	KretprobeMulti Kind = "kretprobe.multi"
	// Ksyscall and Kretsyscall name a system call, "ksyscall:openat": libbpf
	// finds the architecture's name of the function.
	Ksyscall    Kind = "ksyscall"
	Kretsyscall Kind = "kretsyscall"
)

// User tells whether hooks of the kind are put on a file of user space.
func (k Kind) User() bool { return k == Uprobe || k == Uretprobe }

// Return tells whether hooks of the kind fire when the function returns.
func (k Kind) Return() bool {
	switch k {
	case Uretprobe, Kretprobe, Fexit, KretprobeMulti, Kretsyscall:
		return true
	}
	return false
}

// function tells whether hooks of the kind are put on a function's code, so
// that an offset or an address makes sense.
func (k Kind) function() bool { return k.User() || k == Kprobe || k == Kretprobe }

// Hook is a hookpoint as a user writes it.
type Hook struct {
	Kind Kind
	// Target is the file as written: a path ("./bin", "/lib/x.so"), or a
	// library or program name to be looked up ("libc"). Empty for kernel hooks.
	Target string
	// Module is the kernel module ("kprobe:xfs:f") or the category of a
	// tracepoint ("tracepoint:sched:sched_switch"). Empty for user hooks.
	Module string
	// Function is the function as written: a symbol, a source or demangled
	// name ("ns::f", "main.(*T).add", "f@GLIBC_2.2.5"), or a glob with * ? [].
	// Of a tracepoint or LSM hook it is the hook's name.
	Function string
	// Offset is the number of bytes after the function's entry ("f+0x10");
	// valid if HasOffset.
	Offset    uint64
	HasOffset bool
	// Address is a virtual address in the file given instead of a function
	// ("uprobe:./bin:0x1234"); valid if HasAddress.
	Address    uint64
	HasAddress bool
	// Text is the spelling the hook was parsed from.
	Text string
}

// Glob tells whether the function has the metacharacters of a glob. It may be
// a plain name all the same ("main.F[...]" in Go, "operator*" in C++): look
// for the exact name first.
func (h Hook) Glob() bool { return strings.ContainsAny(h.Function, "*?[") }
