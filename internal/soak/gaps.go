//go:build linux && (amd64 || arm64)

package soak

import (
	"sort"
	"time"
)

// coarse is how much earlier than it was a file's time may say: the clock for
// these ticks. Replacements are further apart.
const coarse = 5 * time.Millisecond

// Missed is what was called of the functions that are Hooked in new versions
// within the gaps that were told of them, each from its beginning to its end:
// what should be lost, and nothing else. Where a file was rewritten in place,
// what it had in it before has no probes either.
func (o *Outcome) Missed(gaps []Span) uint64 {
	spans := map[int][]Span{}
	for _, g := range gaps {
		i := sort.Search(len(o.Log), func(i int) bool { return o.Log[i].Began.After(g.From.Add(coarse)) }) - 1
		if i < 0 {
			continue
		}
		v := o.Log[i].Version
		spans[v] = append(spans[v], g)
		if i > 0 && o.Log[i].Way == InPlace {
			before := o.Log[i-1].Version
			spans[before] = append(spans[before], g)
		}
	}
	sum := 0.0
	for v, list := range spans {
		for _, s := range merge(list) {
			sum += o.of(v, s.To) - o.of(v, s.From)
		}
	}
	return uint64(sum + 0.5)
}

// of is how often functions of a version had been called at a time, between two
// samples in proportion.
func (o *Outcome) of(version int, at time.Time) float64 {
	i := sort.Search(len(o.Samples), func(i int) bool { return !o.Samples[i].At.Before(at) })
	if i == len(o.Samples) {
		i--
	}
	if i < 0 {
		return 0
	}
	b := &o.Samples[i]
	if i == 0 || !b.At.After(at) {
		return b.of(version)
	}
	a := &o.Samples[i-1]
	share := float64(at.Sub(a.At)) / float64(b.At.Sub(a.At))
	return a.of(version) + share*(b.of(version)-a.of(version))
}

// of is 0 for what is newer than the sample.
func (s *Sample) of(version int) float64 {
	n := s.Newest - version
	if n < 0 || n >= recent {
		return 0
	}
	return float64(s.Of[n])
}
