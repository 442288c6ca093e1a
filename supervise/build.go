//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"fmt"
	"os"
	"path"
	"syscall"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/sites"
	"github.com/surehook/surehook/supervise/internal/mapped"
	"github.com/surehook/surehook/supervise/internal/overlay"
	"github.com/surehook/surehook/supervise/internal/pause"
)

// buildState is what is done with a build.
type buildState int

const (
	probed  buildState = iota
	writing            // somebody may write into it; its probes are off
)

// build is one content of one file. The file is held open, so that its number
// stands for nothing else.
type build struct {
	number   int
	id       unix.FileID
	path     string // where it was found
	buildID  string
	file     *os.File
	info     unix.FileInfo // when it was resolved
	leased   bool
	ignored  bool // opens of it do not wait
	state    buildState
	sets     []*set
	since    time.Time
	watches  map[*watch]bool // that lead to it
	owners   map[*watch]bool // that lead, or led to it
	prepared time.Time       // when it was probed before a path led to it
	unused   time.Time       // since when nobody has it mapped; zero: somebody has, or not known

	// while it is written
	restored bool // a process before this one attached it
	held     []waiting
	pause    *pause.Pause
	began    time.Time // of the writing
	detached bool      // the writer may go on
	leaked   bool      // somebody went on before it was probed again
	settle   time.Time // since when it is unusable with no writer
}

// set is probes that were attached together.
type set struct {
	name    string // of its pins and its record; empty: it has none
	claims  []claimed
	build   int
	results []sites.Result
	specs   map[string][]int // indices in results
	tally   *tally.Tally
	session *attach.Session // nil: there are no sites, or it is closed
	failed  map[int]error   // by probe
	final   []tally.Count   // once it is closed
	closed  bool
}

// The reasons why a file is not probed yet.
var (
	errBusy = errors.New("it is open for writing")
)

var errHidden = errors.New("the layer of the overlay that has this file is not found; if others share it, its executions may be counted once for each")

var errPinned = errors.New("its mount cannot be unmounted while it is probed: a mount of our own takes CAP_SYS_ADMIN and Linux 5.2")

// unusable says that a file's content makes no sense, or not yet.
type unusable struct{ err error }

func (e *unusable) Error() string { return e.err.Error() }
func (e *unusable) Unwrap() error { return e.err }

// real gives the file that f really is, which may be f. seen are processes that see it
// besides that of the watch.
func (s *Supervisor) real(w *watch, f *os.File, seen ...int) *os.File {
	if is, err := overlay.Is(f); err != nil || !is {
		return f
	}
	layer, err := overlay.Real(f, append(seen, w.pid)...)
	if err == nil {
		return layer
	}
	if layer = s.alike(w, f); layer != nil {
		return layer
	}
	s.log.Debug("layer of an overlay", "path", w.path, "err", err)
	return f
}

// alike opens the file of the build that a file of an overlay must be of which the
// layer is not found, because it has no name any more or the layers are hidden: an
// overlay shows its layers' times, mostly also their numbers, and no two files
// of a watch, or of one number, have been changed in the same instant.
func (s *Supervisor) alike(w *watch, f *os.File) *os.File {
	merged, err := unix.Stat(f)
	if err != nil {
		return nil
	}
	for _, b := range s.builds {
		info, err := unix.Stat(b.file)
		if !b.owners[w] && info.Ino != merged.Ino {
			continue
		}
		if err != nil || info.Size != merged.Size || !info.Written.Equal(merged.Written) || !info.Changed.Equal(merged.Changed) {
			continue
		}
		if same, err := unix.FollowPath(unix.FDPath(b.file)); err == nil {
			return same
		}
	}
	return nil
}

