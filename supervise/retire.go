//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"time"

	"github.com/surehook/surehook/supervise/internal/mapped"
)

const (
	// second is how often is looked for what nobody uses any more.
	second = time.Second
	// unusedFor is how long nobody must have a build mapped: who has opened it
	// maps it within that.
	unusedFor = 5 * time.Second
)

// retire detaches builds that no path leads to once no process has them mapped.
func (s *Supervisor) retire() {
	tick := time.NewTicker(second)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		s.turn.Lock()
		s.breaks() // should a signal be lost
		old := s.old()
		s.turn.Unlock()
		if len(old) > 0 {
			s.retireUnused(old)
		}
	}
}

// old are the builds that no path leads to.
func (s *Supervisor) old() []*build {
	var list []*build
	for _, b := range s.builds {
		if len(b.watches) == 0 && b.state == probed {
			list = append(list, b)
		}
	}
	return list
}

func (s *Supervisor) retireUnused(list []*build) {
	files := make([]mapped.File, len(list))
	for i, b := range list {
		files[i] = b.mapped()
	}
	users, err := mapped.Find(files, false)
	if err != nil {
		s.log.Warn("looking for processes", "err", err)
		return
	}
	now := time.Now()
	var gone []*build
	s.turn.Lock()
	for i, b := range list {
		switch {
		case s.builds[b.id] != b || len(b.watches) > 0 || b.state != probed:
		case len(users[i]) > 0:
			b.unused = time.Time{}
		case b.unused.IsZero():
			b.unused = now
		case now.Sub(b.unused) >= unusedFor && now.Sub(b.prepared) >= preparedFor:
			// From here on it is unknown to whoever opens it.
			s.expose(b)
			delete(s.builds, b.id)
			gone = append(gone, b)
		}
	}
	s.turn.Unlock()
	for _, b := range gone {
		var errs []error
		for _, set := range b.sets {
			errs = append(errs, set.detach())
		}
		s.turn.Lock()
		errs = append(errs, s.finish(b))
		if err := errors.Join(errs...); err != nil {
			s.log.Warn("detaching", "path", b.path, "err", err)
		}
		s.letGo(b)
		s.tell(Detached{when: when(time.Now()), Path: b.path, Build: b.number})
		s.turn.Unlock()
	}
}
