package sites

import (
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
)

// Kind says what a site is the beginning of.
type Kind string

// The kinds of sites.
const (
	Entry   Kind = "entry"   // the out-of-line body
	Clone   Kind = "clone"   // a body the compiler made: .isra, .constprop, .lto_priv ...
	Inlined Kind = "inlined" // an inlined copy
	Offset  Kind = "offset"  // the address the hook names itself (f+0x10)
	Exit    Kind = "exit"    // a place that executions pass when they return
	Event   Kind = "event"   // of a kernel: a tracepoint or an LSM hook, which the kernel itself calls
)

// verb says what an execution does at a site.
func (k Kind) verb() string {
	if k == Exit {
		return "end"
	}
	return "begin"
}

// Verdict answers "does every execution hit a site?". The zero value is not
// a verdict.
type Verdict string

// The verdicts, docs/architecture.md's words.
const (
	Complete Verdict = "complete"
	Partial  Verdict = "partial"
	None     Verdict = "none"
	Unknown  Verdict = "unknown"
)

// Reason is one piece of a verdict's evidence.
type Reason struct {
	Code ReasonCode
	Text string // one sentence, lower case, no full stop
}

// ReasonCode is a stable word for a reason ("inlined", "no-debug-info").
type ReasonCode string

// The reasons. Every one that makes a verdict less than complete says what
// is lost or what cannot be told.
const (
	ReasonEntry       ReasonCode = "entry"          // there is an out-of-line body
	ReasonInlined     ReasonCode = "inlined"        // inlined copies are missed
	ReasonNoSymbol    ReasonCode = "no-symbol"      // no symbol of that name to attach to
	ReasonClone       ReasonCode = "clone"          // only compiler clones of that name, or clones besides
	ReasonPart        ReasonCode = "part"           // partial inlining
	ReasonNoDebug     ReasonCode = "no-debug-info"  // inlining cannot be told
	ReasonGap         ReasonCode = "debug-gap"      // debug information that is not read
	ReasonEmptyRange  ReasonCode = "empty-range"    // a copy without instructions
	ReasonUnreached   ReasonCode = "unreached"      // no way into a copy was found
	ReasonIndirect    ReasonCode = "indirect-jump"  // a jump whose targets are not known
	ReasonCondition   ReasonCode = "condition"      // an entry that cannot be decided
	ReasonEvidence    ReasonCode = "evidence"       // flow, entry PC and line rows disagree
	ReasonMerged      ReasonCode = "merged"         // one place, several calls
	ReasonFolded      ReasonCode = "folded"         // identical code folding: other functions at the same address
	ReasonIFunc       ReasonCode = "ifunc"          // the symbol is a resolver
	ReasonReturn      ReasonCode = "return"         // a uretprobe does not see inlined copies return
	ReasonRecursion   ReasonCode = "recursion"      // self calls that became jumps
	ReasonUndecodable ReasonCode = "undecodable"    // disassembly failed
	ReasonNotBoundary ReasonCode = "not-boundary"   // the offset is inside an instruction
	ReasonUndefined   ReasonCode = "undefined"      // the function is defined in another file
	ReasonDecided     ReasonCode = "decided-before" // the call's outcome may be known beforehand on one path
	ReasonMergedCall  ReasonCode = "merged-call"    // calls merged into one without a line
	ReasonHazard      ReasonCode = "hazard"         // a breakpoint at the place fails or breaks the program
	ReasonMiniSymbol  ReasonCode = "mini-symbol"    // the symbol is in .gnu_debugdata, which not every tool reads
	ReasonDropped     ReasonCode = "dropped-record" // copies of which nothing is left may have been folded away
	ReasonReentered   ReasonCode = "re-entered"     // one beginning of a copy leads to another
	ReasonThrow       ReasonCode = "throw"          // counted at a call that may throw instead of coming back
	ReasonStack       ReasonCode = "stack-check"    // Go: the entry is passed again when the stack grows
	ReasonGoReturn    ReasonCode = "go-return"      // Go: a return probe crashes the program
	ReasonNoReturn    ReasonCode = "no-return"      // executions that never return: nothing is lost
	ReasonDeadEnd     ReasonCode = "dead-end"       // whether a copy returned before a call that never does
	ReasonExitShared  ReasonCode = "exit-shared"    // the end of a copy is code that is executed without it too
	ReasonExitEarly   ReasonCode = "exit-early"     // a return is counted before a call that may not come back
	ReasonExit        ReasonCode = "exit"           // a way out that cannot be counted
	ReasonNested      ReasonCode = "nested"         // return probes of deep recursion are dropped
	ReasonUnsafe      ReasonCode = "unsafe-return"  // a uretprobe breaks the program
)

