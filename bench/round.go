//go:build linux && (amd64 || arm64)

package bench

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/cilium/ebpf"

	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/caller"
)

// The shape of a round: pairs of the call alone and the traced one, each the
// quickest of some batches. A batch that was interrupted is then without effect
// unless all of them were.
const (
	pairs   = 5
	batches = 4
)

// subject is one kind with one work through all rounds.
type subject struct {
	kind   kind
	figure *Figure
	prog   *bpf.Work // nil: not loaded, or nothing is attached
	target target    // in the kernel

	untraced, traced, cost []float64 // ns a call, one a round
	calls                  [2]uint64 // a batch, untraced and traced; 0: not known yet
	last                   Runs      // of the last round
}

// probe is what a round works with.
type probe struct {
	*subject
	bench      *bench
	plain, hot *caller.Process // the hot one is traced; both may be the same
	due        uint64          // runs that the program owes for the calls made
	watch      bool            // calls are counted in due
	requests   uint64
}

// run makes one request of n batches and gives the quickest time of a call in ns.
func (p *probe) run(process *caller.Process, times uint64, n int) (float64, error) {
	took, err := process.Run(p.kind.call, times, n)
	if err != nil {
		return 0, err
	}
	p.requests++
	if p.watch && process == p.hot {
		p.due += times * uint64(n)
		if p.kind.everySyscall() {
			p.due += caller.Extra(n)
		}
	}
	return float64(slices.Min(took).Nanoseconds()) / float64(times), nil
}

// size finds out how many calls make a batch of the length wanted.
func (p *probe) size(process *caller.Process) (uint64, error) {
	times := uint64(64) // also warms up, and lets the kernel optimise what it does at the second hit
	for {
		each, err := p.run(process, times, 2)
		if err != nil {
			return 0, err
		}
		total := time.Duration(each * float64(times))
		if total >= p.bench.opts.Batch/4 {
			return max(1, uint64(float64(p.bench.opts.Batch)/each)), nil
		}
		times *= 4
	}
}

// side measures the call alone, 0, or traced, 1.
func (p *probe) side(traced int) (float64, error) {
	process := p.plain
	if traced == 1 {
		process = p.hot
	}
	if p.calls[traced] == 0 {
		n, err := p.size(process)
		if err != nil {
			return 0, err
		}
		p.calls[traced] = n
	}
	return p.run(process, p.calls[traced], batches)
}

// attach attaches the program; what nothing is attached for has nothing to close.
func (p *probe) attach() (io.Closer, error) {
	p.watch = true
	if p.kind.mech == nothing {
		return io.NopCloser(nil), nil
	}
	at := p.target
	if p.kind.user() {
		var err error
		if at, err = p.kind.inFile(p.hot); err != nil {
			return nil, err
		}
	}
	l, err := p.kind.mech.put(p.prog.Prog, at)
	if err != nil {
		return nil, &refused{err}
	}
	if p.kind.mech != kprobe || p.kind.armed == byInt3 {
		return l, nil
	}
	how, err := settled(p.target)
	switch {
	case p.kind.armed == byJump && err == nil && how != byJump:
		err = &refused{errNotArmed}
	case p.kind.armed == anyhow && err == nil && how == anyhow:
		p.figure.Note = "the kernel does not say how it gets there"
	case p.kind.armed == anyhow && err == nil:
		p.figure.Note = "the kernel gets there by " + string(how)
	case p.kind.armed == anyhow: // measured without knowing
		p.figure.Note, err = err.Error(), nil
	}
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return l, nil
}

// refused is why the kernel does not attach a program.
type refused struct{ err error }

func (r *refused) Error() string { return r.err.Error() }

// Unwrap returns the cause.
func (r *refused) Unwrap() error { return r.err }

// errNotArmed means that a kprobe does not get control as it did at first.
var errNotArmed = errors.New("how the kernel gets to this kprobe has changed during the measurement")

