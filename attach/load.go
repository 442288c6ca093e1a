//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"fmt"
	"math/bits"
	"os"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/link"
	"github.com/cilium/ebpf/ringbuf"

	"github.com/surehook/surehook/internal/bpf"
)

// load loads the BPF program and chooses the mechanism.
func (s *Session) load(can abilities, ofKernel bool) error {
	if s.opts.Children && s.opts.PID == 0 {
		return fmt.Errorf("%w: Options.Children needs Options.PID", ErrInvalid)
	}
	c := bpf.Config{Entries: s.layout.entries, Events: s.opts.Events}
	c.Multi = can.multi && !s.opts.PerfEvents && !ofKernel
	c.Kernel = ofKernel
	c.Sleepable = c.Multi && s.layout.reads
	if s.opts.PID != 0 {
		if err := checkProcess(s.opts.PID); err != nil {
			return err
		}
		c.Family = s.opts.Children
		s.linkPID = c.Multi && can.pidFilter && !c.Family
		if !s.linkPID {
			if err := filterInProgram(&c, s.opts.PID); err != nil {
				return err
			}
		}
	}
	if c.Events {
		var err error
		if c.RingBytes, err = ringBytes(s.opts.RingBytes); err != nil {
			return err
		}
	}
	if !c.Multi && !can.cookie {
		c.Cookie = new(uint64)
	}
	err := lifting(func() (err error) {
		s.objs, err = bpf.Load(c)
		return err
	})
	if err != nil {
		return classify(err)
	}
	switch {
	case ofKernel:
		if s.mech, err = newInKernel(s.objs, can, s.layout); err != nil {
			return errors.Join(classify(err), s.objs.Close())
		}
	case c.Multi:
		s.mech = multi{prog: s.objs.Hit, filter: can.pidFilter}
	default:
		s.mech = perf{objs: s.objs, cookie: can.cookie}
	}
	if c.Events {
		if s.reader, err = ringbuf.NewReader(s.objs.Ring); err != nil {
			return errors.Join(fmt.Errorf("event ring: %w", err), s.objs.Close())
		}
	}
	return nil
}

// follow keeps track of forks.
func (s *Session) follow() error {
	for name, prog := range map[string]*ebpf.Program{"sched_process_fork": s.objs.Forked, "sched_process_exit": s.objs.Exited} {
		l, err := link.AttachRawTracepoint(link.RawTracepointOptions{Name: name, Program: prog})
		if err != nil {
			return fmt.Errorf("following child processes by %s: %w", name, err)
		}
		s.links = append(s.links, l)
	}
	return nil
}

// defaultRing holds some 80,000 events: a second of a busy target.
const defaultRing = 4 << 20

// ringBytes rounds up to what the kernel takes: a power of two, whole pages.
func ringBytes(n int) (int, error) {
	const maxRing = 1 << 30 // the kernel's RINGBUF limits allow more, memory rarely does
	if n < 0 || n > maxRing {
		return 0, fmt.Errorf("%w: an event ring of %d bytes; at most %d", ErrInvalid, n, maxRing)
	}
	if n == 0 {
		return defaultRing, nil
	}
	n = max(n, os.Getpagesize())
	return 1 << bits.Len(uint(n-1)), nil
}
