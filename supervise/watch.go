//go:build linux && (amd64 || arm64)

package supervise

import (
	"os"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/sites"
	"github.com/surehook/surehook/supervise/internal/way"
)

// hooked is a hook and what was counted for it.
type hooked struct {
	id       ID
	hook     hook.Hook
	spec     string
	watch    *watch   // of its path here
	inside   bool     // it is supervised in containers too
	others   []*watch // of its path in them
	scanned  bool     // the containers that there are have been looked at for it
	refs     []*ref
	replaced int
	judged   map[*watch]*sites.Judgement // its plan in the build that was current last
	// of builds that are not attached any more
	executions, undecided uint64
}

// ref is a hook in a set of probes.
type ref struct {
	set     *set
	results []int // indices in set.results
	// what was counted before the hook came
	executions, undecided uint64
}

// specOf tells whether two hooks mean the same in one file.
func specOf(h hook.Hook) string {
	h.Target, h.Text = "/", ""
	return h.String()
}

// watches are all of the hook's.
func (k *hooked) watches() []*watch { return append([]*watch{k.watch}, k.others...) }

// watch is a path and the hooks on what it leads to.
type watch struct {
	path   string
	key    string // in Supervisor.watches: the path, or that of a container's
	pid    int    // of /proc/PID/root/...; 0: none
	hooks  []*hooked
	way    *way.Way  // as it was looked at last; its File is closed
	looked time.Time // when that was begun
	dirs   map[int]bool
	// places are where its file is or was expected: whoever opened it there may
	// be looked at only when the path leads elsewhere already.
	places   map[string]bool
	restored bool // a process before this one supervised it
	linked   bool // the path ends, or ended, in a symbolic link
	current  *build
	missing  string    // what Waiting said
	bad      time.Time // since when it leads to an unusable file; zero: it does not
	badErr   error
	tried    time.Time // when it was looked at again
	badTold  bool
	// appeared is since when it leads to what is not attached yet
	appeared time.Time
	// mounted is set while is looked whether something was mounted over it since. Opens
	// do not wait for that, and the file may be an old one.
	mounted time.Time
	seen    map[int]bool // builds that it led to, by number
}

func newWatch(path string) *watch {
	w := &watch{path: path, key: path, dirs: map[int]bool{}, seen: map[int]bool{}, places: map[string]bool{}}
	w.pid = pidOf(path)
	return w
}

// pidOf is the number in /proc/PID/root/...; 0: it is no such path.
func pidOf(path string) int {
	rest, ok := strings.CutPrefix(path, "/proc/")
	if !ok {
		return 0
	}
	number, _, _ := strings.Cut(rest, "/")
	pid, _ := strconv.Atoi(number)
	return pid
}

// inside tells whether the watch is of a container.
func (w *watch) inside() bool { return w.key != w.path }

func (w *watch) drop(k *hooked) {
	w.hooks = slices.DeleteFunc(w.hooks, func(o *hooked) bool { return o == k })
	delete(k.judged, w)
}

// directory is one that is watched.
type directory struct {
	id     unix.FileID
	path   string
	uses   map[*watch]map[string]bool // names that are looked up in it
	gated  bool
	marked time.Time // since when opens in it wait
}

// enter watches a directory before a name is looked up in it.
func (s *Supervisor) enter(w *watch, dir *os.File, step way.Step) error {
	if kind, err := unix.FileSystem(dir); err == nil && kind == unix.ProcFS {
		return nil // nothing is told of changes there
	}
	number, err := s.in.Add(dir, step.Last)
	if err != nil {
		s.finding(Unwatched, w.path, nil, err)
		return nil
	}
	d := s.dirs[number]
	if d == nil {
		d = &directory{id: step.Dir, path: step.Path, uses: map[*watch]map[string]bool{}}
		s.dirs[number] = d
	}
	if d.uses[w] == nil {
		d.uses[w] = map[string]bool{}
	}
	d.uses[w][step.Name] = true
	w.dirs[number] = true
	if step.Last && s.gate != nil && !d.gated {
		if err := s.gate.Mark(dir); err != nil {
			s.finding(Unwatched, w.path, nil, err)
			return nil
		}
		d.gated, d.marked = true, time.Now()
	}
	return nil
}

// gatedSince is since when opens wait in the directories where the file of a
// way may be; zero: in one of them they do not.
func (s *Supervisor) gatedSince(w *way.Way) time.Time {
	var since time.Time
	for _, step := range w.Steps {
		if !step.Last {
			continue
		}
		found := false
		for _, d := range s.dirs {
			if d.id == step.Dir && d.gated {
				found = true
				if d.marked.After(since) {
					since = d.marked
				}
			}
		}
		if !found {
			return time.Time{}
		}
	}
	return since
}

// maxDirs bounds the directories that a watch keeps, for links that lead back
// to where they led before.
const maxDirs = 64

// leaveDirs stops watching directories that the path does not pass any more.
func (s *Supervisor) leaveDirs(w *watch) {
	if len(w.dirs) <= maxDirs {
		return
	}
	passed := map[unix.FileID]bool{}
	for _, step := range w.way.Steps {
		passed[step.Dir] = true
	}
	for number := range w.dirs {
		if d := s.dirs[number]; d == nil || !passed[d.id] {
			s.leaveDir(w, number)
		}
	}
}

func (s *Supervisor) leaveDir(w *watch, number int) {
	delete(w.dirs, number)
	d := s.dirs[number]
	if d == nil {
		return
	}
	delete(d.uses, w)
	if len(d.uses) > 0 {
		return
	}
	delete(s.dirs, number)
	if err := s.in.Remove(number); err != nil {
		s.log.Debug("ending a watch", "dir", d.path, "err", err)
	}
	if !d.gated {
		return
	}
	// Nothing of it is held open, which would keep its file system mounted.
	f, err := unix.LookupPath(d.path)
	if err != nil {
		return
	}
	defer f.Close()
	if info, err := unix.Stat(f); err == nil && info.FileID == d.id {
		err = s.gate.Unmark(f)
		s.log.Debug("ending the gate of a directory", "dir", d.path, "err", err)
	}
}

// maxPlaces bounds the places that a watch remembers.
const maxPlaces = 64

// index notes where the watch's file is expected.
func (s *Supervisor) index(w *watch) {
	if len(w.places) > maxPlaces {
		s.unindex(w)
	}
	for _, step := range w.way.Steps {
		if !step.Last {
			continue
		}
		w.places[path.Join(step.Path, step.Name)] = true
		s.place(w, step.Path)
		w.linked = w.linked || step.Link != ""
		if s.names[step.Name] == nil {
			s.names[step.Name] = map[*watch]bool{}
		}
		s.names[step.Name][w] = true
	}
	s.linked = s.linked || w.linked
}

func (s *Supervisor) unindex(w *watch) {
	for place := range w.places {
		name := path.Base(place)
		if delete(s.names[name], w); len(s.names[name]) == 0 {
			delete(s.names, name)
		}
	}
	clear(w.places)
}

// forget ends a watch.
func (s *Supervisor) forget(w *watch) {
	for number := range w.dirs {
		s.leaveDir(w, number)
	}
	s.unindex(w)
	s.leave(w)
	delete(s.watches, w.key)
}
