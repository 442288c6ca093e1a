//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"github.com/cilium/ebpf"

	"github.com/surehook/surehook/internal/bpf"
)

// Base is a BPF program that is loaded once and counts for many sessions: to
// attach another file takes less than a millisecond then, where Open loads
// programs for some ten. Its methods may be called from several goroutines.
type Base struct {
	can  abilities
	objs *bpf.Objects
	log  *slog.Logger

	mu        sync.Mutex
	room      room
	sleepable *ebpf.Program // loaded when a condition first reads memory
	pin       string        // directory of pins; empty: nothing is pinned
	left      map[string]*remnant
	sessions  map[*Session]bool
	closed    bool

	readyUntil time.Time
	keeping    bool
	keepers    sync.WaitGroup
}

// NewBase loads the program. The errors are those of Open.
func NewBase(opts BaseOptions) (*Base, error) {
	n := opts.Room
	if n == 0 {
		n = defaultRoom
	}
	if n < 0 || n > maxProbes {
		return nil, fmt.Errorf("%w: room for %d probes; at most %d", ErrInvalid, n, maxProbes)
	}
	can, err := detect()
	if err != nil {
		return nil, err
	}
	if opts.Pin != "" {
		return openPinned(n, opts, can)
	}
	return newBase(n, opts.Logger, can, nil)
}

func newBase(n int, log *slog.Logger, can abilities, pinned *bpf.Pinned) (*Base, error) {
	b := &Base{can: can, log: log, room: newRoom(uint32(n)), sessions: map[*Session]bool{}}
	if b.log == nil {
		b.log = slog.New(slog.DiscardHandler)
	}
	c := bpf.Config{Room: n, Multi: can.multi, Pinned: pinned}
	if !c.Multi && !can.cookie {
		c.Cookie = new(uint64)
	}
	err := lifting(func() (err error) {
		b.objs, err = bpf.Load(c)
		return err
	})
	if err != nil {
		return nil, classify(err)
	}
	return b, nil
}

// Attach attaches the probes to an open file, in every process: whatever its
// path leads to meanwhile. The file is the caller's, and must stay open until
// Attach returns; path names it in errors only. The errors are those of Open,
// and ErrNoRoom.
func (b *Base) Attach(f *os.File, path string, probes []Probe, opts Options) (*Session, error) {
	if opts.PID != 0 || opts.Events || opts.PerfEvents {
		return nil, fmt.Errorf("%w: sessions of a Base count in all processes, and deliver no events", ErrInvalid)
	}
	l, err := arrange([]Plan{{Path: path, Probes: probes}}, bpf.MaxGroup)
	if err != nil {
		return nil, err
	}
	s, err := b.enter(l, opts)
	if err != nil {
		return nil, classify(err)
	}
	s.shape = []int{len(probes)}
	t, err := newTarget(0, path, f, l)
	if err == nil {
		err = s.attachTarget(t)
	}
	if err == nil && b.pin != "" && opts.Name != "" {
		err = s.pin(b.pin, opts.Name)
	}
	if err != nil {
		return nil, errors.Join(classify(err), s.Close())
	}
	b.log.Debug("attached", "file", path, "probes", len(l.slots), "failures", len(s.failures))
	return s, nil
}

// enter finds room for a session.
func (b *Base) enter(l *layout, opts Options) (*Session, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.closed {
		return nil, os.ErrClosed
	}
	mech, err := b.mechanism(l.reads)
	if err != nil {
		return nil, err
	}
	n := uint32(len(l.slots))
	first, ok := b.room.take(n)
	if !ok {
		return nil, fmt.Errorf("%w: %d probes more", ErrNoRoom, n)
	}
	if err := b.objs.Put(first, l.entries); err != nil {
		b.room.give(first, n)
		return nil, err
	}
	for _, breaks := range l.breaks {
		for i := range breaks {
			breaks[i].room = first
		}
	}
	s := &Session{opts: opts, layout: l, mech: mech, log: b.log, objs: b.objs, base: b, room: first}
	b.sessions[s] = true
	return s, nil
}

func (b *Base) mechanism(reads bool) (mechanism, error) {
	if !b.can.multi {
		return perf{objs: b.objs, cookie: b.can.cookie}, nil
	}
	prog := b.objs.Hit
	if reads {
		if b.sleepable == nil {
			p, err := b.objs.Sleepable()
			if err != nil {
				return nil, err
			}
			b.sleepable = p
		}
		prog = b.sleepable
	}
	return multi{prog: prog, filter: b.can.pidFilter}, nil
}

// leave takes back the room of a session that is detached.
func (b *Base) leave(s *Session) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sessions, s)
	if s.roomPin != "" {
		if err := os.Remove(s.roomPin); err != nil {
			b.log.Warn("ending a session", "pin", s.roomPin, "err", err)
		}
	}
	b.room.give(s.room, uint32(len(s.layout.slots)))
}

// Close detaches all sessions, pinned ones too, and frees everything.
func (b *Base) Close() error {
	return b.close((*Session).Close)
}

// close ends all sessions in a way.
func (b *Base) close(end func(*Session) error) error {
	b.mu.Lock()
	b.closed = true
	var open []*Session
	for s := range b.sessions {
		open = append(open, s)
	}
	b.mu.Unlock()
	b.keepers.Wait()
	var errs []error
	for _, s := range open {
		errs = append(errs, end(s))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.objs != nil {
		errs = append(errs, b.objs.Close())
		b.objs = nil
	}
	return errors.Join(errs...)
}
