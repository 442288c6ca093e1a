//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/supervise/internal/mapped"
	"github.com/surehook/surehook/supervise/internal/pause"
)

// restore takes over what another process has left.
func (s *Supervisor) restore() error {
	if err := os.MkdirAll(s.opts.Keep.Records, 0o700); err != nil {
		return err
	}
	records, err := s.records()
	if err != nil {
		return err
	}
	files := make([]mapped.File, len(records))
	for i, r := range records {
		files[i] = mapped.File{ID: r.File, Base: filepath.Base(r.Path)}
	}
	users, err := mapped.Find(files, false)
	if err != nil {
		return err
	}
	var ended []orphan
	for i, r := range records {
		t, err := s.adopt(r, users[i])
		if err != nil {
			return fmt.Errorf("%s: %w", s.file(r.Name+recordSuffix), err)
		}
		if t != nil {
			ended = append(ended, orphan{t, r.Path, files[i]})
		}
	}
	if err := s.settleLeft(ended); err != nil {
		return err
	}
	for _, left := range s.base.Left() { // of no record: never in use
		if err := s.base.Abandon(left.Name); err != nil {
			return err
		}
	}
	return nil
}

// records reads what was written down, without what is in the totals already, and
// removes what was half written.
func (s *Supervisor) records() ([]record, error) {
	var l ledger
	if err := load(s.file(ledgerName), &l); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, err
	}
	if l.Totals != nil {
		s.totals = l.Totals
	}
	if l.Dirs != nil {
		s.places = l.Dirs
	}
	entries, err := os.ReadDir(s.opts.Keep.Records)
	if err != nil {
		return nil, err
	}
	for _, e := range entries { // whoever wrote these was alive then
		if info, err := e.Info(); err == nil && info.ModTime().After(s.alive) {
			s.alive = info.ModTime()
		}
	}
	half, err := filepath.Glob(s.file("*.json" + halfSuffix))
	if err != nil {
		return nil, err
	}
	for _, name := range l.Settled {
		half = append(half, s.file(name+recordSuffix))
	}
	for _, f := range half {
		if err := os.Remove(f); err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
	}
	names, err := filepath.Glob(s.file("*" + recordSuffix))
	if err != nil {
		return nil, err
	}
	records := make([]record, len(names))
	for i, f := range names {
		if err := load(f, &records[i]); err != nil {
			return nil, fmt.Errorf("%s: %w", f, err)
		}
	}
	return records, nil
}

