package running

import (
	"errors"
	"time"

	"github.com/surehook/surehook/hook"
)

// ErrNotPermitted means that the kernel does not list programs for this
// process: it takes CAP_SYS_ADMIN, also where CAP_BPF loads them.
var ErrNotPermitted = errors.New("not permitted to list BPF programs; run as root")

// ErrNotSupported means that there is no running kernel to ask.
var ErrNotSupported = errors.New("BPF programs can be listed on Linux only")

// Options of Read. The zero value asks the machine it runs on.
type Options struct {
	Proc string // where procfs is mounted; empty: /proc
}

// Inventory is what is loaded and attached.
type Inventory struct {
	Programs    []Program      // of tracing, by ID
	Attachments []Attachment   // by program, then link
	Others      map[string]int // programs that do not trace, by the kernel's name of their kind
	Unread      []Unread
}

// Program gives a program by its number; nil if there is none.
func (inv *Inventory) Program(id uint32) *Program {
	for i := range inv.Programs {
		if inv.Programs[i].ID == id {
			return &inv.Programs[i]
		}
	}
	return nil
}

// Unread is something that was not looked at: programs may be attached there.
type Unread struct {
	What   string // "process 12 (name)", "/sys/fs/bpf/x"
	Reason string
}

// Program is one loaded program.
type Program struct {
	ID     uint32
	Name   string // of its function if its BTF says, else at most 15 bytes of it
	Type   Type
	Tag    string        // hash of its instructions
	UID    uint32        // who loaded it
	Loaded time.Duration // after boot
	// Runs and RunTime are counted while kernel.bpf_stats_enabled is set.
	Runs    uint64
	RunTime time.Duration
	// Skipped is how often the kernel did not run it because a program ran
	// already (recursion_misses). Since Linux 5.12.
	Skipped Counter
	// Target is what a program of type tracing or lsm was loaded for; nil of
	// others, and where the kernel does not say. Since Linux 6.0.
	Target  *Place
	Holders []Owner // processes with a file descriptor of it
	Pins    []string
}

// Type is what a program was loaded as.
type Type string

// The types that trace.
const (
	Kprobe        Type = "kprobe" // kprobes and uprobes
	Tracepoint    Type = "tracepoint"
	RawTracepoint Type = "raw_tracepoint"
	PerfEvent     Type = "perf_event"
	Tracing       Type = "tracing" // fentry, fexit, fmod_ret, tp_btf, iter
	LSM           Type = "lsm"
)

// Counter is a number that the kernel may not tell.
type Counter struct {
	N        uint64 // valid if NotKnown is empty
	NotKnown string // why it is not known
}

// Mechanism is how a program was attached.
type Mechanism string

// The mechanisms.
const (
	KprobeMulti  Mechanism = "kprobe.multi link" // since Linux 5.18
	UprobeMulti  Mechanism = "uprobe.multi link" // since Linux 6.6
	PerfLink     Mechanism = "perf event link"   // since Linux 5.15
	PerfIoctl    Mechanism = "perf event"        // PERF_EVENT_IOC_SET_BPF: no link
	TracingLink  Mechanism = "tracing link"      // fentry, fexit, fmod_ret, lsm
	RawLink      Mechanism = "raw tracepoint link"
	IteratorLink Mechanism = "iterator link"
	OtherLink    Mechanism = "link"
)

// Attachment is one link, or one perf event that runs a program.
type Attachment struct {
	Program   uint32
	Mechanism Mechanism
	Link      uint32 // its number; 0 without one
	// PID is the only process that the probes fire in; 0: all of them, or
	// (perf events) not told.
	PID      uint32
	Places   []Place
	NotKnown string  // why there are no places; "" if there are
	Missed   Counter // executions that the kernel skipped before the program (link "missed"); since Linux 6.7
	Owners   []Owner // who holds it: it ends with the last of them and the last pin
	Pins     []string
}

// Place is where a program runs. Which fields are set depends on the kind.
type Place struct {
	Kind hook.Kind
	// Name is the kernel's function, event (without its category) or LSM hook.
	Name   string
	Module string // that Name is in; "" for the kernel itself, or where not told
	// Offset is the distance in bytes from the beginning of Name; of a uprobe
	// the offset in File.
	Offset  uint64
	Address uint64 // of a kprobe, virtual; 0 where the kernel hides it
	File    File   // of a uprobe
}

// File is the file of a uprobe.
type File struct {
	// Path is as the kernel tells it: as it was given when the probe was
	// attached (perf events), or where the file is now (uprobe.multi).
	Path string
	// Open is a path by which the file can be opened here: another process may
	// have another root or working directory. It need not be the same file
	// any more.
	Open string
	// Deleted: the file was removed or replaced; probes are on the old one.
	// Only uprobe.multi links tell.
	Deleted bool
}

// Owner is a process that holds a program, link or perf event.
type Owner struct {
	PID  int
	Comm string
	FD   int // one of its file descriptors
}
