//go:build linux && (amd64 || arm64)

package attach

import (
	"context"
	"errors"
	"io"
	"testing"
)

// drain reads the events until the end.
func drain(t *testing.T, s *Session) []Event {
	t.Helper()
	var events []Event
	for {
		e, err := s.Read(t.Context())
		if err == io.EOF {
			return events
		}
		if err != nil {
			t.Fatal(err)
		}
		events = append(events, e)
	}
}

func TestEvents(t *testing.T) {
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		s := open(plainPlan(t), Options{Events: true})
		c := start(t, "call:3")
		c.finish(t)
		if err := s.Detach(); err != nil {
			t.Fatal(err)
		}
		events := drain(t, s)
		if len(events) != 6 {
			t.Fatalf("%d events, want 6: %+v", len(events), events)
		}
		for i, e := range events {
			want := 2 - i%2 // an entry, then its return
			if e.Plan != 0 || e.Probe != want || e.Undecided {
				t.Errorf("event %d is of plan %d probe %d, want 0, %d", i, e.Plan, e.Probe, want)
			}
			if int(e.PID) != c.PID() || e.TID == 0 || e.Comm != "attach.test" {
				t.Errorf("event %d is of process %d thread %d %q, want %d attach.test", i, e.PID, e.TID, e.Comm, c.PID())
			}
			if i > 0 && e.Time < events[i-1].Time {
				t.Errorf("event %d is at %d, the one before at %d", i, e.Time, events[i-1].Time)
			}
		}
		if _, err := s.Read(t.Context()); err != io.EOF {
			t.Errorf("Read after the end: %v, want io.EOF", err)
		}
	})
}

func TestLost(t *testing.T) {
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		s := open(plainPlan(t), Options{Events: true, RingBytes: 1})
		const calls = 2000
		start(t, "call:2000").finish(t)
		if err := s.Detach(); err != nil {
			t.Fatal(err)
		}
		got := len(drain(t, s))
		lost, err := s.Lost()
		if err != nil {
			t.Fatal(err)
		}
		if lost == 0 || uint64(got)+lost != 2*calls {
			t.Errorf("%d events read, %d lost, want %d together", got, lost, 2*calls)
		}
		if c := counts(t, s)[0]; c[1] != calls || c[2] != calls {
			t.Errorf("counts %d, want %d: losing events must not lose counts", c, calls)
		}
	})
}

func TestReadEnds(t *testing.T) {
	needsKernel(t)
	read := func(ctx context.Context, s *Session) chan error {
		done := make(chan error, 1)
		go func() {
			_, err := s.Read(ctx)
			done <- err
		}()
		return done
	}
	s, err := Open(plainPlan(t), Options{Events: true})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()

	ctx, cancel := context.WithCancel(t.Context())
	done := read(ctx, s)
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Errorf("Read of a cancelled context: %v", err)
	}

	// A flush left over must not end the next Read.
	done = read(t.Context(), s)
	start(t, "call:1").finish(t)
	if err := <-done; err != nil {
		t.Errorf("Read after a cancelled one: %v", err)
	}

	if _, err := s.Read(t.Context()); err != nil {
		t.Errorf("second event: %v", err)
	}
	done = read(t.Context(), s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != io.EOF {
		t.Errorf("Read during Close: %v, want io.EOF", err)
	}
	if _, err := s.Counts(); err == nil {
		t.Error("Counts after Close: no error")
	}
	if err := s.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestReadWithoutEvents(t *testing.T) {
	needsKernel(t)
	s, err := Open(plainPlan(t), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Read(t.Context()); !errors.Is(err, ErrInvalid) {
		t.Errorf("Read: %v, want ErrInvalid", err)
	}
}
