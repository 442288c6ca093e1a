package bench

import (
	"slices"
	"strings"
	"time"
)

// Work is what the program at a hookpoint does.
type Work string

// The works, from the least: those of the published comparison (Published).
const (
	Empty   Work = "empty"   // return at once
	Simple  Work = "simple"  // increment in a hash map by thread
	Complex Work = "complex" // increment by thread, a number from the clock, and the command
)

// Works are all of them.
func Works() []Work { return []Work{Empty, Simple, Complex} }

// Options of Run; the zero value measures everything.
type Options struct {
	Kinds []string // names of Kinds; nil: all
	Works []Work   // nil: all
	// Rounds is how often each is attached and measured anew; 0: DefaultRounds.
	// Below RankedRounds nothing is ranked.
	Rounds int
	// Batch is the length of what is timed at once; 0: 1 ms.
	Batch time.Duration
	// Patience is how long may be waited in all for the processor to be as quick
	// as it was at its best; 0: a minute; below 0: not at all.
	Patience time.Duration
	CPU      *int   // to measure on; nil: the last one that this process may use
	Seed     uint64 // of the order in which is measured
	// Dir takes the program that is measured, which must be allowed to run
	// there; "": the directory for temporary files.
	Dir string
	// Progress is called after each measurement; nil: nobody asks.
	Progress func(done, total int)
}

// DefaultRounds give intervals of 96 % that three outliers on each side do not
// move.
const DefaultRounds = 15

// RankedRounds is the least that gives intervals of 95 %.
const RankedRounds = 6

// Figure is what one kind of hookpoint costs with one work.
type Figure struct {
	Kind  string `json:"kind"`
	Place string `json:"place"` // what it is put on, in words
	Work  Work   `json:"work"`
	// Unavailable says why this kernel does not have it; the rest is then zero.
	Unavailable string `json:"unavailable,omitempty"`

	Untraced Interval `json:"untraced,omitzero"` // the call alone
	Traced   Interval `json:"traced,omitzero"`
	Cost     Interval `json:"cost,omitzero"` // of the differences
	// Rank counts from the cheapest of the same work. Equal ranks cannot be
	// told apart. 0: not ranked.
	Rank   int    `json:"rank,omitempty"`
	Rounds int    `json:"rounds"`
	Runs   Runs   `json:"runs,omitzero"`
	Note   string `json:"note,omitempty"` // what else to know of this figure
}

// Control tells that nothing was attached.
func (f *Figure) Control() bool { return strings.HasPrefix(f.Kind, nothing.String()) }

// Runs are how often the program ran while it was measured.
type Runs struct {
	Calls uint64 `json:"calls"` // how often it should have
	Ran   uint64 `json:"ran"`   // how often it did
	// ByKernel means that the program has no count of its own: Ran is the
	// kernel's (bpf_stats), of calls that were not timed, and has other
	// processes' if they use the place too.
	ByKernel bool `json:"by_kernel"`
	// Recursion is the kernel's recursion_misses of the program; nil if it does
	// not count them, which it does since Linux 5.12.
	Recursion *uint64 `json:"recursion_misses,omitempty"`
}

// Lost is how many calls the program did not see.
func (r Runs) Lost() uint64 { return r.Calls - min(r.Ran, r.Calls) }

// Report is what Run measured.
type Report struct {
	Kernel     string   `json:"kernel"` // release
	Arch       string   `json:"arch"`
	Machine    string   `json:"machine"` // the processor's name as the kernel has it
	CPU        int      `json:"cpu"`
	Seed       uint64   `json:"seed"`
	Confidence float64  `json:"confidence"` // of all intervals, 0 to 1
	Figures    []Figure `json:"figures"`    // in the order of Kinds
	Noise      Noise    `json:"noise"`
	// Workload is what was measured by RunWorkload: the figures' calls are
	// hits, and untraced is all that the command does, by its hits.
	Workload *Workload `json:"workload,omitempty"`
}

// Workload is a command that hits a hook.
type Workload struct {
	Hook    string   `json:"hook"`
	Command []string `json:"command"`
	Hits    uint64   `json:"hits"` // in one run
}

// Ranked tells whether the intervals are good enough for ranks.
func (r *Report) Ranked() bool { return r.Confidence >= wanted }

// Works are those that were measured.
func (r *Report) Works() []Work {
	return slices.DeleteFunc(Works(), func(w Work) bool {
		return !slices.ContainsFunc(r.Figures, func(f Figure) bool { return f.Work == w })
	})
}

// Slower is how many times as long as at its best a call without a probe may
// take: if it takes longer, the processor is slow.
const Slower = 1.1

// Noise is what disturbed the measurement.
type Noise struct {
	// Interrupted is how many of the Requests, each of several batches, lost
	// the CPU to another process.
	Interrupted uint64 `json:"interrupted"`
	Requests    uint64 `json:"requests"`
	// Stolen is the share of time that the hypervisor took from the CPU, 0 to 1.
	Stolen float64 `json:"stolen"`
	// Slow is how many rounds were measured though the processor was slow
	// (Slower); Waited, in seconds, how long was waited, or measured in vain,
	// because of that.
	Slow   uint64  `json:"slow"`
	Waited float64 `json:"waited"`
}
