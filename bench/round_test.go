//go:build linux && (amd64 || arm64)

package bench

import (
	"slices"
	"testing"
)

// TestForget: a round that is repeated counts once, and what was lost in it is
// not forgotten.
func TestForget(t *testing.T) {
	for _, test := range []struct {
		name       string
		last, want Runs
	}{
		{"nothing lost", Runs{Calls: 40, Ran: 40}, Runs{Calls: 100, Ran: 99}},
		{"lost", Runs{Calls: 40, Ran: 38}, Runs{Calls: 140, Ran: 137}},
		{"others ran it too", Runs{Calls: 40, Ran: 50}, Runs{Calls: 100, Ran: 99}},
		{"no program", Runs{}, Runs{Calls: 100, Ran: 99}},
	} {
		s := &subject{figure: &Figure{Runs: Runs{Calls: 100, Ran: 99}}}
		p := &probe{subject: s}
		p.add(1, 3, 2)
		s.count(test.last)
		p.add(10, 30, 20)
		s.forget()
		if s.figure.Runs != test.want {
			t.Errorf("%s: %+v, want %+v", test.name, s.figure.Runs, test.want)
		}
		if !slices.Equal(s.untraced, []float64{1}) || !slices.Equal(s.traced, []float64{3}) || !slices.Equal(s.cost, []float64{2}) {
			t.Errorf("%s: rounds %v %v %v", test.name, s.untraced, s.traced, s.cost)
		}
	}
}