// obtain gives the build of a file, with the watch's hooks attached. errBusy
// and unusable mean that it may be had later.
func (s *Supervisor) obtain(w *watch, f *os.File) (*build, error) {
	file := s.real(w, f)
	if file != f {
		defer file.Close()
	}
	info, err := unix.Stat(file)
	if err != nil {
		return nil, err
	}
	b := s.builds[info.FileID]
	fresh := b == nil
	if fresh {
		if b, err = s.open(w, file, info); err != nil {
			return nil, err
		}
	}
	if b.state == writing {
		return nil, errBusy
	}
	if !fresh && (info.Size != b.info.Size || !info.Written.Equal(b.info.Written)) {
		s.overwritten(b)
	}
	if err := s.cover(w, b); err != nil {
		if fresh {
			b.file.Close() // and its lease with it
		}
		return nil, err
	}
	s.builds[b.id] = b
	return b, nil
}

// open takes hold of a file.
func (s *Supervisor) open(w *watch, f *os.File, info unix.FileInfo) (*build, error) {
	text, neutral, err := unix.OpenText(f, w.pid)
	if err != nil {
		return nil, err
	}
	b := &build{id: info.FileID, path: w.path, file: text, watches: map[*watch]bool{}, owners: map[*watch]bool{}}
	err = unix.Lease(text)
	switch {
	case errors.Is(err, unix.ErrBusy):
		text.Close()
		return nil, errBusy
	case err != nil:
		defer s.finding(Unprotected, w.path, nil, fmt.Errorf("a rewrite in place cannot be held up: %w", err))
	}
	b.leased = err == nil
	if merged, err := overlay.Is(f); err == nil && merged {
		defer s.finding(HiddenLayer, w.path, nil, errHidden)
	}
	s.number++
	b.number = s.number
	if !neutral {
		defer s.finding(MountPinned, w.path, nil, errPinned)
	}
	if b.info, err = unix.Stat(text); err != nil {
		text.Close()
		return nil, err
	}
	return b, nil
}

// cover attaches those of the watch's hooks that the build has not yet.
func (s *Supervisor) cover(w *watch, b *build) error {
	b.owners[w] = true
	var lacking []*hooked
	for _, k := range w.hooks {
		if k.in(b) {
			continue
		}
		if set := b.setOf(k.spec); set != nil {
			s.refer(k, b, set)
			continue
		}
		lacking = append(lacking, k)
	}
	if len(lacking) == 0 {
		return nil
	}
	set, err := s.attach(w, b, lacking)
	if err != nil {
		return err
	}
	b.sets = append(b.sets, set)
	if b.since.IsZero() {
		b.since = time.Now()
	}
	for _, k := range lacking { // which the set has been made for
		k.refs = append(k.refs, &ref{set: set, results: set.specs[k.spec]})
	}
	return nil
}

// in tells whether the hook has probes in the build as it is now.
func (k *hooked) in(b *build) bool {
	for _, r := range k.refs {
		for _, set := range b.sets {
			if r.set == set && !set.closed {
				return true
			}
		}
	}
	return false
}

func (b *build) setOf(spec string) *set {
	for _, set := range b.sets {
		if _, ok := set.specs[spec]; ok && !set.closed {
			return set
		}
	}
	return nil
}

// refer makes the hook count what a set that is there counts from now on.
func (s *Supervisor) refer(k *hooked, b *build, set *set) {
	r := &ref{set: set, results: set.specs[k.spec]}
	r.executions, r.undecided = set.count(r.results)
	k.refs = append(k.refs, r)
	set.claims = append(set.claims, claimed{k.place(), k.spec, total{r.executions, r.undecided}})
	s.record(b, set)
}

