package bench

import (
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// TestInterval: the confidences are those of tables of the sign test.
func TestInterval(t *testing.T) {
	tests := []struct {
		values     []float64
		want       Interval
		confidence float64
	}{
		{[]float64{3}, Interval{3, 3, 3}, 0},
		{[]float64{5, 1}, Interval{3, 1, 5}, 0.5},
		{[]float64{9, 1, 5}, Interval{5, 1, 9}, 0.75},
		{[]float64{5, 4, 3, 2, 1}, Interval{3, 1, 5}, 0.9375},
		{[]float64{6, 5, 4, 3, 2, 1}, Interval{3.5, 1, 6}, 0.96875},
		{[]float64{8, 7, 6, 5, 4, 3, 2, 1}, Interval{4.5, 1, 8}, 0.9921875},
		{[]float64{-1000, 8, 7, 6, 5, 4, 3, 2, 1000}, Interval{5, 2, 8}, 0.9609375},
		{count(10), Interval{5.5, 2, 9}, 0.978515625},
		{count(15), Interval{8, 4, 12}, 0.96484375},
		{count(20), Interval{10.5, 6, 15}, 0.9586105346679688},
	}
	for _, test := range tests {
		got, confidence := interval(test.values)
		if got != test.want || math.Abs(confidence-test.confidence) > 1e-12 {
			t.Errorf("%v: %v at %v, want %v at %v", test.values, got, confidence, test.want, test.confidence)
		}
	}
}

func count(n int) (v []float64) {
	for i := range n {
		v = append(v, float64(i+1))
	}
	return v
}

// TestCoverage: of intervals of random values as many hold the true median as
// is promised, whatever the distribution.
func TestCoverage(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	const runs = 20000
	draws := map[string]func() float64{
		"normal":  rng.NormFloat64,
		"skewed":  func() float64 { return rng.ExpFloat64() - math.Ln2 },
		"uniform": func() float64 { return rng.Float64() - 0.5 },
	}
	for name, draw := range draws {
		held, promised := 0, 0.0
		for range runs {
			v := make([]float64, DefaultRounds)
			for i := range v {
				v[i] = draw()
			}
			in, confidence := interval(v)
			promised = confidence
			if in.Low <= 0 && 0 <= in.High {
				held++
			}
		}
		if share := float64(held) / runs; math.Abs(share-promised) > 0.006 {
			t.Errorf("%s: %.4f of the intervals hold the median, promised %.4f", name, share, promised)
		}
	}
}

func TestRank(t *testing.T) {
	in := func(low, median, high float64) Interval { return Interval{Median: median, Low: low, High: high} }
	tests := []struct {
		name string
		in   []Interval
		want string // ranks in the order of in
	}{
		{"apart", []Interval{in(20, 21, 22), in(1, 2, 3)}, "2 1"},
		{"overlapping", []Interval{in(1, 2, 3), in(2.5, 4, 5)}, "1 1"},
		{"touching", []Interval{in(1, 2, 3), in(3, 4, 5)}, "1 1"},
		{"a chain is one rank", []Interval{in(1, 2, 3), in(2, 4, 6), in(5, 6, 7), in(8, 9, 10)}, "1 1 1 2"},
		{"a wide one joins all it covers", []Interval{in(1, 2, 3), in(4, 5, 6), in(0, 7, 20), in(30, 31, 32)}, "1 1 1 2"},
		{"same", []Interval{in(1, 1, 1), in(1, 1, 1)}, "1 1"},
		{"below zero", []Interval{in(-5, -4, -3), in(-2, -1, 0)}, "1 2"},
		{"too near to matter", []Interval{in(999, 1000, 1001), in(1029, 1030, 1031)}, "1 1"},
		{"far enough", []Interval{in(999, 1000, 1001), in(1059, 1060, 1061)}, "1 2"},
		{"none", nil, ""},
	}
	for _, test := range tests {
		var figures, sorted []*Figure
		for _, i := range test.in {
			figures = append(figures, &Figure{Cost: i})
		}
		sorted = append(sorted, figures...)
		rank(sorted)
		var got []string
		for _, f := range figures {
			got = append(got, string(rune('0'+f.Rank)))
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s, want %s", test.name, s, test.want)
		}
	}
}
