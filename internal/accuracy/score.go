package accuracy

import "slices"

// share is what one tool got right in one row.
type share struct {
	exact   int
	total   int
	folded  int     // functions without any code, exact for nobody
	recall  float64 // executions counted of those there were
	over    float64 // executions counted beyond
	refused int     // probes that were not attached
	atMost  int     // exact if every function that lacks a refused probe were
}

// percent is the share of functions counted exactly.
func (s share) percent() float64 { return ratio(s.exact, s.total) }

// unfolded is the share without the functions the compiler folded away.
func (s share) unfolded() float64 { return ratio(s.exact, s.total-s.folded) }

func ratio(a, b int) float64 {
	if b == 0 {
		return 0
	}
	return 100 * float64(a) / float64(b)
}

// of sums up a tool's results.
func (row Row) of(tool string) share {
	var s share
	var hit, over, truth uint64
	for _, r := range row.Results {
		n := r.Counts[tool]
		s.total++
		if r.exact(tool) {
			s.exact++
		}
		if r.Cause == causeFolded {
			s.folded++
		}
		s.refused += r.Refused[tool]
		if r.exact(tool) || r.Refused[tool] > 0 && n < r.Truth {
			s.atMost++
		}
		truth += r.Truth
		hit += min(n, r.Truth)
		over += n - min(n, r.Truth)
	}
	if truth > 0 {
		s.recall = float64(hit) / float64(truth)
		s.over = float64(over) / float64(truth)
	}
	return s
}

// soundness counts promises against outcomes.
type soundness struct {
	completeExact int // promised and kept
	completeWrong int // promised and broken: the one thing that must not be
	warnedExact   int // exact, but less was promised
	warnedWrong   int // wrong, and said so
	absent        int // no line at all
}

func (row Row) soundness() soundness {
	var s soundness
	for _, r := range row.Results {
		switch exact := r.exact(toolSurehook); {
		case r.Verdict == verdictAbsent:
			s.absent++
		case r.complete() && exact:
			s.completeExact++
		case r.complete():
			s.completeWrong++
		case exact:
			s.warnedExact++
		default:
			s.warnedWrong++
		}
	}
	return s
}

// wrong are the functions that are not exact, worst broken promise first,
// then by distance from the truth.
func (row Row) wrong() []Result {
	var list []Result
	for _, r := range row.Results {
		if !r.exact(toolSurehook) {
			list = append(list, r)
		}
	}
	slices.SortStableFunc(list, func(a, b Result) int {
		if a.complete() != b.complete() {
			if a.complete() {
				return -1
			}
			return 1
		}
		return compareFunctions(a.Func, b.Func)
	})
	return list
}
