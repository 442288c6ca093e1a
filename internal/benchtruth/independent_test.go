package benchtruth

import (
	"errors"
	"testing"
)

// TestQuickly: a try on a slow processor is repeated, and what was measured on
// one that stayed slow says so.
func TestQuickly(t *testing.T) {
	type try struct{ cost, before, after float64 }
	tests := []struct {
		name  string
		best  float64 // of earlier measurements; 0: there were none
		tries []try   // the last one again and again
		want  Cost
		made  int
	}{
		{"quick", 0, []try{{500, 100, 101}}, Cost{NS: 500}, 1},
		{"slow once", 100, []try{{900, 150, 150}, {500, 100, 109}}, Cost{NS: 500}, 2},
		{"slow after it", 0, []try{{900, 100, 150}, {500, 100, 100}}, Cost{NS: 500}, 2},
		{"slow before it", 0, []try{{900, 150, 100}, {500, 100, 100}}, Cost{NS: 500}, 2},
		{"slow all the time", 100, []try{{900, 150, 150}, {800, 140, 140}}, Cost{NS: 800, Slow: true}, tries},
		{"a better best", 200, []try{{500, 100, 100}}, Cost{NS: 500}, 1},
	}
	for _, test := range tests {
		i := &Independent{best: map[string]float64{}}
		if test.best > 0 {
			i.best["nop"] = test.best
		}
		made := 0
		got, err := i.quickly("nop", func() (cost, before, after float64, err error) {
			x := test.tries[min(made, len(test.tries)-1)]
			made++
			return x.cost, x.before, x.after, nil
		})
		if err != nil || got != test.want || made != test.made {
			t.Errorf("%s: %+v after %d tries, %v; want %+v after %d", test.name, got, made, err, test.want, test.made)
		}
	}
	failed := errors.New("no loop")
	i := &Independent{best: map[string]float64{}}
	if _, err := i.quickly("nop", func() (_, _, _ float64, err error) { return 0, 0, 0, failed }); !errors.Is(err, failed) {
		t.Error(err)
	}
}
