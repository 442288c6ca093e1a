//go:build linux && (amd64 || arm64)

package soak

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Killed is what came of a daemon that is killed again and again.
type Killed struct {
	*Outcome
	Kills int
	// While of these it was starting, held somebody who opens or writes the library,
	// had processes stand still, or the library was being replaced.
	While map[Moment]int
	// Down is from each kill to when the next daemon was ready.
	Down []Span
	// Counters are what they did that they must not do: go down, or exceed the truth.
	Counters []string
	// Left is what was left of it in the end.
	Left []string
}

// hang is how long a caller may stand still.
const hang = 2 * time.Second

// Faults are what must not be: what counters must not do, callers that hang, losses at times
// when a daemon was ready, wrong results and crashes then, and what is left in the end.
func (o *Killed) Faults() []string {
	list := slices.Concat(o.Counters, o.Left)
	for c, s := range o.standstills() {
		if d := s.To.Sub(s.From); d >= hang {
			list = append(list, fmt.Sprintf("caller %d stood still for %v", c, d))
		}
	}
	if lost, may := o.Lost(), o.In(o.Down); lost > int64(may) {
		list = append(list, fmt.Sprintf("%d calls are lost, %d were made while no daemon was ready", lost, may))
	}
	if n := o.Wrong - o.WrongMeanwhile(); n > 0 {
		list = append(list, fmt.Sprintf("%d results wrong while a daemon was ready", n))
	}
	if n := o.Crashed - o.CrashedMeanwhile(); n > 0 {
		list = append(list, fmt.Sprintf("%d processes crashed while a daemon was ready", n))
	}
	return list
}

// standstills are the longest of each caller.
func (o *Outcome) standstills() (longest [maxCallers]Span) {
	if len(o.Samples) == 0 {
		return longest
	}
	last := o.Samples[len(o.Samples)-1]
	var since [maxCallers]time.Time
	var at [maxCallers]uint64
	for _, s := range o.Samples {
		for c, n := range s.Going {
			if since[c].IsZero() || n != at[c] {
				since[c], at[c] = s.At, n
			}
			if last.Going[c] > 0 && s.At.Sub(since[c]) > longest[c].To.Sub(longest[c].From) {
				longest[c] = Span{since[c], s.At}
			}
		}
	}
	return longest
}

// Standstill is the longest time in which a caller made no progress.
func (o *Outcome) Standstill() (d time.Duration) {
	for _, s := range o.standstills() {
		d = max(d, s.To.Sub(s.From))
	}
	return d
}

// GoesOn is the longest time from a kill until all callers have made progress.
func (o *Killed) GoesOn() (longest time.Duration) {
	for _, d := range o.Down {
		longest = max(longest, o.progress(d.From))
	}
	return longest
}

// progress is how long from a time on it took until every caller made progress.
func (o *Outcome) progress(from time.Time) time.Duration {
	var before *Sample
	for i := range o.Samples {
		s := &o.Samples[i]
		if s.At.Before(from) {
			before = s
			continue
		}
		if before != nil && s.goneOn(before) {
			return s.At.Sub(from)
		}
	}
	return 0 // the run has ended first: hangs tells if it should not have
}

func (s *Sample) goneOn(before *Sample) bool {
	for c, n := range s.Going {
		if n == before.Going[c] && n > 0 {
			return false
		}
	}
	return true
}

// WrongMeanwhile is how many results were wrong, and CrashedMeanwhile how many processes
// crashed, while no daemon was ready.
func (o *Killed) WrongMeanwhile() uint64 {
	return o.within(o.Down, func(s *Sample) uint64 { return s.Wrong })
}

// CrashedMeanwhile is as WrongMeanwhile.
func (o *Killed) CrashedMeanwhile() uint64 {
	return o.within(o.Down, func(s *Sample) uint64 { return s.Crashed })
}

// DownTime is how long no daemon was ready.
func (o *Killed) DownTime() (d time.Duration) {
	for _, s := range o.Down {
		d += s.To.Sub(s.From)
	}
	return d
}

// String says it in lines.
func (o *Killed) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d replacements, %d kills, no daemon for %v\n", len(o.Log), o.Kills, o.DownTime().Round(time.Millisecond))
	for _, m := range Moments() {
		if n := o.While[m]; n > 0 {
			fmt.Fprintf(&b, "killed %s: %s\n", m, fmt.Sprint(n))
		}
	}
	fmt.Fprintf(&b, "called %v, counted %v: lost %d; called while no daemon was ready: %d\n", o.Truth, o.Counted, o.Lost(), o.In(o.Down))
	fmt.Fprintf(&b, "wrong %d, of them %d meanwhile; crashed %d, of them %d meanwhile\n", o.Wrong, o.WrongMeanwhile(), o.Crashed, o.CrashedMeanwhile())
	fmt.Fprintf(&b, "all callers went on %v after a kill at most; the longest standstill was %v\n", o.GoesOn().Round(time.Millisecond), o.Standstill().Round(time.Millisecond))
	for _, f := range o.Faults() {
		fmt.Fprintf(&b, "FAULT: %s\n", f)
	}
	return b.String()
}
