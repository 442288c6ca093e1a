package misses

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Abilities is what the self-test found: what the running kernel skips and
// what of it it counts.
type Abilities struct {
	Release string    `json:"release"` // uname -r
	Boot    string    `json:"boot"`    // /proc/sys/kernel/random/boot_id
	Kinds   []Ability `json:"kinds"`
	Outer   []Outer   `json:"outer"`
}

// Outer is a kind of hook whose programs others were nested in.
type Outer struct {
	Kind   hook.Kind `json:"kind"`
	Hook   string    `json:"hook"`
	Reason string    `json:"reason,omitempty"` // why nothing could be nested in it; "" if it could
}

// Ability is what is known of one kind of hook.
type Ability struct {
	Kind hook.Kind `json:"kind"`
	Hook string    `json:"hook"`
	// Reason is why the kind was not tried; "" if it was.
	Reason string  `json:"reason,omitempty"`
	Trials []Trial `json:"trials,omitempty"`
}

// Trial is what became of a hook that fired while the program of another ran.
type Trial struct {
	In       string `json:"in"`       // the other hook
	Kind     string `json:"kind"`     // of the other hook; "itself" for the same program
	Expected uint64 `json:"expected"` // executions that should have run the program
	Ran      uint64 `json:"ran"`
	Program  uint64 `json:"program"` // recursion_misses
	Link     uint64 `json:"link"`    // missed of the link, 0 where it has none
}

// Itself is the kind of trials of a program inside of itself.
const Itself = "itself"

// Lost is how many executions did not run the program.
func (t Trial) Lost() uint64 { return t.Expected - min(t.Ran, t.Expected) }

// Counted is how many the kernel says it skipped.
func (t Trial) Counted() uint64 { return t.Program + t.Link }

// Observed tells whether the kernel counted what was lost. It may have counted
// more: the counters are of all threads, and other programs run too.
func (t Trial) Observed() bool { return t.Counted() >= t.Lost() }

// Find gives the ability of a kind; ok is false if it is not in the test.
func (a *Abilities) Find(kind hook.Kind) (Ability, bool) {
	i := slices.IndexFunc(a.Kinds, func(b Ability) bool { return b.Kind == kind })
	if i < 0 {
		return Ability{}, false
	}
	return a.Kinds[i], true
}

// Skipped tells whether the kernel was seen to skip hooks of the kind.
func (a Ability) Skipped() kernel.Answer {
	if a.Reason != "" || len(a.Trials) == 0 {
		return kernel.NotKnown
	}
	return kernel.Is(slices.ContainsFunc(a.Trials, func(t Trial) bool { return t.Lost() > 0 }))
}

// ByProgram tells whether recursion_misses was seen to move; not known where
// nothing was skipped.
func (a Ability) ByProgram() kernel.Answer {
	return a.moved(func(t Trial) uint64 { return t.Program })
}

// ByLink tells whether the number of the link was seen to move.
func (a Ability) ByLink() kernel.Answer { return a.moved(func(t Trial) uint64 { return t.Link }) }

func (a Ability) moved(counter func(Trial) uint64) kernel.Answer {
	if a.Skipped() != kernel.Yes {
		return kernel.NotKnown
	}
	return kernel.Is(slices.ContainsFunc(a.Trials, func(t Trial) bool { return counter(t) > 0 }))
}

// Gaps are the trials in which the kernel lost more than it counted.
func (a Ability) Gaps() []Trial {
	var out []Trial
	for _, t := range a.Trials {
		if !t.Observed() {
			out = append(out, t)
		}
	}
	return out
}

// gapText names what is not counted.
func gapText(gaps []Trial) string {
	var in []string
	for _, t := range gaps {
		if !slices.Contains(in, t.Kind) {
			in = append(in, t.Kind)
		}
	}
	return fmt.Sprintf("in the self-test this kernel did not count what it skipped inside programs of: %s", strings.Join(in, ", "))
}
