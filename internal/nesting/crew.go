//go:build linux && (amd64 || arm64)

package nesting

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"

	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/unix"
)

// crew are the threads that do the work.
type crew struct {
	thread  bpf.Thread
	workers []*worker
	touch   func() error // done in each round; nil: nothing
}

// worker is one of the threads.
type worker struct {
	calls chan int
	done  chan int
}

// blocked is the signal of the action Signal. It stays pending: each further
// one is dropped, under the lock.
const blocked = syscall.SIGWINCH

// ErrFewCPUs means that there is no CPU for each thread of a trial.
var ErrFewCPUs = errors.New("there are too few processors")

func newCrew(t *Trial) (*crew, error) {
	dev, ino, err := unix.Namespace("/proc/self/ns/pid")
	if err != nil {
		return nil, err
	}
	cpus, err := unix.CPUs()
	if err != nil {
		return nil, err
	}
	if t.Threads > max(1, len(cpus)) {
		return nil, fmt.Errorf("%w: %d, of %d wanted", ErrFewCPUs, len(cpus), t.Threads)
	}
	c := &crew{thread: bpf.Thread{TGID: uint32(syscall.Getpid()), NSDev: dev, NSIno: ino, Signal: uint32(blocked)}}
	for i := range max(1, t.Threads) {
		cpu := -1
		if t.Threads > 1 {
			cpu = cpus[i]
		}
		tid, err := c.hire(cpu, t.Action&Signal != 0)
		if err != nil {
			c.end()
			return nil, err
		}
		if t.Threads <= 1 {
			c.thread.TID = tid
		}
	}
	return c, nil
}

// hire starts a thread, on one CPU unless that is negative.
func (c *crew) hire(cpu int, block bool) (tid uint32, err error) {
	w := &worker{calls: make(chan int), done: make(chan int)}
	began := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: it ends with the work
		tid = uint32(syscall.Gettid())
		var err error
		if cpu >= 0 {
			err = unix.Pin(0, cpu)
		}
		if block {
			err = errors.Join(err, unix.BlockSignal(blocked))
		}
		began <- err
		w.run(c)
	}()
	err = <-began
	c.workers = append(c.workers, w)
	return tid, err
}

// run does the work until there is no more.
func (w *worker) run(c *crew) {
	name := [16]byte{}
	copy(name[:], "surehook-nest")
	for calls := range w.calls {
		n := 0
		for i := range calls {
			if round(i, &name) && (c.touch == nil || c.touch() == nil) {
				n++
			}
		}
		w.done <- n
	}
}

// chunk is how many calls are made before it is asked whether they are enough.
const chunk = 500

// work has all threads do their calls; seen is the count that may be enough.
func (c *crew) work(t *Trial, seen func() (uint64, error)) (completed int, err error) {
	step := t.Calls
	if t.Enough > 0 {
		step = chunk
	}
	for made := 0; made < t.Calls; made += step {
		for _, w := range c.workers {
			w.calls <- min(step, t.Calls-made)
		}
		for _, w := range c.workers {
			completed += <-w.done
		}
		if t.Enough == 0 {
			continue
		}
		n, err := seen()
		if err != nil || n >= t.Enough {
			return completed, err
		}
	}
	return completed, nil
}

func (c *crew) end() {
	for _, w := range c.workers {
		close(w.calls)
	}
}