// twin measures a user function: one process has it traced, another one runs
// the same program from a file of its own, and they take turns.
func (p *probe) twin(rng *rand.Rand) error {
	l, err := p.attach()
	if err != nil {
		return err
	}
	var alone, with, more []float64
	for range pairs {
		var ns [2]float64
		first := rng.IntN(2)
		for _, traced := range []int{first, 1 - first} {
			if ns[traced], err = p.side(traced); err != nil {
				return errors.Join(err, l.Close())
			}
		}
		alone, with, more = append(alone, ns[0]), append(with, ns[1]), append(more, ns[1]-ns[0])
	}
	p.add(middle(alone), middle(with), middle(more))
	return errors.Join(p.settle(), l.Close())
}

// toggle measures a system call, which one program traces for all processes:
// before, or after, it is attached.
func (p *probe) toggle(rng *rand.Rand) error {
	var ns [2]float64
	first := rng.IntN(2)
	for _, traced := range []int{first, 1 - first} {
		var values []float64
		var l io.Closer
		var err error
		if traced == 1 {
			if l, err = p.attach(); err != nil {
				return err
			}
		}
		for range pairs {
			v, err := p.side(traced)
			if err != nil {
				return errors.Join(err, closeIf(l))
			}
			values = append(values, v)
		}
		ns[traced] = middle(values)
		if l != nil {
			if err := errors.Join(p.settle(), l.Close()); err != nil {
				return err
			}
			p.watch = false
		}
	}
	p.add(ns[0], ns[1], ns[1]-ns[0])
	return nil
}

// count adds what was run in a round.
func (s *subject) count(last Runs) {
	s.last = last
	s.figure.Runs.Calls += last.Calls
	s.figure.Runs.Ran += last.Ran
}

// forget drops the last round, but never what was lost in it: that has nothing
// to do with how quick the processor was.
func (s *subject) forget() {
	if s.last.Lost() == 0 {
		s.figure.Runs.Calls -= s.last.Calls
		s.figure.Runs.Ran -= s.last.Ran
	}
	s.last = Runs{}
	last := len(s.cost) - 1
	s.untraced, s.traced, s.cost = s.untraced[:last], s.traced[:last], s.cost[:last]
}

func closeIf(l io.Closer) error {
	if l == nil {
		return nil
	}
	return l.Close()
}

func (p *probe) add(alone, with, more float64) {
	p.untraced, p.traced, p.cost = append(p.untraced, alone), append(p.traced, with), append(p.cost, more)
}

// settle compares what the program ran with what it should have, while it is
// still attached.
func (p *probe) settle() error {
	if p.prog == nil {
		return nil
	}
	if p.kind.armed == byInt3 {
		if how, err := control(p.target); err != nil || how != byInt3 {
			return errors.Join(err, &refused{errNotArmed})
		}
	}
	runs := &p.figure.Runs
	n, counts, err := p.bench.ranIn(p.prog, p.hot)
	if err != nil {
		return fmt.Errorf("reading the program's count: %w", err)
	}
	if !counts {
		if n, err = p.byKernel(); err != nil {
			return err
		}
	}
	p.count(Runs{Calls: p.due, Ran: n})
	p.due = 0
	if p.bench.recursion() {
		stats, err := p.prog.Prog.Stats()
		if err != nil {
			return err
		}
		runs.Recursion = &stats.RecursionMisses
	}
	return nil
}

// checked is how many calls the kernel's count is asked for.
const checked = 2000

// statistics is BPF_STATS_RUN_TIME of the kernel's bpf.h.
const statistics = 0

// byKernel counts runs of a program without a count. Not while time is
// measured: it costs some 20 ns a run.
func (p *probe) byKernel() (uint64, error) {
	p.figure.Runs.ByKernel = true
	p.due = 0
	stop, err := ebpf.EnableStats(statistics)
	if err != nil {
		return 0, fmt.Errorf("counting runs (Linux 5.8): %w", err)
	}
	defer stop.Close()
	before, err := p.prog.Prog.Stats()
	if err != nil {
		return 0, err
	}
	if _, err := p.run(p.hot, checked, 1); err != nil {
		return 0, err
	}
	after, err := p.prog.Prog.Stats()
	if err != nil {
		return 0, err
	}
	return after.RunCount - before.RunCount, nil
}
