//go:build linux && (amd64 || arm64)

package nesting

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/bpf"
	"github.com/surehook/surehook/internal/unix"
)

// AttachError is an outer hook that could not be attached.
type AttachError struct {
	Hook hook.Hook
	Err  error
}

func (e *AttachError) Error() string { return fmt.Sprintf("%s: %s", e.Hook, Reason(e.Err)) }

func (e *AttachError) Unwrap() error { return e.Err }

// Run makes a trial. The error is of the trial as a whole: an AttachError if
// the outer hook could not be attached. Inner hooks have their own.
func Run(t Trial) (Outcome, error) {
	if len(t.Inner) > MaxInner {
		return Outcome{}, fmt.Errorf("%d inner hooks: at most %d nest at a time", len(t.Inner), MaxInner)
	}
	c, err := newCrew(&t)
	if err != nil {
		return Outcome{}, err
	}
	defer c.end()
	// Before Linux 5.11 BPF memory is of RLIMIT_MEMLOCK.
	unlimited := unix.UnlimitLocked()
	out, err := with(c, t)
	if errors.Is(err, fs.ErrPermission) {
		err = errors.Join(err, unlimited)
	}
	return out, err
}

func with(c *crew, t Trial) (Outcome, error) {
	n, err := bpf.LoadNested(c.thread)
	if err != nil {
		return Outcome{}, err
	}
	defer n.Close()
	return run(n, c, t)
}

func run(n *bpf.Nested, c *crew, t Trial) (out Outcome, err error) {
	var probes []*probe
	defer func() {
		for _, p := range probes {
			if p != nil {
				err = errors.Join(err, p.link.Close())
			}
		}
	}()
	outer, err := load(n, 0, t.Outer, t.Action)
	if err != nil {
		return out, &AttachError{t.Outer, err}
	}
	out.Inner = make([]Part, len(t.Inner))
	for i, h := range t.Inner {
		p := &probe{slot: 0, prog: outer.prog}
		if !t.Same {
			p, err = inner(n, i+1, h, &t)
		}
		if err == nil {
			p.link, err = attachTo(h, p.prog)
		}
		if err != nil {
			p = nil
		}
		out.Inner[i] = Part{Hook: h, Err: err}
		probes = append(probes, p)
	}
	if outer.link, err = attachTo(t.Outer, outer.prog); err != nil {
		return out, &AttachError{t.Outer, err}
	}
	if t.Touch {
		c.touch = n.Touch
	}
	if out.Completed, err = c.work(&t, func() (uint64, error) { return n.Count(len(t.Inner)) }); err != nil {
		return out, errors.Join(err, outer.link.Close())
	}
	if out.Outer, err = outer.read(n, t.Outer); err == nil && t.Look != nil {
		err = look(n, t, outer, probes)
	}
	if err != nil {
		return out, errors.Join(err, outer.link.Close())
	}
	// Without the outer one nothing nests any more: the counters stand still.
	if err := outer.link.Close(); err != nil {
		return out, err
	}
	for i, p := range probes {
		if p == nil {
			continue
		}
		if out.Inner[i], err = p.read(n, t.Inner[i]); err != nil {
			return out, err
		}
	}
	return out, nil
}

// look calls t.Look.
func look(n *bpf.Nested, t Trial, outer *probe, inner []*probe) error {
	first, err := outer.attached(n, t.Outer)
	if err != nil {
		return err
	}
	var others []Attached
	for i, p := range inner {
		if p == nil {
			continue
		}
		a, err := p.attached(n, t.Inner[i])
		if err != nil {
			return err
		}
		others = append(others, a)
	}
	return t.Look(first, others)
}

// Target is called once in each round of the work, for uprobes.
//
//go:noinline
func Target(n int) int { return n + 1 }

// round is the work that is done for each of a trial's calls.
func round(i int, name *[16]byte) bool {
	_, _, no := syscall.RawSyscall(syscall.SYS_GETPGID, uintptr(syscall.Getpid()), 0, 0)
	return no == 0 && setName(name) == 0 && Target(i) == i+1
}
