//go:build linux && (amd64 || arm64)

package bench

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/surehook/surehook/internal/caller"
)

// quiet tells whether the processor is as quick as it can be. One that shares
// its core with others, or changes its clock, has phases of seconds in which
// everything takes half as long again; a process that nobody traces shows them.
type quiet struct {
	process *caller.Process
	times   uint64  // calls of a sample's batch
	best    float64 // quickest time of a call yet, ns

	left   time.Duration // how long may still be waited
	waited time.Duration
	slow   uint64 // rounds that were kept though the processor was slow
}

const (
	// sampled is the length of one batch of a sample, and learning how long is
	// sampled before anything is measured.
	sampled  = 100 * time.Microsecond
	learning = 500 * time.Millisecond
	// doze is the time between two samples.
	doze = 2 * time.Millisecond
)

// defaultPatience is that of Options.
const defaultPatience = time.Minute

// newQuiet starts the process and learns what its best is.
func newQuiet(dir string, cpu int, patience time.Duration) (*quiet, error) {
	q := &quiet{times: 1, left: patience}
	if patience == 0 {
		q.left = defaultPatience
	}
	var err error
	if q.process, err = caller.Start(dir, cpu); err != nil {
		return nil, err
	}
	for {
		each, err := q.sample()
		if err != nil {
			return nil, errors.Join(err, q.process.Close())
		}
		if total := time.Duration(each * float64(q.times)); total >= sampled {
			break
		}
		q.times *= 2
	}
	for end := time.Now().Add(learning); time.Now().Before(end) && q.left > 0; {
		if _, err := q.sample(); err != nil {
			return nil, errors.Join(err, q.process.Close())
		}
	}
	return q, nil
}

// sample gives the time of a call now, in ns.
func (q *quiet) sample() (float64, error) {
	took, err := q.process.Run(caller.Nop, q.times, batches)
	if err != nil {
		return 0, err
	}
	each := float64(slices.Min(took).Nanoseconds()) / float64(q.times)
	if total := each * float64(q.times); total >= float64(sampled) && (q.best == 0 || each < q.best) {
		q.best = each
	}
	return each, nil
}

// calm tells whether the processor is quick now.
func (q *quiet) calm() (bool, error) {
	each, err := q.sample()
	return each <= q.best*Slower, err
}

// await waits until the processor is quick, or patience is at its end.
func (q *quiet) await(ctx context.Context) error {
	for ctx.Err() == nil {
		began := time.Now()
		calm, err := q.calm()
		if err != nil || calm || q.left <= 0 {
			return err
		}
		time.Sleep(doze)
		q.spend(time.Since(began))
	}
	return ctx.Err()
}

// spend takes time from what may be waited.
func (q *quiet) spend(d time.Duration) {
	q.left -= d
	q.waited += d
}

// quietly measures one subject once while the processor is quick, again if it
// was not at the end.
func (b *bench) quietly(ctx context.Context, s *subject, rng *rand.Rand) error {
	if s.figure.Unavailable != "" {
		return nil
	}
	for {
		if err := b.quiet.await(ctx); err != nil {
			return err
		}
		began := time.Now()
		if err := b.round(ctx, s, rng); err != nil || s.figure.Unavailable != "" {
			return err
		}
		calm, err := b.quiet.calm()
		if err != nil || calm {
			return err
		}
		if b.quiet.left <= 0 {
			b.quiet.slow++
			return nil
		}
		s.forget()
		b.quiet.spend(time.Since(began))
	}
}
