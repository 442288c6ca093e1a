//go:build linux && (amd64 || arm64)

package supervise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/sites"
	"github.com/surehook/surehook/supervise/internal/gate"
)

// Supervisor keeps hooks attached. Its methods may be called from several
// goroutines.
type Supervisor struct {
	opts Options
	log  *slog.Logger
	base *attach.Base
	in   *unix.Inotify
	gate *gate.Gate // nil without NoGap
	// mounts is the mount namespace of this process; 0: not known
	mounts uint64

	openings *queue
	doubts   chan *build   // whose installation is to be proven
	kick     chan struct{} // something is pending
	stop     chan struct{}
	failed   chan error
	closing  sync.Once
	working  sync.WaitGroup

	// turn is for whoever looks at paths and files, or decides about them: what
	// one has found must not be changed by another before it is acted upon.
	turn    sync.Mutex
	hooks   map[ID]*hooked
	inside  containers
	watches map[string]*watch
	names   map[string]map[*watch]bool // watches by the names of files that may be theirs
	linked  bool                       // a path ends in a symbolic link
	dirs    map[int]*directory         // by inotify's number
	builds  map[unix.FileID]*build
	pending map[unix.FileID]*pending
	lastID  ID
	number  int                 // of the last build
	totals  map[string]total    // what was counted by probes that are off, by key; with Keep
	places  map[string][]string // directories where files of a path may be; with Keep
	alive   time.Time           // when the process before this one was, at least; with Keep
	stats   stats
	closed  bool
}

// stats is what State tells of the past.
type stats struct {
	gaps      int
	gapTime   time.Duration
	attached  int
	latencies []time.Duration
	held      int
}

const (
	// defaultHold bounds what waits because of us. Nothing that installs a
	// file takes long between opening and closing it.
	defaultHold = 2 * time.Second
	// guardAfter is how long after that an opening is let through even if nobody
	// decides: something is wrong then.
	guardAfter = 3 * time.Second
	// maxLatencies is how many State remembers.
	maxLatencies = 4096
)

