//go:build linux && (amd64 || arm64)

package soak

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"time"
)

// Options of Run.
type Options struct {
	Dir     string // empty, on the file system that is to be tried
	N       int    // replacements
	Ways    []Way  // chosen from at random; empty: all
	Seed    uint64
	Pause   time.Duration // between replacements, half to one and a half of it; 0: 50 ms
	Callers int           // that run one process after the other; 0: 2
	// Count begins to count the functions of the library at path.
	Count func(path string) (Counter, error)
	// Once begins to count right before the load: what attaches but once would
	// otherwise be on a library that is gone.
	Once bool
	// Beside runs beside the replacements, until they are done and ctx ends.
	Beside func(ctx context.Context, l *Load) error
}

// Sample is how much was called at a time.
type Sample struct {
	At    time.Time
	Calls Calls
	// Newest is the version that was there, Of how often the functions that are
	// Hooked were called in it and in those before.
	Newest int
	Of     [recent]uint64

	Wrong, Crashed uint64
	Going          [maxCallers]uint64 // of each caller
}

// recent is how many versions a sample has: a gap of one is over before as many
// others came.
const recent = 16

// Outcome is what came of it.
type Outcome struct {
	Truth, Counted Calls
	Wrong          uint64 // results
	Failed         uint64 // attempts to open the library: it was not there, or not complete
	Crashed        uint64
	Processes      uint64
	Replaced       map[Way]int
	Log            []Replacement
	Samples        []Sample
	Took           time.Duration
}

// Lost is what was called and not counted, of the functions that are hooked.
func (o *Outcome) Lost() int64 {
	var lost int64
	for _, i := range Hooked() {
		lost += int64(o.Truth[i]) - int64(o.Counted[i])
	}
	return lost
}

// take samples the truth.
func take(truth *Truth, newest int) Sample {
	s := Sample{At: time.Now(), Calls: truth.Calls(), Newest: newest, Wrong: truth.Wrong(), Crashed: truth.Crashed(), Going: truth.Going()}
	for i := range min(recent, newest) {
		s.Of[i] = truth.Of(newest - i)
	}
	return s
}

// In is what was called of the functions that are hooked within some times, a
// sample more at either end.
func (o *Outcome) In(times []Span) uint64 {
	return o.within(times, func(s *Sample) uint64 {
		var n uint64
		for _, i := range Hooked() {
			n += s.Calls[i]
		}
		return n
	})
}

// within is by how much something grew within some times, a sample more at
// either end.
func (o *Outcome) within(times []Span, of func(*Sample) uint64) uint64 {
	var n uint64
	for _, s := range merge(times) {
		from := sort.Search(len(o.Samples), func(i int) bool { return !o.Samples[i].At.Before(s.From) })
		to := sort.Search(len(o.Samples), func(i int) bool { return o.Samples[i].At.After(s.To) })
		if len(o.Samples) == 0 {
			continue
		}
		n += of(&o.Samples[min(to, len(o.Samples)-1)]) - of(&o.Samples[max(from-1, 0)])
	}
	return n
}

// Span is a time from a moment to another.
type Span struct{ From, To time.Time }

// merge makes spans that overlap one.
func merge(list []Span) []Span {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Span) int { return a.From.Compare(b.From) })
	var out []Span
	for _, s := range list {
		if n := len(out); n > 0 && !s.From.After(out[n-1].To) {
			if s.To.After(out[n-1].To) {
				out[n-1].To = s.To
			}
			continue
		}
		out = append(out, s)
	}
	return out
}

// Called is what was called of the functions that are hooked.
func (o *Outcome) Called() uint64 {
	var n uint64
	for _, i := range Hooked() {
		n += o.Truth[i]
	}
	return n
}

// niceness is that of the callers, above that of this process: make soak runs it
// at -10.
const niceness = 10

// rounds of a process that ends, and of the one that goes on before it opens
// the library anew.
const (
	fewRounds  = 2
	manyRounds = 400
)

// Run replaces a library o.N times under load and compares.
func Run(o Options) (out *Outcome, err error) {
	if o.N > Versions/2 {
		return nil, fmt.Errorf("%d replacements: there are versions for %d", o.N, Versions/2)
	}
	if len(o.Ways) == 0 {
		o.Ways = Ways()
	}
	if o.Pause == 0 {
		o.Pause = 50 * time.Millisecond
	}
	if o.Callers == 0 {
		o.Callers = 2
	}
	if o.Callers+2 > maxCallers {
		return nil, fmt.Errorf("%d callers: at most %d", o.Callers, maxCallers-2)
	}
	kit, err := NewKit(o.Dir)
	if err != nil {
		return nil, err
	}
	truth, err := NewTruth(filepath.Join(o.Dir, "truth"))
	if err != nil {
		return nil, err
	}
	defer truth.Close()
	lib := filepath.Join(o.Dir, "lib")
	if err := os.Mkdir(lib, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(lib, "libx.so")
	rnd := rand.New(rand.NewPCG(o.Seed, 1))
	r, err := NewReplacer(kit, path, rnd)
	if err != nil {
		return nil, err
	}
	var counter Counter
	if !o.Once {
		if counter, err = o.Count(path); err != nil {
			return nil, err
		}
	}
	// Links have led to the other directory before.
	for range 8 {
		if err := r.Do(Symlink); err != nil {
			return nil, err
		}
		time.Sleep(20 * time.Millisecond)
	}
	if o.Once {
		if counter, err = o.Count(path); err != nil {
			return nil, err
		}
	}
	defer func() { err = errors.Join(err, counter.Close()) }()
	ways := make([]Way, o.N)
	for i := range ways {
		ways[i] = o.Ways[rnd.IntN(len(o.Ways))]
	}
	if err := r.Compile(ways); err != nil {
		return nil, err
	}
	l, err := startLoad(kit, path, truth, r, o.Callers)
	if err != nil {
		return nil, err
	}
	out = &Outcome{Replaced: map[Way]int{}}
	begin := time.Now()
	err = l.beside(o.Beside, func() error { return r.replace(ways, o.Pause, out.Replaced) })
	out.Took = time.Since(begin)
	if err := errors.Join(err, l.end()); err != nil {
		return nil, err
	}
	out.Samples, out.Log = l.samples, r.log
	out.Truth, out.Wrong, out.Failed, out.Crashed, out.Processes = truth.Calls(), truth.Wrong(), truth.Failed(), truth.Crashed(), truth.Processes()
	out.Counted, err = counter.Calls()
	return out, err
}
