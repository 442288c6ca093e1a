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
	steady := func(v float64) []float64 {
		return []float64{v, v + .1, v - .1, v + .2, v - .2, v + .05, v - .05, v + .15, v - .15}
	}
	plus := func(v []float64, by float64) (out []float64) {
		for _, x := range v {
			out = append(out, x+by)
		}
		return out
	}
	// A machine that is half as slow again in some rounds.
	phases := []float64{500, 750, 760, 510, 505, 755, 500, 750, 510}
	jumpy := []float64{100, 900, 300, 700, 500, 200, 800, 400, 600}
	tests := []struct {
		name string
		in   [][]float64
		want string // ranks in the order of in
	}{
		{"apart", [][]float64{steady(20), steady(2)}, "2 1"},
		{"same", [][]float64{steady(20), steady(20)}, "1 1"},
		{"both slow in the same rounds", [][]float64{phases, plus(phases, 60)}, "1 2"},
		{"each slow in other rounds", [][]float64{jumpy, plus(phases, 60)}, "1 1"},
		{"a wide one joins all it covers", [][]float64{steady(300), steady(500), jumpy, steady(1000)}, "1 1 1 2"},
		{"below zero", [][]float64{steady(-40), steady(-10)}, "1 2"},
		{"too near to matter", [][]float64{steady(1000), steady(1030)}, "1 1"},
		{"far enough", [][]float64{steady(1000), steady(1060)}, "1 2"},
		{"less than the call changes by", [][]float64{steady(0), steady(5)}, "1 1"},
		{"none", nil, ""},
	}
	for _, test := range tests {
		var figures, list []rival
		for _, v := range test.in {
			f := &Figure{Untraced: Interval{Median: 120}}
			f.Cost, _ = interval(v)
			figures = append(figures, rival{f, v})
		}
		list = append(list, figures...)
		rank(list)
		var got []string
		for _, f := range figures {
			got = append(got, string(rune('0'+f.Rank)))
		}
		if s := strings.Join(got, " "); s != test.want {
			t.Errorf("%s: %s, want %s", test.name, s, test.want)
		}
	}
}
