package benchtruth

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/bench"
)

func TestCompare(t *testing.T) {
	report := func(ranks ...int) *bench.Report {
		r := &bench.Report{}
		for i, rank := range ranks {
			r.Figures = append(r.Figures, bench.Figure{Kind: string(rune('a' + i)), Work: bench.Empty, Rank: rank})
		}
		return r
	}
	tests := []struct {
		name string
		runs []*bench.Report
		want Stability
	}{
		{"same", []*bench.Report{report(1, 2, 3), report(1, 2, 3)}, Stability{Same: true, Pairs: 3, Ordered: 3}},
		{"other numbers, same order", []*bench.Report{report(1, 2, 3), report(1, 2, 4)}, Stability{Pairs: 3, Ordered: 3}},
		{"a tie in one", []*bench.Report{report(1, 2, 3), report(1, 1, 2)}, Stability{Pairs: 3, Ordered: 2, Sometimes: 1}},
		{"ties in all", []*bench.Report{report(1, 1, 2), report(1, 1, 2)}, Stability{Same: true, Pairs: 3, Ordered: 2, Tied: 1}},
		{"contrary", []*bench.Report{report(1, 2, 3), report(2, 1, 3)}, Stability{Pairs: 3, Ordered: 2, Contrary: []string{"a and b"}}},
		{"not ranked in one", []*bench.Report{report(1, 2, 3), report(1, 0, 2)}, Stability{Pairs: 1, Ordered: 1}},
	}
	for _, test := range tests {
		test.want.Work = bench.Empty
		if diff := cmp.Diff([]Stability{test.want}, Compare(test.runs)); diff != "" {
			t.Errorf("%s:\n%s", test.name, diff)
		}
	}
}
