package benchtruth

import (
	"fmt"
	"slices"

	"github.com/surehook/surehook/bench"
)

// Stability is how far several runs agree on the ranks of one work.
type Stability struct {
	Work bench.Work
	// Same tells that every kind has the same rank in all runs.
	Same bool
	// Pairs is the number of pairs of kinds. Ordered are those of which all
	// runs say that the same one is cheaper, Tied those that no run tells apart,
	// Sometimes those that some runs tell apart, and all of these alike.
	Pairs, Ordered, Tied, Sometimes int
	// Contrary are pairs that one run orders one way and another run the other.
	Contrary []string
}

// Compare compares the runs, which have the same kinds.
func Compare(runs []*bench.Report) []Stability {
	var out []Stability
	for _, w := range runs[0].Works() {
		s := Stability{Work: w, Same: true}
		kinds, ranks := ranksOf(runs, w)
		for i := range kinds {
			for _, r := range ranks[1:] {
				s.Same = s.Same && r[i] == ranks[0][i]
			}
			for j := range i {
				s.pair(kinds[j], kinds[i], column(ranks, j), column(ranks, i))
			}
		}
		out = append(out, s)
	}
	return out
}

// ranksOf gives the kinds that are ranked in every run, and by run their ranks.
func ranksOf(runs []*bench.Report, w bench.Work) (kinds []string, ranks [][]int) {
	for _, f := range runs[0].Figures {
		if f.Work == w && f.Rank > 0 {
			kinds = append(kinds, f.Kind)
		}
	}
	for _, r := range runs[1:] {
		kinds = slices.DeleteFunc(kinds, func(k string) bool { return find(r, k, w) == nil || find(r, k, w).Rank == 0 })
	}
	for _, r := range runs {
		var of []int
		for _, k := range kinds {
			of = append(of, find(r, k, w).Rank)
		}
		ranks = append(ranks, of)
	}
	return kinds, ranks
}

func column(ranks [][]int, i int) []int {
	var out []int
	for _, r := range ranks {
		out = append(out, r[i])
	}
	return out
}

// pair judges two kinds by their ranks in each run.
func (s *Stability) pair(a, b string, ofA, ofB []int) {
	less, more := 0, 0
	for i := range ofA {
		switch {
		case ofA[i] < ofB[i]:
			less++
		case ofA[i] > ofB[i]:
			more++
		}
	}
	s.Pairs++
	switch {
	case less > 0 && more > 0:
		s.Contrary = append(s.Contrary, fmt.Sprintf("%s and %s", a, b))
	case less == len(ofA) || more == len(ofA):
		s.Ordered++
	case less == 0 && more == 0:
		s.Tied++
	default:
		s.Sometimes++
	}
}

// find gives the figure of a kind; nil if the report has none.
func find(r *bench.Report, kind string, w bench.Work) *bench.Figure {
	for i := range r.Figures {
		if f := &r.Figures[i]; f.Kind == kind && f.Work == w {
			return f
		}
	}
	return nil
}
