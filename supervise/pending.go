//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"os"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// pending is a file that somebody opens while it cannot be probed yet: it is
// being written.
type pending struct {
	file     *os.File
	watches  []*watch
	openings []waiting
	since    time.Time
	idle     time.Time // since when nobody writes it, and it is unusable all the same
	leaked   bool      // the threads went on; from then on there is a gap
}

const (
	// pace is how often what is pending is tried again.
	pace = time.Millisecond
	// settled is how long an unusable file that nobody writes may hold up who
	// opens it. Between creating and opening a file for writing, or between two
	// writers, there are microseconds.
	settled = 50 * time.Millisecond
	// leakKept is how long a file is watched that was let through unprobed.
	leakKept = time.Minute
)

// postpone lets a thread wait for a file that is not ready, given as its layer's.
func (s *Supervisor) postpone(id unix.FileID, watches []*watch, file *os.File, o waiting) {
	p := s.pending[id]
	if p == nil {
		// The opening's own file is closed with its answer.
		text, _, err := unix.OpenText(file, o.TID)
		if err != nil {
			s.allow(o.Opening)
			return
		}
		p = &pending{file: text, watches: watches, since: time.Now()}
		s.pending[id] = p
	}
	if p.leaked {
		s.allow(o.Opening)
		return
	}
	s.hold(o, &p.openings)
}

// wake has what is pending tried.
func (s *Supervisor) wake() {
	select {
	case s.kick <- struct{}{}:
	default:
	}
}

// settlePending tries what is pending until nothing is.
func (s *Supervisor) settlePending() {
	for {
		select {
		case <-s.stop:
			return
		case <-s.kick:
		}
		for busy := true; busy; {
			select {
			case <-s.stop:
				return
			case <-time.After(pace):
			}
			s.turn.Lock()
			busy = s.tryAll()
			s.turn.Unlock()
		}
	}
}

// tryAll tells whether something is pending still.
func (s *Supervisor) tryAll() bool {
	for id, p := range s.pending {
		s.try(id, p)
	}
	busy := len(s.pending) > 0
	for _, b := range s.builds {
		if b.state == writing && b.detached {
			s.tryRewritten(b)
			busy = busy || b.state == writing
		}
	}
	for _, w := range s.watches {
		if w.bad.IsZero() || time.Since(w.tried) < retry {
			busy = busy || !w.bad.IsZero() && !w.badTold
			continue
		}
		w.tried = time.Now()
		s.look(w)
		s.complain(w)
		busy = busy || !w.bad.IsZero() && !w.badTold
	}
	return busy
}

// retry is how often a file that is no good is looked at again, until that is
// told; then only changes count.
const retry = 25 * time.Millisecond

func (s *Supervisor) try(id unix.FileID, p *pending) {
	p.openings = s.pass(p.openings)
	err := s.meet(p.watches, p.file)
	now := time.Now()
	if err == nil || !forgiven(err) {
		if b := s.builds[id]; b != nil && p.leaked {
			s.gap(Gap{when: when(now), Path: b.path, Build: b.number, From: p.since.Add(s.opts.Hold),
				Why: "it took too long to write: processes went on without probes"}, b)
		}
		s.release(p)
		delete(s.pending, id)
		return
	}
	if errors.Is(err, errBusy) {
		p.idle = time.Time{}
	} else if p.idle.IsZero() {
		p.idle = now
	}
	switch {
	case !p.idle.IsZero() && now.Sub(p.idle) > settled: // it is no library, and nobody makes it one
		s.release(p)
		delete(s.pending, id)
	case !p.leaked && now.Sub(p.since) > s.opts.Hold:
		p.leaked = true
		s.let(p)
	case p.leaked && now.Sub(p.since) > leakKept:
		s.release(p)
		delete(s.pending, id)
	}
}

// let has the threads go on.
func (s *Supervisor) let(p *pending) {
	for _, o := range p.openings {
		s.allow(o.Opening)
	}
	p.openings = nil
}

// release ends that a file is pending.
func (s *Supervisor) release(p *pending) {
	s.let(p)
	p.file.Close()
}
