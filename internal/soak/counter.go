//go:build linux && (amd64 || arm64)

package soak

import (
	"sync"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/supervise"
)

// Hooked are the functions that are counted, by their place in Calls: four of
// which one is inlined.
func Hooked() []int { return []int{0, 1, 3, 4} }

// Counter counts the executions of functions of a library.
type Counter interface {
	// Calls gives what was counted of Functions; those that are not Hooked are 0.
	Calls() (Calls, error)
	Close() error
}

// Supervised counts with package supervise.
type Supervised struct {
	S *supervise.Supervisor

	mu     sync.Mutex
	events []supervise.Event
	keep   func(supervise.Event)
}

// NewSupervised counts the functions of the library at path.
func NewSupervised(path string, opts supervise.Options) (*Supervised, error) {
	s := &Supervised{keep: opts.Notify}
	opts.Notify = s.note
	var err error
	if s.S, err = supervise.New(opts); err != nil {
		return nil, err
	}
	for _, i := range Hooked() {
		h, err := hook.Parse("uprobe:" + path + ":" + Functions()[i])
		if err != nil {
			return nil, err
		}
		if _, err := s.S.Add(h); err != nil {
			return nil, err
		}
	}
	return s, nil
}

func (s *Supervised) note(e supervise.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	if s.keep != nil {
		s.keep(e)
	}
}

// Events are those until now.
func (s *Supervised) Events() []supervise.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.events
}

// Calls gives what was counted.
func (s *Supervised) Calls() (Calls, error) {
	var c Calls
	st, err := s.S.State()
	if err != nil {
		return c, err
	}
	for n, i := range Hooked() {
		c[i] = st.Hooks[n].Executions
	}
	return c, nil
}

// Close ends counting.
func (s *Supervised) Close() error { return s.S.Close() }
