package attach

import (
	"errors"
	"log/slog"

	"github.com/surehook/surehook/flow"
)

// ErrNotPermitted means the process may not load BPF programs or attach
// uprobes: root, or CAP_BPF and CAP_PERFMON (CAP_SYS_ADMIN before Linux 5.8).
var ErrNotPermitted = errors.New("not permitted to load and attach BPF programs; run as root or with CAP_BPF and CAP_PERFMON")

// ErrNotSupported means that this system cannot attach at all (not Linux, or
// a kernel without uprobes or BPF).
var ErrNotSupported = errors.New("attaching is not supported on this system")

// Probe is one breakpoint in a file, or one place or event of the kernel,
// counted on its own.
type Probe struct {
	// Symbol is that of the running kernel which Offset counts from, in plans
	// of the kernel, or the name of an event; empty in those of files.
	Symbol string
	// Address is that of the symbol in the running kernel where several have
	// the name; 0 where the name tells.
	Address uint64
	Offset  uint64    // file offset; of the kernel: from Symbol
	Cond    flow.Cond // the hit counts only when it holds; zero: always
	Return  bool      // count the return of the function that begins at Offset (uretprobe, kretprobe, fexit)
	Ways    Ways      // how a probe of the kernel is attached; zero: by a kprobe
}

// Way is a way to attach a probe of the kernel.
type Way uint8

// The ways. Those behind ByKprobeMulti are put on events, which Symbol names.
const (
	NoWay           Way = iota
	ByKprobe            // kprobe or kretprobe, at any instruction
	ByFentry            // fentry or fexit, at the entry of a function in the kernel's BTF
	ByKprobeMulti       // one link for the entries of many functions that ftrace knows
	ByTracepoint        // Symbol is "system:name"
	ByRawTracepoint     // Symbol is its name
	ByLSM               // Symbol is the hook's name
)

// Ways are tried one after the other until the kernel takes one.
type Ways [3]Way

// Plan is the set of probes of one file, or of the kernel. No two probes may be
// equal; probes at one place with different Cond are allowed.
type Plan struct {
	Path   string // empty: the running kernel; all plans of a Session are, or none
	Probes []Probe
}

// Options of Open; the zero value counts, all or nothing, in every process.
type Options struct {
	PID        int  // only this process (thread group); 0: all
	Children   bool // with PID: what it forks from now on too, and theirs (needs the kernel's BTF)
	BestEffort bool // keep what could be attached; see Session.Failures
	Events     bool // deliver an Event a hit as well as counting
	RingBytes  int  // of the event ring; 0: 4 MiB
	PerfEvents bool // use perf-event uprobes even where uprobe_multi exists
	// AllowHazards attaches where this kernel is known to corrupt the traced
	// process (ErrHazard otherwise).
	AllowHazards bool
	// Name is under what a session of a Base is pinned (BaseOptions.Pin): letters,
	// digits and hyphens. Empty: it is not.
	Name   string
	Logger *slog.Logger
}

// Event is one hit of a probe whose condition held.
type Event struct {
	Time  uint64 // ns, CLOCK_MONOTONIC
	PID   uint32 // thread group
	TID   uint32
	Comm  string
	Plan  int // index in the plans given to Open
	Probe int // index in that plan's Probes
	// Undecided means that the condition could not be decided: the hit may
	// or may not count. See Session.Undecided.
	Undecided bool
}

// Failure is a probe that was not attached under BestEffort.
type Failure struct {
	Plan, Probe int
	Err         error
}

// BaseOptions are options of NewBase.
type BaseOptions struct {
	// Room is for how many probes there is room at a time, in all sessions
	// together; 0: 16384, 256 KiB of counters a CPU and 400 KiB besides.
	Room   int
	Logger *slog.Logger
	// Pin is a directory of a BPF file system, which is made. What is attached
	// under an Options.Name stays attached, and counts, when this process ends; a
	// later one with the same Pin takes it over: Base.Left, Base.Adopt. Needs
	// uprobe_multi, Linux 6.6.
	Pin string
}

// Left is a session that another process has left attached.
type Left struct {
	Name   string // its Options.Name
	Probes int
	Whole  bool // all of its links are there; otherwise it was ended while it was attached or detached
}

const defaultRoom = 1 << 14
