//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"os"
	"slices"
	"time"

	"github.com/surehook/surehook/sites"
	"github.com/surehook/surehook/supervise/internal/mapped"
	"github.com/surehook/surehook/supervise/internal/way"
)

// look follows a path and attaches what it leads to. The turn is held.
func (s *Supervisor) look(w *watch) {
	seen := w.looked // it led elsewhere then, if it has changed
	w.looked = time.Now()
	now, err := way.Walk(w.path, func(dir *os.File, step way.Step) error { return s.enter(w, dir, step) })
	if err != nil {
		s.finding(Unwatched, w.path, nil, err)
		return
	}
	first := w.way == nil
	since, changed := way.Since(w.way, now)
	w.way = now
	s.index(w)
	s.leaveDirs(w)
	if first && w.restored {
		defer s.survivors(w)
	}
	if now.File == nil {
		s.lack(w, now.Missing)
		return
	}
	defer func() {
		now.File.Close()
		now.File = nil
	}()
	switch {
	case changed && !first:
		w.appeared = latest(since, seen, w.mounted)
	case first && w.restored: // if it is another one, it came while nobody looked
		w.appeared = now.Info.Changed
	}
	b, err := s.obtain(w, now.File)
	if err != nil {
		s.spoiled(w, err)
		return
	}
	w.bad, w.badTold, w.missing = time.Time{}, false, ""
	s.arrive(w, b, now, first)
}

func latest(times ...time.Time) time.Time { return slices.MaxFunc(times, time.Time.Compare) }

// lack is a path that leads nowhere now.
func (s *Supervisor) lack(w *watch, err error) {
	w.bad, w.badTold = time.Time{}, false
	s.leave(w)
	if text := err.Error(); text != w.missing {
		w.missing = text
		if w.inside() {
			return // the container may be about to end; the hook waits for no single one
		}
		s.tell(Waiting{when: when(time.Now()), Path: w.path, Err: err})
	}
}

// spoiled is a path that leads to something that cannot be probed, perhaps not
// yet: the state stays as it was.
func (s *Supervisor) spoiled(w *watch, err error) {
	if w.bad.IsZero() {
		w.bad = time.Now()
	}
	w.badErr = err
	s.wake()
}

// unusableAfter is how long a file is given to become usable. Whoever writes
// one into its place does not rest in the middle of it.
const unusableAfter = 250 * time.Millisecond

// complain tells of a file that has not become usable.
func (s *Supervisor) complain(w *watch) {
	if w.bad.IsZero() || w.badTold || time.Since(w.bad) < unusableAfter || errors.Is(w.badErr, errBusy) {
		return
	}
	w.badTold = true
	kind := Unreadable
	if !forgiven(w.badErr) {
		kind = NotAttached
	}
	s.finding(kind, w.path, nil, w.badErr)
}

// leave ends that a path leads to a build.
func (s *Supervisor) leave(w *watch) {
	if w.current == nil {
		return
	}
	delete(w.current.watches, w)
	w.current = nil
}

// arrive makes a build the one that the path leads to.
func (s *Supervisor) arrive(w *watch, b *build, now *way.Way, first bool) {
	appeared := w.appeared
	w.appeared = time.Time{}
	if w.current == b {
		return
	}
	if first && b.restored {
		appeared = time.Time{}
	}
	again := w.seen[b.number]
	w.seen[b.number] = true
	replaced := w.current != nil
	s.leave(w)
	w.current = b
	b.watches[w] = true
	b.unused, b.prepared = time.Time{}, time.Time{}
	at := time.Now()
	if now.Info.Written.After(appeared) && !appeared.IsZero() && now.Info.Written.Before(at) {
		appeared = now.Info.Written // it was not complete before
	}
	e := Attached{when: when(at), Path: w.path, Build: b.number, BuildID: b.buildID, Sites: b.sites(), Again: again}
	if !appeared.IsZero() && !again {
		e.Latency = max(0, b.since.Sub(appeared))
		s.remember(e.Latency)
	}
	s.stats.attached++
	s.tell(e)
	for _, k := range w.hooks {
		if replaced {
			k.replaced++
		}
		s.compare(w, k, b)
	}
	if !appeared.IsZero() && !again {
		s.gapOf(w, b, appeared)
	}
	s.protect(b)
	s.doubt(b)
}

// gapOf tells what may not have been counted between the appearance of a build
// and its probes.
func (s *Supervisor) gapOf(w *watch, b *build, appeared time.Time) {
	if s.gate != nil && w.mounted.IsZero() {
		if since := s.gatedSince(w.way); !since.IsZero() && since.Before(appeared) && !b.leaked {
			return
		}
	}
	if !appeared.Before(b.since) {
		return // attached before it came here
	}
	g := Gap{when: when(b.since), Path: w.path, Build: b.number, From: appeared, Why: "the file was there before it was probed"}
	s.gap(g, b)
}

// maxPIDs bounds those in an event.
const maxPIDs = 64

