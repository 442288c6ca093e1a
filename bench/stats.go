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
// another rank, and of the call without a probe. The intervals hold what changes
// between the rounds of a run; from run to run figures differ by a few percent more.
const Resolution = 0.05

// rival is a figure and the costs of its rounds.
type rival struct {
	*Figure
	rounds []float64
}

// above tells that a costs more than b: that the differences within the rounds
// do, at the confidence of an interval. What changed on the machine from round
// to round, for both of them, is not in these. Each subject has one value of
// each pass over all, also when it was measured again in that: the i-th of both
// are nearer in time than any other pairing would be on the whole.
func (a rival) above(b rival) bool {
	n := min(len(a.rounds), len(b.rounds))
	if n == 0 {
		return false
	}
	more := make([]float64, n)
	for i := range more {
		more[i] = a.rounds[i] - b.rounds[i]
	}
	in, _ := interval(more)
	return in.Low > Resolution*max(math.Abs(b.Cost.Median), a.Untraced.Median, b.Untraced.Median)
}

// rank numbers what was measured from the cheapest, 1. A rank ends only where
// all that is cheaper lies below all that is dearer, so that two ranks are never
// a guess; what cannot be told from some of both joins them.
func rank(list []rival) {
	slices.SortStableFunc(list, func(a, b rival) int { return cmp.Compare(a.Cost.Median, b.Cost.Median) })
	number := 0
	for i := range list {
		if i == 0 || apart(list[:i], list[i:]) {
			number++
		}
		list[i].Rank = number
	}
}

// apart tells that all of high cost more than all of low.
func apart(low, high []rival) bool {
	for _, a := range high {
		for _, b := range low {
			if !a.above(b) {
				return false
			}
		}
	}
	return true
}
