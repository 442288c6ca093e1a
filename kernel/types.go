package kernel

import (
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/sites"
)

// Identity says which build a kernel is.
type Identity struct {
	Name    string      // as --kernel takes it: "debian-6.1.0-50-cloud-amd64", "live", a path
	Release string      // uname -r: "6.1.0-50-cloud-amd64"
	Banner  string      // the version line, "Linux version 6.1.0-50-cloud-amd64 (...)"; empty if not known
	Arch    elfbin.Arch // of its code
	BuildID string      // hex; empty if not known
	Source  string      // what the facts were read from, for people
	Package string      // and version of the package, "linux-image-... 6.1.176-1"; empty if none
}

// Answer is yes, no, or not known, which is never folded into "no".
type Answer uint8

// The answers.
const (
	NotKnown Answer = iota
	Yes
	No
)

// Is makes an answer of what is known.
func Is(yes bool) Answer {
	if yes {
		return Yes
	}
	return No
}

// Topic is a kind of facts that a source has or has not.
type Topic uint8

// The topics.
const (
	Symbols      Topic = iota // symbols and their addresses
	Inlining                  // inlined copies
	Signatures                // parameters of functions
	Ftrace                    // which functions have an ftrace location
	Blacklist                 // where the kernel refuses kprobes
	Tracepoints               // events and their fields
	RawArgs                   // arguments of raw tracepoints
	LSMHooks                  // hooks of BPF LSM programs
	Calls                     // the direct-call graph
	Config                    // build configuration
	Types                     // layouts of structs, unions and enums
	Modules                   // functions, events and types of modules
	Kfuncs                    // functions that BPF programs may call
	ModuleCalls               // direct calls that modules make, and between them
	CertainCalls              // which calls are made each time (Call.Made)
	NumTopics
)

// SymbolKind says what a function's symbol stands for.
type SymbolKind uint8

// The kinds of symbols.
const (
	Body  SymbolKind = iota // the function as written
	Clone                   // another body: .isra, .constprop
	Part                    // the outlined tail of a partially inlined function
	Cold                    // the unlikely part of a body, never an entry
)

// Symbol is a symbol of a function in the kernel's code.
type Symbol struct {
	Name    string // "finish_task_switch.isra.0"
	Address uint64 // virtual, as linked; of a module: offset in its .ko as sites gives it; live: at run time
	Size    uint64 // in bytes; 0 if not known
	Module  string // empty for vmlinux
	Kind    SymbolKind
	Global  bool
	Init    bool // in code that is freed after boot
	// Traceable: ftrace has a place at its beginning, which fentry and
	// kprobe_multi need, and kprobes unless KPROBE_EVENTS_ON_NOTRACE.
	Traceable Answer
	Refused   Answer // kprobes are: blacklisted, noinstr, entry code
	// Variable: data of the same kernel or module has the name too, which
	// counts where the kernel refuses names that are not unique.
	Variable bool
	// Args are the parameters of the source that are where the calling
	// convention has them: nil when not known or when all are.
	Args *Args
}

// Args says what became of a function's parameters in one body.
type Args struct {
	// Place holds for each parameter of the source where it is at the entry:
	// the register's place in the calling convention (0 is the first argument),
	// or one of ArgGone and ArgElsewhere.
	Place []int8
}

// Places of a parameter that is in no argument register.
const (
	ArgGone      = -1 // dropped, or known to be constant
	ArgElsewhere = -2 // on the stack, split, or in another register
	ArgNotKnown  = -3
)

// Copy is one place where an execution of an inlined copy begins.
type Copy struct {
	Caller  string // symbol that contains it
	Offset  uint64 // from the symbol's address
	Address uint64 // virtual, as Symbol.Address
	Module  string
	Cond    flow.Cond // the execution begins only if it holds; Always: at every hit
	Times   int       // executions that a hit stands for
}

// Function is all that is known under one source name. A kernel has many
// static functions of one name; they are not told apart here.
type Function struct {
	Name    string   // as in the source: "finish_task_switch"
	Symbols []Symbol // every body, clone and part with that name, by address
	Copies  []Copy   // by address; meaningful unless Missing(Inlining)
	// Plan judges the copies and bodies together: whether every execution
	// begins at one of them. Unknown with a reason when inlining is not known.
	Plan   sites.Judgement
	Protos []Proto // distinct signatures in the source
	// BTF: the kernel's own BTF has a function of that name: fentry needs it.
	BTF Answer
	// Sources are where functions of that name are declared: "fs/read_write.c:451".
	Sources []string
}

// Call is one edge of the direct-call graph, between symbols.
type Call struct {
	Caller, Callee string // symbols
	CallerModule   string
	CalleeModule   string
	// Made says whether the caller makes it each time. Of what calls a tracepoint's
	// probes (__traceiter_NAME) it holds while a probe is attached.
	Made Made
}

// Made says when a call is made.
type Made uint8

// When calls are made.
const (
	Sometimes   Made = iota // under some condition, or it is not known when
	UnlessFails             // the caller has made it, or returns an error number
	Always                  // whenever the caller comes to its end it has made it
)
