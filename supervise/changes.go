//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// changeBytes is room for many changes in one read; a name has 255 bytes.
const changeBytes = 64 << 10

// readChanges looks at what inotify tells of.
func (s *Supervisor) readChanges() {
	buf := make([]byte, changeBytes)
	for {
		list, err := s.in.Read(buf)
		if errors.Is(err, os.ErrClosed) {
			return
		}
		if err != nil {
			s.fail(fmt.Errorf("watching directories: %w", err))
			return
		}
		s.turn.Lock()
		if s.expected(list) {
			s.base.Ready(activity)
		}
		for _, w := range s.concern(list) {
			if len(w.hooks) > 0 {
				s.look(w)
			}
			w.mounted = time.Time{}
		}
		s.prepare(list)
		s.turn.Unlock()
	}
}

// activity is how long after a change another one is expected: who installs
// one file installs others.
const activity = time.Second

// expected tells whether a library is about to be replaced, or was.
func (s *Supervisor) expected(list []unix.Change) bool {
	for _, c := range list {
		d := s.dirs[c.Watch]
		if d == nil {
			continue
		}
		for w, names := range d.uses {
			if names[c.Name] || beside(c.Name, w.path) {
				return true
			}
		}
	}
	return false
}

// concern gives the watches whose ways changes are on.
func (s *Supervisor) concern(list []unix.Change) []*watch {
	var all []*watch
	seen := map[*watch]bool{}
	add := func(w *watch) {
		if !seen[w] {
			seen[w] = true
			all = append(all, w)
		}
	}
	for _, c := range list {
		if c.Mounts {
			for _, w := range s.watches {
				if !w.inside() { // see visit
					w.mounted = time.Now()
					add(w)
				}
			}
			continue
		}
		if c.Overflow {
			for _, w := range s.watches {
				add(w)
			}
			continue
		}
		d := s.dirs[c.Watch]
		if d == nil {
			continue
		}
		for w, names := range d.uses {
			if c.Name == "" || names[c.Name] {
				add(w)
			}
		}
		if c.Gone {
			for w := range d.uses {
				delete(w.dirs, c.Watch)
			}
			delete(s.dirs, c.Watch)
		}
	}
	return all
}