// attach resolves hooks in a build and attaches them.
func (s *Supervisor) attach(w *watch, b *build, hooks []*hooked) (*set, error) {
	info, err := unix.Stat(b.file)
	if err != nil {
		return nil, err
	}
	file, err := elfbin.New(b.file, int64(info.Size), w.path)
	if err != nil {
		return nil, &unusable{err}
	}
	opts := s.opts.Sites
	opts.SkipLanding = true
	binary, err := sites.New(file, opts)
	if err != nil {
		return nil, &unusable{err}
	}
	defer binary.Close()
	b.buildID, b.info = file.BuildID(), info
	set := &set{build: b.number, specs: map[string][]int{}, failed: map[int]error{}}
	for _, k := range hooks {
		if _, twice := set.specs[k.spec]; twice {
			continue
		}
		set.specs[k.spec] = nil
		results, err := binary.Resolve(k.hook)
		if err != nil {
			s.finding(FunctionGone, w.path, b, err)
			continue
		}
		for i := range results {
			set.specs[k.spec] = append(set.specs[k.spec], len(set.results)+i)
		}
		set.results = append(set.results, results...)
	}
	set.tally = tally.New(set.results, tally.Options{NoPlain: true})
	plans := set.tally.Plans()
	if len(plans) == 0 {
		return set, nil
	}
	if s.opts.Keep != nil {
		set.name = fmt.Sprintf("%d-%x", b.number, time.Now().UnixNano())
		for _, k := range hooks {
			set.claims = append(set.claims, claimed{k.place(), k.spec, total{}})
		}
		s.record(b, set) // before it is attached: what is, is known
	}
	set.session, err = s.base.Attach(b.file, w.path, plans[0].Probes, attach.Options{BestEffort: true, Name: set.name})
	if err != nil {
		s.erase(set)
		return nil, err
	}
	for _, f := range set.session.Failures() {
		set.failed[f.Probe] = f.Err
		s.finding(NotAttached, w.path, b, f.Err)
	}
	if len(set.session.Unverified()) > 0 {
		s.finding(Unverified, w.path, b, errors.New("its file system is mounted noexec here"))
	}
	return set, nil
}

// count adds up what the results of a set have counted.
func (t *set) count(results []int) (executions, undecided uint64) {
	counts, err := t.counts()
	if err != nil {
		return 0, 0
	}
	for _, i := range results {
		executions += counts[i].Executions
		undecided += counts[i].Undecided
	}
	return executions, undecided
}

func (t *set) counts() ([]tally.Count, error) {
	if t.closed {
		return t.final, nil
	}
	var hits, doubtful [][]uint64
	if t.session != nil {
		var err error
		if hits, err = t.session.Counts(); err != nil {
			return nil, err
		}
		if doubtful, err = t.session.Undecided(); err != nil {
			return nil, err
		}
	}
	read := func(_, probe int) tally.Hits {
		return tally.Hits{Hits: hits[0][probe], Undecided: doubtful[0][probe]}
	}
	failed := func(_, probe int) bool { return t.failed[probe] != nil }
	return t.tally.Count(read, failed), nil
}

// detach takes the probes off; it takes some 50 ms. The turn need not be held
// if nobody else touches the set.
func (t *set) detach() error {
	if t.session == nil {
		return nil
	}
	return t.session.Detach()
}

// finish keeps the counts of a build's sets, which are detached, and frees the
// rest. The turn is held.
func (s *Supervisor) finish(b *build) error {
	var errs []error
	var ended []*set
	for _, t := range b.sets {
		if t.closed {
			continue
		}
		counts, err := t.counts()
		if err != nil {
			errs = append(errs, err)
			counts = t.tally.Count(func(_, _ int) tally.Hits { return tally.Hits{} }, nil)
		}
		t.final, t.closed = counts, true
		ended = append(ended, t)
	}
	s.settleCounts(b)
	errs = append(errs, s.saveTotals(ended))
	for _, t := range ended {
		if t.session != nil {
			errs = append(errs, t.session.Close())
			t.session = nil
		}
		s.erase(t)
	}
	return errors.Join(errs...)
}

// mapped is how the build is looked for in processes.
func (b *build) mapped() mapped.File { return mapped.File{ID: b.id, Base: path.Base(b.path)} }

// forgiven tells whether an error of a file is one of its not being finished.
func forgiven(err error) bool {
	return errors.Is(err, errBusy) || errors.As(err, new(*unusable)) || errors.Is(err, syscall.ENOENT)
}
