package accuracy

import (
	"slices"
	"strconv"
	"strings"
)

// cause is an automatic first guess at why a count is not exact.
type cause string

// The causes, in the order they are tried.
const (
	causeFolded    cause = "folded away"         // the build has no code of the function
	causeInPart    cause = "folded in part?"     // every tool that sees any executions sees the same number, and too few
	causeEmpty     cause = "empty copies"        // some copies have no code
	causeLoop      cause = "entry inside a loop" // one place is hit more often than the function is executed
	causeDouble    cause = "counted twice"       // the places together are hit too often
	causePart      cause = "partial inlining"    // split into a head and .part
	causeRecursion cause = "self calls turned into jumps"
	causeEntries   cause = "several entries" // a copy of several ranges
	causeSilent    cause = "no place is hit" // copies or bodies there are, hits none
	causeUnder     cause = "undercount"
)

// guess looks at the counts, at the debug information (nil: the build has no
// code of the function) and at surehook's own reasons.
func guess(r Result, x *facts) cause {
	n := r.Counts[toolSurehook]
	switch {
	case x == nil || len(x.Bodies) == 0 && x.Copies == 0 && len(x.Clones) == 0:
		return causeFolded
	case n > r.Truth && slices.ContainsFunc(r.Sites, func(s site) bool { return s.Hits > r.Truth }):
		return causeLoop
	case n > r.Truth:
		return causeDouble
	case n > 0 && n == r.Counts[toolPerf] && n == r.Counts[toolGDB]:
		return causeInPart
	case hasPart(x.Clones):
		return causePart
	case hasReason(r.Reasons, "recursion"):
		return causeRecursion
	case n == 0 && x.Empty == 0:
		return causeSilent
	case x.Empty > 0:
		return causeEmpty
	case x.Split > 0:
		return causeEntries
	}
	return causeUnder
}

func hasPart(clones []string) bool {
	return slices.ContainsFunc(clones, func(c string) bool { return strings.Contains(c, ".part.") })
}

func hasReason(reasons []string, code string) bool {
	return slices.ContainsFunc(reasons, func(r string) bool { return r == code || strings.HasPrefix(r, code+":") })
}

func hexa(n uint64) string { return "0x" + strconv.FormatUint(n, 16) }
func itoa(n int) string    { return strconv.Itoa(n) }
func utoa(n uint64) string { return strconv.FormatUint(n, 10) }
