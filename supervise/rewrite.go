//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/supervise/internal/mapped"
	"github.com/surehook/surehook/supervise/internal/opener"
	"github.com/surehook/surehook/supervise/internal/pause"
)

// watchLeases waits for writers. A signal says that there is one, not where.
func (s *Supervisor) watchLeases() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGIO)
	defer signal.Stop(signals)
	for {
		select {
		case <-s.stop:
			return
		case <-signals:
			s.turn.Lock()
			s.breaks()
			s.turn.Unlock()
		}
	}
}

// breaks finds the files that somebody waits to write.
func (s *Supervisor) breaks() {
	for _, b := range s.builds {
		if !b.leased || b.state == writing {
			continue
		}
		if held, err := unix.Leased(b.file); err == nil && held {
			continue
		}
		s.giveWay(b)
	}
}

// giveWay takes the probes off a file so that it can be written. The turn is
// held; the work is done without it.
func (s *Supervisor) giveWay(b *build) {
	b.state, b.began, b.leaked, b.detached, b.settle = writing, time.Now(), false, false, time.Time{}
	s.expose(b)
	file := b.mapped()
	if s.gate != nil {
		b.pause = pause.New()
	}
	s.working.Go(func() {
		var errs, failed []error
		detach := func() {
			for _, set := range b.sets {
				errs = append(errs, set.detach())
			}
		}
		if b.pause == nil {
			detach()
		} else {
			var late int
			if late, failed = standStill(b.pause, []mapped.File{file}, detach); late > 0 {
				failed = append(failed, fmt.Errorf("%d threads opened it while its probes were taken off", late))
			}
		}
		s.turn.Lock()
		defer s.turn.Unlock()
		errs = append(errs, s.finish(b))
		if err := errors.Join(errs...); err != nil {
			s.log.Warn("detaching", "path", b.path, "err", err)
		}
		for _, err := range failed {
			s.finding(Unpausable, b.path, b, err)
			b.leaked = true
		}
		s.tell(Detached{when: when(time.Now()), Path: b.path, Build: b.number, Rewriting: true})
		if err := unix.Unlease(b.file); err != nil {
			s.log.Debug("ending a lease", "path", b.path, "err", err)
		}
		b.leased, b.detached = false, true
		s.wake()
	})
}

// standStill stops who has the files, does something, and stops those who have
// come by them since. It says how many threads did: who was in the middle of
// opening a file when the others were stopped.
func standStill(p *pause.Pause, files []mapped.File, do func()) (late int, errs []error) {
	errs = stopAll(p, files)
	before := p.Len()
	do()
	errs = append(errs, stopAll(p, files)...)
	return p.Len() - before, errs
}

// rounds bounds the search for processes that have a file: what is forked
// meanwhile has it too.
const rounds = 4

// stopAll stops the processes that have one of the files mapped or open, but not
// those that wait to write.
func stopAll(p *pause.Pause, files []mapped.File) []error {
	var errs []error
	for range rounds {
		users, err := mapped.Find(files, true)
		if err != nil {
			return append(errs, err)
		}
		fresh := false
		for _, u := range slices.Concat(users...) {
			if p.Has(u.PID) || opener.Writes(u.PID) {
				continue
			}
			if err := p.Stop(u.PID); err != nil {
				errs = append(errs, err)
				continue
			}
			fresh = true
		}
		if !fresh {
			break
		}
	}
	return errs
}

// tryRewritten attaches a file again when nobody writes it any more.
func (s *Supervisor) tryRewritten(b *build) {
	now := time.Now()
	b.held = s.pass(b.held)
	err := unix.Lease(b.file)
	if errors.Is(err, unix.ErrBusy) {
		b.settle = time.Time{}
		s.leak(b, now)
		return
	}
	b.leased = err == nil
	s.number++
	old := b.number
	b.number = s.number
	b.state = probed
	err = s.recover(b)
	if errors.As(err, new(*unusable)) {
		if b.settle.IsZero() {
			b.settle = now
		}
		if now.Sub(b.settle) < settled { // another writer may come
			b.state, b.number = writing, old
			s.number--
			if b.leased {
				unix.Unlease(b.file)
				b.leased = false
			}
			s.leak(b, now)
			return
		}
		s.finding(Unreadable, b.path, b, err)
	} else if err != nil {
		s.finding(NotAttached, b.path, b, err)
	}
	s.resume(b)
	b.since = time.Now()
	for w := range b.watches {
		w.seen[b.number] = true
		s.stats.attached++
		s.remember(time.Since(now))
		s.tell(Attached{when: when(b.since), Path: w.path, Build: b.number, BuildID: b.buildID, Sites: b.sites(), Latency: b.since.Sub(now)})
		for _, k := range w.hooks {
			k.replaced++
			s.compare(w, k, b)
		}
	}
	if s.gate == nil || b.leaked {
		s.gap(Gap{when: when(b.since), Path: b.path, Build: b.number, From: b.began, Why: "it was rewritten in place"}, b)
	}
	b.leaked = false
	if err == nil {
		s.protect(b)
		s.doubt(b)
	}
}

// recover attaches the hooks of a build that has another content now.
func (s *Supervisor) recover(b *build) error {
	var errs []error
	for w := range b.owners {
		errs = append(errs, s.cover(w, b))
	}
	return errors.Join(errs...)
}

// leak lets go on who has waited too long.
func (s *Supervisor) leak(b *build, now time.Time) {
	if !b.leaked && now.Sub(b.began) > s.opts.Hold && (len(b.held) > 0 || b.pause != nil) {
		b.leaked = true
		s.resume(b)
	}
}

// resume lets all go on that wait for a build.
func (s *Supervisor) resume(b *build) {
	for _, o := range b.held {
		s.allow(o.Opening)
	}
	b.held = nil
	if b.pause != nil {
		b.pause.Resume()
		b.pause = nil
	}
}

// overwritten attaches a file anew that was written without our leave.
func (s *Supervisor) overwritten(b *build) {
	s.takeOff(b)
	s.number++
	b.number = s.number
	b.since = time.Time{}
}
