package kernel

// Tracepoint is a trace event: what tracepoint hooks name.
type Tracepoint struct {
	System string // "sched"
	Name   string // "sched_switch"
	Module string // empty for vmlinux
	// Raw is the tracepoint behind it, for rawtracepoint hooks; empty for
	// syscalls, which share two.
	Raw    string
	Fields []Field // after the common ones
}

// Field is one field of an event's record as its format file shows it.
type Field struct {
	Type   string // C, "char[16]", "__data_loc char[]"
	Name   string
	Offset uint64 // in bytes from the record's beginning
	Size   uint64 // in bytes
	Signed bool
}

// RawTracepoint is a static point in the code with the arguments it passes.
type RawTracepoint struct {
	Name   string
	Module string
	Params []Param // without the first, private one; meaningful unless Missing(RawArgs)
}

// LSMHook is a security hook that BPF programs can be put on.
type LSMHook struct {
	Name  string // "file_open"
	Proto Proto
	// Attachable: the kernel has a bpf_lsm_ function for it.
	Attachable Answer
}
