//go:build linux && (amd64 || arm64)

package soak

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// going makes samples, 100 ms apart, of how far two callers are.
func going(list ...[2]uint64) *Killed {
	o := &Outcome{}
	for i, g := range list {
		s := Sample{At: time.Unix(100, 0).Add(time.Duration(i) * 100 * time.Millisecond)}
		copy(s.Going[:], g[:])
		o.Samples = append(o.Samples, s)
	}
	return &Killed{Outcome: o}
}

func TestStandstill(t *testing.T) {
	at := func(ms int) time.Time { return time.Unix(100, 0).Add(time.Duration(ms) * time.Millisecond) }
	tests := []struct {
		name        string
		o           *Killed
		down        []Span
		longest, on time.Duration
		hangs       int
	}{
		{"nobody stands", going([2]uint64{1, 1}, [2]uint64{2, 2}, [2]uint64{3, 3}), []Span{{at(50), at(150)}}, 0, 50 * time.Millisecond, 0},
		{"one stands a while", going([2]uint64{1, 1}, [2]uint64{1, 2}, [2]uint64{1, 3}, [2]uint64{2, 4}), []Span{{at(50), at(150)}}, 200 * time.Millisecond, 250 * time.Millisecond, 0},
		{"a caller that there is not", going([2]uint64{1, 0}, [2]uint64{2, 0}), nil, 0, 0, 0},
		{"one never goes on", going(stuck(30)...), []Span{{at(50), at(150)}}, 2900 * time.Millisecond, 0, 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			test.o.Down = test.down
			if d := test.o.Standstill(); d != test.longest {
				t.Errorf("the longest is %v, want %v", d, test.longest)
			}
			if d := test.o.GoesOn(); d != test.on {
				t.Errorf("all have gone on after %v, want %v", d, test.on)
			}
			if f := test.o.Faults(); len(f) != test.hangs {
				t.Errorf("%q, want %d", f, test.hangs)
			}
		})
	}
}

func stuck(n int) (list [][2]uint64) {
	for i := range n {
		list = append(list, [2]uint64{uint64(i) + 1, 7})
	}
	return list
}

// TestFaults: what happens while no daemon is ready is none, the rest is.
func TestFaults(t *testing.T) {
	at := func(s int) time.Time { return time.Unix(100+int64(s), 0) }
	o := func(counted, wrongEarly, wrongLate, crashed uint64) *Killed {
		return &Killed{
			Outcome: &Outcome{
				Truth: Calls{0: 100}, Counted: Calls{0: counted}, Wrong: wrongEarly + wrongLate, Crashed: crashed,
				Samples: []Sample{
					{At: at(0), Calls: Calls{0: 10}}, {At: at(1), Calls: Calls{0: 20}},
					{At: at(2), Calls: Calls{0: 50}, Wrong: wrongEarly}, {At: at(3), Calls: Calls{0: 100}, Wrong: wrongEarly + wrongLate, Crashed: crashed},
				},
			},
			Down: []Span{{at(1), at(2)}},
		}
	}
	tests := []struct {
		name string
		o    *Killed
		want string
	}{
		// Of the span and a sample more at either end 90 calls may be lost.
		{"lost and wrong meanwhile", o(10, 0, 0, 0), ""},
		{"more is lost", o(9, 0, 0, 0), "91 calls are lost, 90 were made while no daemon was ready"},
		{"in the end", func() *Killed { k := o(100, 0, 0, 0); k.Left = []string{"a lease"}; return k }(), "a lease"},
	}
	for _, test := range tests {
		if diff := cmp.Diff(test.want, strings.Join(test.o.Faults(), ", ")); diff != "" {
			t.Errorf("%s: %s", test.name, diff)
		}
	}
}

func TestParseMetrics(t *testing.T) {
	const all = `# TYPE surehook_executions_total counter
surehook_executions_total{hook="one"} 1.5e+06
surehook_executions_total{hook="two"} 2
surehook_executions_total{hook="four"} 4
surehook_executions_total{hook="small"} 5
surehook_gaps_total{hook="small"} 9
`
	got, err := parseMetrics(strings.NewReader(all))
	if want := (Calls{1500000, 2, 0, 4, 5}); err != nil || got != want {
		t.Errorf("%v, %v; want %v", got, err, want)
	}
	for _, bad := range []string{"", strings.Replace(all, `"four"`, `"five"`, 1), strings.Replace(all, "} 2", "} two", 1)} {
		if _, err := parseMetrics(strings.NewReader(bad)); err == nil {
			t.Errorf("no error: %q", bad)
		}
	}
}
