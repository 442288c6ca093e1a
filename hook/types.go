package hook

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
)

// Hook is a hookpoint as a user writes it.
type Hook struct {
	Kind Kind
	// Target is the file as written: a path ("./bin", "/lib/x.so"), or a
	// library or program name to be looked up ("libc"). Empty for kernel hooks.
	Target string
	// Function is the function as written: a symbol, a source or demangled
	// name ("ns::f", "main.(*T).add", "f@GLIBC_2.2.5"), or a glob with * ? [].
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
