//go:build linux && (amd64 || arm64)

package soak

import (
	"testing"
	"time"
)

// TestMissed: calls in a new version within its gap count, those in others and
// at other times do not.
func TestMissed(t *testing.T) {
	at := func(ms float64) time.Time { return time.Unix(1, 0).Add(time.Duration(ms * float64(time.Millisecond))) }
	sample := func(ms float64, newest int, of ...uint64) Sample {
		s := Sample{At: at(ms), Newest: newest}
		copy(s.Of[:], of)
		return s
	}
	o := &Outcome{
		Log: []Replacement{{Version: 5, Way: Rename, Began: at(0)}, {Version: 6, Way: Rename, Began: at(10)}, {Version: 7, Way: InPlace, Began: at(20)}},
		Samples: []Sample{
			sample(9, 5, 100), sample(11, 6, 0, 120), sample(13, 6, 40, 130), sample(15, 6, 60, 130),
			sample(21, 7, 0, 100), sample(23, 7, 10, 110), sample(25, 7, 50, 110),
		},
	}
	tests := []struct {
		name string
		gaps []Span
		want uint64
	}{
		{"none", nil, 0},
		{"of the new version only", []Span{{at(10.5), at(13)}}, 40},
		{"between two samples", []Span{{at(10.5), at(14)}}, 50},
		{"twice the same", []Span{{at(10.5), at(13)}, {at(10.6), at(13)}}, 40},
		{"in place: also what was there before", []Span{{at(21), at(23)}}, 20},
		{"before everything", []Span{{at(-5), at(-4)}}, 0},
		{"after everything", []Span{{at(30), at(40)}}, 0},
	}
	for _, test := range tests {
		if got := o.Missed(test.gaps); got != test.want {
			t.Errorf("%s: %d, want %d", test.name, got, test.want)
		}
	}
}