func pids(users []mapped.User) []int {
	var list []int
	for _, u := range users {
		if len(list) < maxPIDs && u.Runs() {
			list = append(list, u.PID)
		}
	}
	return list
}

// gap tells of a gap when it is known who has the build mapped. The turn is
// held, but not for as long as looking for them takes.
func (s *Supervisor) gap(g Gap, b *build) {
	s.stats.gaps++
	s.stats.gapTime += g.Length()
	g.Target = s.target(g.Path)
	file := b.mapped()
	s.working.Go(func() {
		g.PIDsIncomplete = true
		if users, err := mapped.Find([]mapped.File{file}, false); err == nil {
			g.PIDs = pids(users[0])
		}
		s.turn.Lock()
		defer s.turn.Unlock()
		s.tell(g)
	})
}

func (s *Supervisor) remember(d time.Duration) {
	if len(s.stats.latencies) == maxLatencies {
		s.stats.latencies = s.stats.latencies[1:]
	}
	s.stats.latencies = append(s.stats.latencies, d)
}

// compare tells whether a hook's plan is another one than in the last build.
func (s *Supervisor) compare(w *watch, k *hooked, b *build) {
	now := k.judge(b)
	if was := k.judged[w]; was != nil && was.Verdict != now.Verdict {
		s.tell(Verdict{when: when(time.Now()), Path: w.path, ID: k.id, Build: b.number, Was: *was, Now: now})
	}
	k.judged[w] = &now
}

// judge gives the worst plan of a hook's functions in a build. A site that could
// not be attached makes it partial.
func (k *hooked) judge(b *build) sites.Judgement {
	worst := sites.Judgement{Verdict: sites.None, Reasons: []sites.Reason{{Code: sites.ReasonNoSymbol, Text: "the build does not have the function"}}}
	set := b.setOf(k.spec)
	if set == nil {
		return worst
	}
	counts, err := set.counts()
	for n, i := range set.specs[k.spec] {
		j := set.results[i].Plan
		if err == nil && counts[i].Failed > 0 && rank(j.Verdict) < rank(sites.Partial) {
			j = sites.Judgement{Verdict: sites.Partial, Reasons: []sites.Reason{{Code: sites.ReasonHazard, Text: "not all sites could be attached"}}}
		}
		if n == 0 || rank(j.Verdict) > rank(worst.Verdict) {
			worst = j
		}
	}
	return worst
}

// sites is the number of places where the build is probed.
func (b *build) sites() int {
	n := 0
	for _, set := range b.sets {
		if !set.closed {
			n += set.tally.Probes() - len(set.failed)
		}
	}
	return n
}

// protect lets opens of a build through without asking, where a change of it
// will be noticed.
func (s *Supervisor) protect(b *build) {
	if s.gate == nil || b.ignored || !b.leased {
		return
	}
	if err := s.gate.Ignore(b.file); err != nil {
		s.log.Debug("ignoring a file", "path", b.path, "err", err)
		return
	}
	b.ignored = true
}

// expose makes opens of a build wait again.
func (s *Supervisor) expose(b *build) {
	if s.gate == nil || !b.ignored {
		return
	}
	if err := s.gate.Unignore(b.file); err != nil {
		s.log.Debug("asking about a file again", "path", b.path, "err", err)
	}
	b.ignored = false
}

// wanted tells whether a hook counts in the build.
func (s *Supervisor) wanted(b *build) bool {
	for _, k := range s.hooks {
		if k.in(b) {
			return true
		}
	}
	return false
}

// takeOff takes a build's probes off, and keeps what they counted.
func (s *Supervisor) takeOff(b *build) {
	var errs []error
	for _, set := range b.sets {
		errs = append(errs, set.detach())
	}
	errs = append(errs, s.finish(b))
	if err := errors.Join(errs...); err != nil {
		s.log.Warn("detaching", "path", b.path, "err", err)
	}
}

// discard takes a build's probes off and forgets it.
func (s *Supervisor) discard(b *build) {
	s.expose(b)
	for w := range b.watches {
		s.leave(w)
	}
	s.takeOff(b)
	s.resume(b)
	if s.builds[b.id] == b {
		delete(s.builds, b.id)
	}
	s.letGo(b)
}

// letGo ends that a build is held; it is in s.builds no more.
func (s *Supervisor) letGo(b *build) {
	b.file.Close()
	for w := range b.owners {
		delete(w.seen, b.number)
	}
}

// settleCounts moves what was counted in closed sets to the hooks.
func (s *Supervisor) settleCounts(b *build) {
	for _, k := range s.hooks {
		kept := k.refs[:0]
		for _, r := range k.refs {
			if !r.set.closed {
				kept = append(kept, r)
				continue
			}
			executions, undecided := r.set.count(r.results)
			k.executions += executions - r.executions
			k.undecided += undecided - r.undecided
			s.totals[k.key()] = total{k.executions, k.undecided}
		}
		k.refs = kept
	}
	kept := b.sets[:0]
	for _, set := range b.sets {
		if !set.closed {
			kept = append(kept, set)
		}
	}
	b.sets = kept
}
