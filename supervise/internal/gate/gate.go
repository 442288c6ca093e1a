//go:build linux

// Package gate has every open of a file in some directories wait until
// somebody allows it.
package gate

import (
	"errors"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// Gate is the directories whose files are opened only when allowed.
type Gate struct {
	group *unix.Fanotify
	limit time.Duration
	done  chan struct{}
	err   error

	mu      sync.Mutex
	waiting map[int]Opening // by descriptor
	overdue int
}

// Opening is a thread that waits in an open. Whoever has it must call Allow.
type Opening struct {
	File *os.File // what it opens, for reading
	TID  int      // 0: not known

	gate  *Gate
	o     unix.Opening
	since time.Time
	once  *sync.Once
}

// Open makes a Gate. handle is called, in a thread of its own, for each
// opening of another process; it must not open a file itself.
//
// Whoever has waited as long as limit is let through, whatever becomes of it: an
// error of ours must not stop a machine.
//
// Opens of this process are let through at once: whatever decides about an
// opening may open files itself without waiting for itself.
func Open(limit time.Duration, handle func(Opening)) (*Gate, error) {
	group, err := unix.OpenFanotify()
	if err != nil {
		return nil, err
	}
	g := &Gate{group: group, limit: limit, done: make(chan struct{}), waiting: map[int]Opening{}}
	go g.serve(handle)
	go g.guard()
	return g, nil
}

func (g *Gate) serve(handle func(Opening)) {
	runtime.LockOSThread()
	defer close(g.done)
	buf := make([]byte, 4096)
	for {
		list, err := g.group.Read(buf)
		for _, o := range list {
			opening := Opening{File: os.NewFile(uintptr(o.FD), "opened"), TID: o.TID, gate: g, o: o, since: time.Now(), once: new(sync.Once)}
			if unix.OwnThread(o.TID) {
				opening.Allow()
				opening.File.Close()
				continue
			}
			g.mu.Lock()
			g.waiting[o.FD] = opening
			g.mu.Unlock()
			handle(opening)
		}
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			// What cannot be read cannot be answered: let all through.
			g.err = err
			g.group.Close()
			return
		}
	}
}

// Allow lets the thread go on. The file stays open.
func (o Opening) Allow() error {
	var err error
	o.once.Do(func() {
		o.gate.mu.Lock()
		delete(o.gate.waiting, o.o.FD)
		o.gate.mu.Unlock()
		err = o.gate.group.Allow(o.o)
	})
	return err
}

// guard lets those through that have waited too long.
func (g *Gate) guard() {
	tick := time.NewTicker(max(g.limit/4, time.Millisecond))
	defer tick.Stop()
	for {
		select {
		case <-g.done:
			return
		case <-tick.C:
		}
		var late []Opening
		g.mu.Lock()
		for _, o := range g.waiting {
			if time.Since(o.since) > g.limit {
				late = append(late, o)
			}
		}
		g.overdue += len(late)
		g.mu.Unlock()
		for _, o := range late {
			o.Allow()
		}
	}
}

// Overdue is how many openings had to be let through because nobody did.
func (g *Gate) Overdue() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.overdue
}

// Mark has opens in the directory wait from now on.
func (g *Gate) Mark(dir *os.File) error { return g.group.MarkDir(dir) }

// Unmark undoes Mark.
func (g *Gate) Unmark(dir *os.File) error { return g.group.UnmarkDir(dir) }

// Ignore lets everybody open the file until it is modified.
func (g *Gate) Ignore(f *os.File) error { return g.group.Ignore(f) }

// Unignore undoes Ignore.
func (g *Gate) Unignore(f *os.File) error { return g.group.Unignore(f) }

// Failed is closed when the Gate has ended by itself; Err says why.
func (g *Gate) Failed() <-chan struct{} { return g.done }

// Err says why the Gate has ended.
func (g *Gate) Err() error { return g.err }

// Close lets everything through from now on.
func (g *Gate) Close() error {
	select {
	case <-g.done:
		return g.err
	default:
	}
	err := g.group.Wake()
	<-g.done
	return errors.Join(err, g.group.Close())
}
