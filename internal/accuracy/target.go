package accuracy

import "fmt"

// What a row must reach, in percent. A row of an optimiser that works across
// files has no goal for exactness with the unperturbed oracle: there whole call
// trees go without a trace. It has one for what the verdicts promise.
const (
	goalUnperturbed = 98.0 // at least so many functions are exact
	goalMarked      = 99.5 // the same, with the easier oracle
	goalSound       = 99.5 // at least so many of those called complete are exact
	goalTimid       = 3.0  // at most so many are exact, but called less than complete
)

// Target is one figure of a row and what it should be.
type Target struct {
	What     string  `json:"what"`
	Measured float64 `json:"measured"` // percent
	Goal     float64 `json:"goal"`     // percent
	AtMost   bool    `json:"at_most"`  // the goal is an upper limit
	None     bool    `json:"none"`     // shown, but there is no goal, or nothing to measure
}

// met tells whether the goal is reached.
func (t Target) met() bool {
	if t.AtMost {
		return t.None || t.Measured <= t.Goal
	}
	return t.None || t.Measured >= t.Goal
}

// String says the target and what was measured. Two digits: 99.46 must not
// look like 99.5.
func (t Target) String() string {
	limit := "at least"
	if t.AtMost {
		limit = "at most"
	}
	return fmt.Sprintf("%s: %.2f %%, target %s %g %%", t.What, t.Measured, limit, t.Goal)
}

// The figures of a row that have targets, in this order.
const (
	targetExact = iota
	targetSound
	targetTimid
	targetCount
)

// targets are the row's figures against their goals. All functions that were
// executed count, those that the optimiser folded away too.
func (row Row) targets() [targetCount]Target {
	s := row.soundness()
	exact := Target{What: "functions exact", Measured: row.of(toolSurehook).percent(), Goal: goalUnperturbed}
	if row.Oracle == oracleMarked {
		exact.Goal = goalMarked
	} else {
		exact.None = row.LTO
	}
	promised := s.completeExact + s.completeWrong
	return [targetCount]Target{
		targetExact: exact,
		targetSound: {What: "exact of those called complete", Measured: ratio(s.completeExact, promised), Goal: goalSound, None: promised == 0},
		targetTimid: {What: "exact, but called less than complete", Measured: ratio(s.warnedExact, len(row.Results)), Goal: goalTimid, AtMost: true},
	}
}

// Failures are the reasons to fail the run: a target missed, or a row below
// perf (given all that its refused probes might have counted).
func (row Row) Failures() []string {
	if !row.Measured {
		return nil
	}
	var out []string
	for _, t := range row.targets() {
		if !t.met() {
			out = append(out, row.name()+": "+t.String())
		}
	}
	if own, perf := row.of(toolSurehook), row.of(toolPerf); own.exact < perf.atMost {
		out = append(out, row.name()+": "+itoa(own.exact)+" functions exact, perf probe up to "+itoa(perf.atMost))
	}
	return out
}
