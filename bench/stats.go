package bench

import (
	"cmp"
	"math"
	"slices"
)

// Interval is a median with what it lies in at the report's confidence, in
// nanoseconds a call.
type Interval struct {
	Median float64 `json:"median"`
	Low    float64 `json:"low"`
	High   float64 `json:"high"`
}

// wanted is the least confidence of an interval, if there are values enough.
const wanted = 0.95

// interval gives the median of values, which must not be empty, between two of
// them: order statistics, which assume nothing of how times are distributed. The
// median lies outside of the k-th values from both ends with the probability
// of fewer than k heads, or tails, in as many throws of a coin. Below six
// values no pair has the confidence wanted; they are then the ends.
func interval(values []float64) (i Interval, confidence float64) {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	k, confidence := ends(n)
	return Interval{Median: thousandths(median(v)), Low: thousandths(v[k-1]), High: thousandths(v[n-k])}, confidence
}

// thousandths rounds to what is still far below anything measured.
func thousandths(v float64) float64 { return math.Round(v*1000) / 1000 }

// ends gives the k of interval for n values.
func ends(n int) (k int, confidence float64) {
	throw := 1.0 // probability of exactly i heads
	for range n {
		throw /= 2
	}
	outside := throw // of fewer than k heads
	k, confidence = 1, 1-2*outside
	for i := 1; i < n/2; i++ {
		throw = throw * float64(n-i+1) / float64(i)
		outside += throw
		if 1-2*outside < wanted {
			break
		}
		k, confidence = i+1, 1-2*outside
	}
	return k, confidence
}

// median of sorted values.
func median(v []float64) float64 {
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// middle is the median of values in any order.
func middle(values []float64) float64 { return median(slices.Sorted(slices.Values(values))) }

// Resolution is the share of a cost by which the next one must differ for
// another rank, beside what the intervals say. These hold what changes between
// the rounds of a run; from run to run figures differ by a few percent more.
const Resolution = 0.05

// span is what a cost may be for the purpose of ranks.
func (i Interval) span() (low, high float64) {
	half := Resolution / 2 * math.Abs(i.Median)
	return i.Low - half, i.High + half
}

// rank numbers what was measured from the cheapest, 1. What lies between
// others' intervals joins them: a rank ends only where all that is cheaper lies
// below all that is dearer, so that two ranks are never a guess.
func rank(figures []*Figure) {
	slices.SortStableFunc(figures, func(a, b *Figure) int { return cmp.Compare(a.Cost.Median, b.Cost.Median) })
	// low[i] is the least that anything from i on may cost.
	low := make([]float64, len(figures)+1)
	for i := len(figures) - 1; i >= 0; i-- {
		low[i], _ = figures[i].Cost.span()
		if i+1 < len(figures) {
			low[i] = min(low[i], low[i+1])
		}
	}
	number, high := 0, 0.0
	for i, f := range figures {
		_, most := f.Cost.span()
		if i == 0 || low[i] > high {
			number++
			high = most
		}
		f.Rank, high = number, max(high, most)
	}
}
