//go:build linux && (amd64 || arm64)

package attach

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/cilium/ebpf/ringbuf"

	"github.com/surehook/surehook/internal/bpf"
)

// Counts gives the hits whose condition held, by plan and probe.
func (s *Session) Counts() ([][]uint64, error) {
	return s.counts(func(c bpf.Count) uint64 { return c.Hits })
}

// Undecided gives the hits whose condition could not be decided (memory that
// could not be read), by plan and probe. They are not in Counts.
func (s *Session) Undecided() ([][]uint64, error) {
	return s.counts(func(c bpf.Count) uint64 { return c.Undecided })
}

func (s *Session) counts(pick func(bpf.Count) uint64) ([][]uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.objs == nil {
		return nil, os.ErrClosed
	}
	counts, err := s.objs.Counts(s.room, len(s.layout.slots))
	if err != nil {
		return nil, err
	}
	out := make([][]uint64, len(s.shape))
	for i, n := range s.shape {
		out[i] = make([]uint64, n)
	}
	for i, slot := range s.layout.slots {
		out[slot.plan][slot.probe] = pick(counts[i])
	}
	return out, nil
}

// Lost is the number of events that were dropped because they were not read
// fast enough. Counts has them all the same.
func (s *Session) Lost() (uint64, error) {
	return s.number((*bpf.Objects).Lost)
}

// Strayed is the number of child processes that could not be followed
// (Options.Children), because too many were running: what they executed is not
// in Counts.
func (s *Session) Strayed() (uint64, error) {
	return s.number((*bpf.Objects).Strayed)
}

func (s *Session) number(read func(*bpf.Objects) (uint64, error)) (uint64, error) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if s.objs == nil {
		return 0, os.ErrClosed
	}
	return read(s.objs)
}

// Read waits for the next event. It returns ctx's error when ctx ends, and
// io.EOF after Close, or after Detach once all events are read. Needs
// Options.Events.
func (s *Session) Read(ctx context.Context) (Event, error) {
	if s.reader == nil {
		return Event{}, fmt.Errorf("%w: Options.Events is not set", ErrInvalid)
	}
	s.readMu.Lock()
	defer s.readMu.Unlock()
	if ctx.Done() != nil {
		stop := context.AfterFunc(ctx, func() { s.reader.Flush() })
		defer stop()
	}
	for {
		if s.detached.Load() {
			s.reader.Flush() // so that an empty ring does not block
		}
		err := s.reader.ReadInto(&s.record)
		switch {
		case err == nil:
			return s.decode(s.record.RawSample)
		case errors.Is(err, ringbuf.ErrFlushed):
			if ctx.Err() != nil {
				return Event{}, ctx.Err()
			}
			if s.detached.Load() {
				return Event{}, io.EOF
			}
		case errors.Is(err, os.ErrClosed):
			return Event{}, io.EOF
		default:
			return Event{}, fmt.Errorf("reading events: %w", err)
		}
	}
}

func (s *Session) decode(b []byte) (Event, error) {
	var e bpf.Event
	if _, err := binary.Decode(b, binary.NativeEndian, &e); err != nil {
		return Event{}, fmt.Errorf("event of %d bytes: %w", len(b), err)
	}
	if int(e.Entry) >= len(s.layout.slots) {
		return Event{}, fmt.Errorf("event of unknown probe %d", e.Entry)
	}
	from := s.layout.slots[e.Entry]
	comm, _, _ := bytes.Cut(e.Comm[:], []byte{0})
	return Event{
		Time: e.Time, PID: e.TGID, TID: e.TID, Comm: string(comm),
		Plan: from.plan, Probe: from.probe, Undecided: e.Undecided != 0,
	}, nil
}
