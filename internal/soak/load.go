//go:build linux && (amd64 || arm64)

package soak

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// Load is callers of the library.
type Load struct {
	Truth *Truth

	r       *Replacer
	parent  parent
	cmds    []*exec.Cmd
	stop    chan struct{}
	sampler sync.WaitGroup
	samples []Sample
}

func startLoad(kit *Kit, path string, truth *Truth, r *Replacer, callers int) (*Load, error) {
	l := &Load{Truth: truth, r: r, parent: newParent(), stop: make(chan struct{})}
	kinds := [][]string{{"keep", strconv.Itoa(manyRounds)}, {"keep", "1000000000"}}
	for range callers {
		kinds = append(kinds, []string{"spawn", strconv.Itoa(fewRounds)})
	}
	for i, k := range kinds {
		// They have the processors to themselves but for what counts, which runs
		// with another priority, as the unit of systemd says.
		cmd := exec.Command("nice", "-n", strconv.Itoa(niceness), kit.Caller, path, truth.Path, k[0], k[1], strconv.Itoa(i))
		cmd.Stderr = os.Stderr
		if err := l.parent.start(cmd); err != nil {
			return nil, errors.Join(err, l.end())
		}
		l.cmds = append(l.cmds, cmd)
	}
	l.sampler.Go(l.sample)
	return l, nil
}

// Newest is the version that is there, or about to be.
func (l *Load) Newest() int { return int(l.r.current.Load()) }

// Replacing tells whether the library is being replaced right now.
func (l *Load) Replacing() bool { return l.r.busy.Load() }

// sample writes down how much was called, again and again.
func (l *Load) sample() {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for {
		l.samples = append(l.samples, take(l.Truth, l.Newest()))
		select {
		case <-l.stop:
			return
		case <-tick.C:
		}
	}
}

// beside runs work and beside it something that ends when its context does.
func (l *Load) beside(other func(context.Context, *Load) error, work func() error) error {
	if other == nil {
		return work()
	}
	ctx, cancel := context.WithCancel(context.Background())
	failed := make(chan error, 1)
	go func() { failed <- other(ctx, l) }()
	err := work()
	cancel()
	return errors.Join(err, <-failed)
}

func (l *Load) end() error {
	var errs []error
	for _, c := range l.cmds {
		errs = append(errs, c.Process.Signal(syscall.SIGTERM))
	}
	for _, c := range l.cmds {
		if err := c.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", c.Args[6], err))
		}
	}
	close(l.stop)
	l.sampler.Wait()
	l.parent.end()
	return errors.Join(errs...)
}

// parent starts processes that do not outlive this one. The kernel takes the
// end of the thread that started them for that of their parent.
type parent chan func()

func newParent() parent {
	p := make(parent)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		for f := range p {
			f()
		}
	}()
	return p
}

func (p parent) start(cmd *exec.Cmd) error {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	done := make(chan error)
	p <- func() { done <- cmd.Start() }
	return <-done
}

// end needs to be called after what was started has ended.
func (p parent) end() { close(p) }
