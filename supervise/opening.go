//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/supervise/internal/gate"
	"github.com/surehook/surehook/supervise/internal/opener"
)

// readOpenings decides about whoever waits in an open.
func (s *Supervisor) readOpenings() {
	for {
		list, ok := s.openings.take()
		if !ok {
			return
		}
		for _, o := range list {
			s.turn.Lock()
			s.opening(o)
			s.turn.Unlock()
		}
	}
}

func (s *Supervisor) allow(o gate.Opening) {
	if err := o.Allow(); err != nil {
		s.log.Debug("letting a thread go on", "tid", o.TID, "err", err)
	}
	o.File.Close()
}

// opening lets a thread go on, if need be once its file is probed.
func (s *Supervisor) opening(o gate.Opening) {
	name, err := os.Readlink(unix.FDPath(o.File))
	if err != nil {
		s.allow(o)
		return
	}
	name = strings.TrimSuffix(name, " (deleted)")
	watches, asked := s.whose(o, name)
	if len(watches) == 0 {
		s.allow(o)
		return
	}
	// The thread surely sees the file's mount; a process that the watch goes by may
	// have ended.
	file := s.real(watches[0], o.File, o.TID)
	if file != o.File {
		defer file.Close()
	}
	info, err := unix.Stat(file)
	if err != nil {
		s.allow(o)
		return
	}
	id := info.FileID
	if b := s.builds[id]; b != nil && b.state == writing {
		if !asked().Write {
			s.hold(waiting{o, asked(), time.Now()}, &b.held)
			return
		}
		s.allow(o)
		return
	}
	if asked().Write {
		s.allow(o)
		return
	}
	if p := s.pending[id]; p != nil && !p.leaked {
		s.hold(waiting{o, asked(), time.Now()}, &p.openings)
		return
	}
	if err := s.meet(watches, file); err != nil {
		if !forgiven(err) {
			s.allow(o)
			return
		}
		s.postpone(id, watches, file, waiting{o, asked(), time.Now()})
		return
	}
	s.allow(o)
}

// whose gives the watches that an opened file is meant for. What the thread
// asked for is looked up when that is needed.
func (s *Supervisor) whose(o gate.Opening, name string) (watches []*watch, asked func() opener.Request) {
	var request *opener.Request
	asked = func() opener.Request {
		if request == nil {
			r := opener.Of(o.TID)
			request = &r
		}
		return *request
	}
	dir, known := s.home(o.TID, name)
	for w := range s.names[path.Base(name)] {
		if known && s.looksIn(w, dir) || !known && (w.pid != 0 || w.places[name]) {
			watches = append(watches, w)
		}
	}
	if len(watches) > 0 || !s.linked {
		return watches, asked
	}
	// The thread may have come by a link that leads elsewhere already.
	for w := range s.names[path.Base(asked().Path)] {
		if w.linked {
			watches = append(watches, w)
		}
	}
	return watches, asked
}

// home is the directory of a file that a thread has opened, named as this
// process sees it: what is mounted elsewhere only has the path that it has there.
func (s *Supervisor) home(tid int, name string) (dir unix.FileID, known bool) {
	_, mounts, err := unix.Namespace(fmt.Sprintf("/proc/%d/ns/mnt", tid))
	if err != nil || s.mounts == 0 {
		return dir, false // it has ended
	}
	root := ""
	if mounts != s.mounts {
		// That path begins at the root of its mounts, which need not be its own.
		root = fmt.Sprintf("/proc/%d/root", tid)
		at, err := os.Readlink(root)
		if err != nil {
			return dir, false
		}
		inside, ok := strings.CutPrefix(name, strings.TrimSuffix(at, "/")+"/")
		if !ok {
			return dir, false
		}
		name = "/" + inside
	}
	dir, err = unix.StatPath(root + path.Dir(name))
	return dir, err == nil
}

// looksIn tells whether the watch's file is expected in a directory.
func (s *Supervisor) looksIn(w *watch, dir unix.FileID) bool {
	for number := range w.dirs {
		if d := s.dirs[number]; d != nil && d.id == dir {
			return true
		}
	}
	return false
}

// meet attaches a file that somebody opens, whether or not the watches' paths
// lead to it any more.
func (s *Supervisor) meet(watches []*watch, f *os.File) error {
	var errs []error
	for _, w := range watches {
		b, err := s.obtain(w, f)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		s.look(w) // usually it is what the path leads to
		if w.current != b && !w.seen[b.number] {
			w.seen[b.number] = true
			s.stats.attached++
			s.tell(Attached{when: when(time.Now()), Path: w.path, Build: b.number, BuildID: b.buildID, Sites: b.sites()})
		}
		s.protect(b)
	}
	return errors.Join(errs...)
}

// waiting is a thread that waits for a file.
type waiting struct {
	gate.Opening
	asked opener.Request
	since time.Time
}

// hold lets a thread wait.
func (s *Supervisor) hold(w waiting, list *[]waiting) {
	s.stats.held++
	*list = append(*list, w)
	s.wake()
}

// unknownFor is how long a thread waits of which cannot be told whether it
// wants to write: if it does, it waits for itself.
const unknownFor = 100 * time.Millisecond

// pass lets those go on that turn out to be writers.
func (s *Supervisor) pass(list []waiting) []waiting {
	kept := list[:0]
	for _, w := range list {
		if !w.asked.Known {
			w.asked = opener.Of(w.TID)
		}
		if w.asked.Write || !w.asked.Known && time.Since(w.since) > unknownFor {
			s.allow(w.Opening)
			continue
		}
		kept = append(kept, w)
	}
	return kept
}