// adopt takes over one set, if what it is on can be found; it gives it back if it cannot.
func (s *Supervisor) adopt(r record, users []mapped.User) (ended *set, err error) {
	s.number = max(s.number, r.Build)
	t := &set{name: r.Name, claims: r.Claims, build: r.Build, results: r.Results, specs: r.Specs, failed: map[int]error{}}
	for spec, list := range r.Specs {
		for _, i := range list {
			if i < 0 || i >= len(r.Results) {
				return nil, fmt.Errorf("%s: no result %d", spec, i)
			}
		}
	}
	t.tally = tally.New(t.results, tally.Options{NoPlain: true})
	plans := t.tally.Plans()
	if len(plans) != 1 {
		s.erase(t)
		return nil, nil
	}
	whole := false
	for _, left := range s.base.Left() {
		whole = whole || left.Name == r.Name && left.Whole
	}
	t.session, err = s.base.Adopt(r.Name, r.Path, plans[0].Probes)
	if errors.Is(err, attach.ErrUnknown) { // the machine has been restarted
		s.erase(t)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	b := s.builds[r.File]
	if b == nil {
		b = &build{
			number: r.Build, id: r.File, path: r.Path, buildID: r.BuildID, since: r.Since,
			watches: map[*watch]bool{}, owners: map[*watch]bool{}, restored: true,
		}
		if whole {
			s.reopen(b, r, users)
		}
	}
	if b.file == nil || !whole || b.number != r.Build {
		return t, nil
	}
	b.sets = append(b.sets, t)
	s.builds[b.id] = b
	return nil, nil
}

// reopen finds the file of a record as it was: at its path, or in a process that
// has it mapped. The build is left without one if it is another, or nobody has it.
func (s *Supervisor) reopen(b *build, r record, users []mapped.User) {
	places := []string{r.Path}
	for _, u := range users {
		if len(u.Areas) > 0 {
			places = append(places, fmt.Sprintf("/proc/%d/map_files/%x-%x", u.PID, u.Areas[0].Start, u.Areas[0].End))
		}
	}
	for _, p := range places {
		if s.reopenAt(b, p, r) {
			return
		}
	}
}

func (s *Supervisor) reopenAt(b *build, path string, r record) bool {
	f, err := unix.FollowPath(path)
	if err != nil {
		return false
	}
	defer f.Close()
	file := s.real(newWatch(r.Path), f, pidOf(path))
	if file != f {
		defer file.Close()
	}
	if info, err := unix.Stat(file); err != nil || info.FileID != r.File {
		return false
	}
	text, _, err := unix.OpenText(file, pidOf(path))
	if err != nil {
		return false
	}
	// Whoever has it open for writing may have written already. Once there is a
	// lease, nobody will unnoticed.
	leased := unix.Lease(text)
	info, err := unix.Stat(text)
	if err != nil || errors.Is(leased, unix.ErrBusy) || info.Size != r.Size || !info.Written.Equal(r.Written) {
		text.Close()
		return false
	}
	b.file, b.info, b.leased = text, info, leased == nil
	return true
}

// orphan is a set that cannot go on.
type orphan struct {
	*set
	path string
	file mapped.File
}

// settleLeft adds up what sets have counted that cannot go on. Their files may
// have been rewritten: who is in the middle of a probed instruction keeps the old
// one for all (see package pause), so that nobody may be when they are probed again.
func (s *Supervisor) settleLeft(ended []orphan) error {
	if len(ended) == 0 {
		return nil
	}
	errs := make([]error, 2*len(ended))
	detach := func() {
		var working sync.WaitGroup
		for i, t := range ended { // together: each waits for the kernel
			working.Go(func() { errs[i] = t.detach() })
		}
		working.Wait()
	}
	if s.gate == nil {
		detach()
	} else {
		var files []mapped.File
		for _, t := range ended {
			files = append(files, t.file)
		}
		p := pause.New()
		_, failed := standStill(p, files, detach)
		p.Resume()
		for _, err := range failed {
			s.finding(Unpausable, ended[0].path, nil, err)
		}
	}
	for _, t := range ended {
		for _, c := range t.claims {
			executions, undecided := t.count(t.specs[c.Spec])
			sum := s.totals[c.Path+"\x00"+c.Spec]
			sum.Executions += executions - c.Before.Executions
			sum.Undecided += undecided - c.Before.Undecided
			s.totals[c.Path+"\x00"+c.Spec] = sum
		}
		t.closed = true
	}
	sets := make([]*set, len(ended))
	for i, t := range ended {
		sets[i] = t.set
	}
	if err := errors.Join(append(errs, s.saveTotals(sets))...); err != nil {
		return err
	}
	for i, t := range sets {
		errs[i] = t.session.Close()
		s.erase(t)
	}
	return errors.Join(errs...)
}

// survivors attaches what processes run that was at the path, and is there no
// more, while nobody looked.
func (s *Supervisor) survivors(w *watch) {
	dirs := map[string]bool{}
	for _, d := range s.places[w.path] {
		dirs[d] = true
	}
	found, err := mapped.Matching(func(pid int, path string) bool {
		return dirs[filepath.Dir(path)] && (w.places[path] || beside(filepath.Base(path), w.path)) && s.sharesDir(pid, filepath.Dir(path))
	})
	if err != nil {
		s.log.Warn("looking for processes", "err", err)
		return
	}
	for _, m := range found {
		f, err := unix.FollowPath(m)
		if err != nil {
			continue // it has ended
		}
		s.survivor(w, f, pidOf(m))
		f.Close()
	}
}

// sharesDir tells whether a process has the same directory at a path as this one.
func (s *Supervisor) sharesDir(pid int, dir string) bool {
	if _, mounts, err := unix.Namespace(fmt.Sprintf("/proc/%d/ns/mnt", pid)); err == nil && mounts == s.mounts {
		return true
	}
	theirs, err := unix.StatPath(inRoot(pid, dir))
	if err != nil {
		return false
	}
	ours, err := unix.StatPath(dir)
	return err == nil && ours == theirs
}

// survivor attaches what a process runs.
func (s *Supervisor) survivor(w *watch, mapped *os.File, pid int) {
	f := s.real(w, mapped, pid)
	if f != mapped {
		defer f.Close()
	}
	info, err := unix.Stat(f)
	if err != nil || s.builds[info.FileID] != nil {
		return
	}
	b, err := s.obtain(w, f)
	if err != nil {
		s.finding(NotAttached, w.path, nil, fmt.Errorf("what processes run that was there before: %w", err))
		return
	}
	w.seen[b.number] = true
	s.stats.attached++
	s.tell(Attached{when: when(time.Now()), Path: w.path, Build: b.number, BuildID: b.buildID, Sites: b.sites()})
	from := info.Written
	if from.Before(s.alive) {
		from = s.alive
	}
	s.gap(Gap{when: when(b.since), Path: w.path, Build: b.number, From: from, Why: "it came and went while nobody looked"}, b)
}
