//go:build linux

// Package pause stops processes for a moment, so that they notice nothing of
// it, and so that they run on if this process dies.
package pause

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// Pause is a set of processes that are stopped.
type Pause struct {
	do   chan func()
	tids map[int]int // and their processes
}

const (
	// settle is how long a thread may take to stop. One that sleeps in the kernel
	// does not stop before it wakes up, but it will not run before that either.
	settle = 2 * time.Millisecond
	// schedule is how long a thread may wait for a processor before it stops. It
	// may be in the middle of a probed instruction, whose copy the kernel keeps
	// for it: who attaches again then gets the old one.
	schedule = time.Second
)

// New makes a Pause that nothing is in. Resume ends it.
func New() *Pause {
	p := &Pause{do: make(chan func()), tids: map[int]int{}}
	go func() {
		// A thread is traced by a thread, whose end lets it go.
		runtime.LockOSThread()
		for f := range p.do {
			f()
		}
	}()
	return p
}

func (p *Pause) run(f func()) {
	done := make(chan struct{})
	p.do <- func() { f(); close(done) }
	<-done
}

// Stop stops all threads of a process, also those that begin meanwhile.
func (p *Pause) Stop(pid int) error {
	var err error
	p.run(func() { err = p.stop(pid) })
	return err
}

func (p *Pause) stop(pid int) error {
	for {
		tids, err := threads(pid)
		if err != nil {
			return nil // it has ended
		}
		var fresh []int
		for _, tid := range tids {
			if _, ok := p.tids[tid]; ok {
				continue
			}
			err := unix.Stop(tid)
			if errors.Is(err, unix.ErrGone) || err != nil && ended(tid) {
				continue
			}
			if err != nil {
				return fmt.Errorf("stopping process %d: %w", pid, err)
			}
			p.tids[tid] = pid
			fresh = append(fresh, tid)
		}
		if len(fresh) == 0 {
			return nil
		}
		for _, tid := range fresh {
			end := time.Now().Add(schedule)
			for !unix.Stopped(tid, settle) && state(tid) == 'R' {
				if time.Now().After(end) {
					return fmt.Errorf("process %d did not stop within %v", pid, schedule)
				}
			}
		}
	}
}

func threads(pid int) ([]int, error) {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return nil, err
	}
	var tids []int
	for _, n := range names {
		if tid, err := strconv.Atoi(n.Name()); err == nil {
			tids = append(tids, tid)
		}
	}
	return tids, nil
}

// ended tells whether a thread runs no more. PTRACE_SEIZE does not tell one that
// has ended from one that may not be traced.
func ended(tid int) bool {
	s := state(tid)
	return s == 'Z' || s == 'X'
}

// state is the letter of /proc/PID/stat; X for who is not there.
func state(tid int) byte {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", tid))
	if err != nil {
		return 'X'
	}
	_, rest, _ := strings.Cut(string(text[bytes.LastIndexByte(text, ')')+1:]), " ")
	if rest == "" {
		return 'X'
	}
	return rest[0]
}

// Has tells whether the process is stopped.
func (p *Pause) Has(pid int) bool {
	for _, of := range p.tids {
		if of == pid {
			return true
		}
	}
	return false
}

// Len is how many threads are stopped.
func (p *Pause) Len() int { return len(p.tids) }

// Resume lets all of them go on and ends the Pause.
func (p *Pause) Resume() {
	p.run(func() {
		for tid := range p.tids {
			if err := unix.Resume(tid); errors.Is(err, unix.ErrGone) {
				// Ended, or not stopped yet: it stops as soon as it wakes.
				unix.Stopped(tid, settle)
				unix.Resume(tid)
			}
		}
	})
	close(p.do) // the thread ends and what is traced yet is let go
}