// Judgement is a verdict with its evidence.
type Judgement struct {
	Verdict Verdict
	Reasons []Reason
}

// Frame is one step of the chain of callers of a site, innermost first.
type Frame struct {
	Function string // who calls
	File     string // of the call; empty if not recorded
	Line     int
}

// Site is one address where an execution of the hooked function begins or, for
// a return probe, ends.
type Site struct {
	Kind       Kind
	Address    uint64    // virtual address in the file
	FileOffset uint64    // what a uprobe takes
	Symbol     string    // symbol that contains Address
	Offset     uint64    // Address minus the symbol's value
	Callers    []Frame   // empty for bodies
	Cond       flow.Cond // counts only when it holds; Always: every hit
	Plain      bool      // the plain probe hits this address too
	Return     bool      // a uretprobe at Address; false for Exit, which returns pass themselves
	Copy       uint64    // .debug_info offset of the inlined copy, in its unit's file; 0 for bodies
	Times      int       // executions that a hit stands for: several where calls side by side begin at one instruction
	// Ways are, of a kernel, the kinds of probes that can be put there, the
	// plan's choice first; hook.Fentry stands for fexit and hook.Kprobe for
	// kretprobe where Return is set.
	Ways []hook.Kind
	// Namesake: other symbols of the kernel have the name Symbol too, so that
	// only the address of the running kernel tells which it is.
	Namesake bool
}

// Lost is a caller whose executions a probe does not see.
type Lost struct {
	Caller string // function, as in Frame
	File   string
	Line   int
	Why    string
	Code   ReasonCode // of the plan's losses; ReasonUnreached if empty
}

// Target is the file a hook leads to, or the kernel.
type Target struct {
	Path    string // of the file; the kernel's name
	BuildID string // hex, empty if the file has none
	Arch    elfbin.Arch
	Kernel  bool // sites are places of a kernel, by Symbol and Offset
}

// Result is everything known of one hooked function in one file.
type Result struct {
	Hook     hook.Hook
	Function string // source name, qualified ("ns::f", "main.add")
	Linkage  string // mangled name where it differs
	DeclFile string
	DeclLine int
	Target   Target
	Sites    []Site
	Plain    Judgement
	Plan     Judgement
	Lost     []Lost // what the PLAIN probe loses
	PlanLost []Lost // what the plan loses as well
	// PlainAt are the file offsets the plain probe would be put on: what
	// bpftrace and libbpf make of the hook. Empty when it cannot attach.
	PlainAt []uint64
	// Notes are the facts the rules of package check speak from.
	Notes Notes
}

// Notes are facts about a function's symbols and copies that are findings in
// themselves.
type Notes struct {
	Symbols []elfbin.Symbol // all symbols of the function: bodies, clones, aliases
	Parts   []elfbin.Symbol // f.part.N
	Colds   []elfbin.Symbol // f.cold
	Folded  []string        // other functions' names at the same address
	Bodies  int             // out-of-line bodies
	Copies  int             // inlined copies, recursion-splits not counted
	Empty   int             // of those: without any instruction
	// Interposed: the library reaches the function through the dynamic linker,
	// which may bind the name to another file's definition.
	Interposed bool

	// Code is what the machine code says of a function without debug
	// information; nil if it was not asked.
	Code *CodeEvidence
	// NoCaller: nothing in the file calls the function or holds its address,
	// and it is not exported: probably inlined everywhere, or unused.
	NoCaller bool
	// StartFile: the function is _start, frame_dummy or another that the
	// compiler's and the C library's start files bring into every program, and
	// has no debug information.
	StartFile bool
}