// New makes a Supervisor that watches nothing yet. It fails with
// attach.ErrNotPermitted and attach.ErrNotSupported where nothing can be
// attached, and with NoGap where fanotify cannot be had.
func New(opts Options) (*Supervisor, error) {
	opts.Hold = cmp.Or(opts.Hold, defaultHold)
	s := &Supervisor{
		opts: opts, log: opts.Logger, base: opts.Base, openings: newQueue(), doubts: make(chan *build, 64),
		kick: make(chan struct{}, 1), stop: make(chan struct{}), failed: make(chan error, 4),
		hooks: map[ID]*hooked{}, watches: map[string]*watch{}, names: map[string]map[*watch]bool{}, dirs: map[int]*directory{},
		builds: map[unix.FileID]*build{}, pending: map[unix.FileID]*pending{}, totals: map[string]total{}, places: map[string][]string{},
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	var err error
	if _, s.mounts, err = unix.Namespace("/proc/self/ns/mnt"); err != nil {
		s.log.Debug("which mounts are ours", "err", err)
	}
	if s.base == nil {
		o := attach.BaseOptions{Room: opts.Room, Logger: opts.Logger}
		if opts.Keep != nil {
			o.Pin = opts.Keep.Pins
		}
		if s.base, err = attach.NewBase(o); err != nil {
			return nil, err
		}
	}
	if s.in, err = unix.OpenInotify(); err != nil {
		return nil, errors.Join(err, s.closeBase())
	}
	if err := s.in.AddMounts(); err != nil {
		s.log.Warn("what is mounted over files is not noticed", "err", err)
	}
	if opts.NoGap {
		if s.gate, err = gate.Open(opts.Hold+guardAfter, s.openings.put); err != nil {
			err = fmt.Errorf("no-gap needs fanotify's permission events (CAP_SYS_ADMIN): %w", err)
			return nil, errors.Join(err, s.in.Close(), s.closeBase())
		}
	}
	if opts.Keep != nil {
		if err := s.restore(); err != nil {
			err = fmt.Errorf("what another process has left: %w", err)
			if s.gate != nil {
				err = errors.Join(err, s.gate.Close())
			}
			return nil, errors.Join(err, s.in.Close(), s.closeBase())
		}
	}
	s.work()
	return s, nil
}

func (s *Supervisor) closeBase() error {
	if s.opts.Base != nil {
		return nil
	}
	if s.opts.Keep != nil {
		return s.base.Leave()
	}
	return s.base.Close()
}

// work starts what runs beside the callers.
func (s *Supervisor) work() {
	s.working.Go(s.readChanges)
	s.working.Go(s.readOpenings)
	s.working.Go(s.watchLeases)
	s.working.Go(s.settlePending)
	s.working.Go(s.retire)
	s.working.Go(s.prove)
	s.working.Go(s.lookForContainers)
}

// Add supervises a hook from now on. Its target must be an absolute path; that
// there is no such file yet is no error. Only uprobe and uretprobe hooks can be.
func (s *Supervisor) Add(h hook.Hook) (ID, error) { return s.add(h, false) }

// add supervises a hook, with inside also in containers.
func (s *Supervisor) add(h hook.Hook, inside bool) (ID, error) {
	if !h.Kind.User() {
		return 0, fmt.Errorf("%s: only files are supervised (uprobe, uretprobe)", h)
	}
	if !filepath.IsAbs(h.Target) {
		return 0, fmt.Errorf("%s: the path must be absolute", h)
	}
	path := filepath.Clean(h.Target)
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.closed {
		return 0, os.ErrClosed
	}
	w := s.watches[path]
	if w == nil {
		w = newWatch(path)
		s.watches[path] = w
	}
	s.lastID++
	k := &hooked{id: s.lastID, hook: h, spec: specOf(h), watch: w, inside: inside, judged: map[*watch]*sites.Judgement{}}
	s.hooks[k.id] = k
	s.inside.changes++
	w.hooks = append(w.hooks, k)
	s.claim(k)
	s.lookAll(w)
	return k.id, nil
}

// lookAll attaches what a watch has to all builds that its path leads to, or has
// led to.
func (s *Supervisor) lookAll(w *watch) {
	s.look(w)
	for _, b := range s.builds {
		if !b.owners[w] || b.state != probed || b == w.current {
			continue
		}
		if err := s.cover(w, b); err != nil {
			s.finding(NotAttached, w.path, b, err)
		}
	}
}

// Remove ends the supervision of a hook; its probes are detached if no other
// hook needs them.
func (s *Supervisor) Remove(id ID) error {
	s.turn.Lock()
	defer s.turn.Unlock()
	k := s.hooks[id]
	if k == nil {
		return fmt.Errorf("no hook %d", id)
	}
	delete(s.hooks, id)
	s.inside.changes++
	s.renounce(k)
	for _, w := range k.watches() {
		w.drop(k)
		if len(w.hooks) == 0 {
			s.forget(w)
		}
	}
	for _, b := range s.builds {
		if b.state != writing && !s.wanted(b) {
			s.discard(b)
		}
	}
	return nil
}

// Run waits until ctx ends, or until supervision has become impossible, and
// says why. The hooks are supervised until Close.
func (s *Supervisor) Run(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return nil
	case err := <-s.failed:
		return err
	case <-s.stop:
		return os.ErrClosed
	}
}

// fail reports what ends the supervision.
func (s *Supervisor) fail(err error) {
	select {
	case s.failed <- err:
	default:
	}
}

// Close ends everything: whatever waits goes on, and nothing is probed any more
// unless it is to be kept (Options.Keep).
func (s *Supervisor) Close() error {
	var err error
	s.closing.Do(func() {
		s.turn.Lock()
		s.closed = true
		s.turn.Unlock()
		close(s.stop)
		err = errors.Join(s.in.Wake())
		if s.gate != nil {
			err = errors.Join(err, s.gate.Close())
		}
		s.openings.close()
		s.working.Wait()
		s.turn.Lock()
		defer s.turn.Unlock()
		for _, p := range s.pending {
			s.release(p)
		}
		for _, b := range s.builds {
			if s.opts.Keep != nil && b.state == probed {
				s.expose(b)
				b.file.Close()
				continue
			}
			s.discard(b)
		}
		err = errors.Join(err, s.in.Close(), s.closeBase())
	})
	return err
}

func (s *Supervisor) tell(e Event) {
	if s.opts.Notify != nil {
		s.opts.Notify(e)
	}
}

func (s *Supervisor) finding(kind FindingKind, path string, b *build, err error) {
	f := Finding{when: when(time.Now()), Kind: kind, Path: path, Target: s.target(path), Err: err}
	if b != nil {
		f.Build = b.number
	}
	s.log.Warn("finding", "kind", kind, "path", path, "build", f.Build, "err", err)
	s.tell(f)
}
