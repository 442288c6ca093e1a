//go:build linux && (amd64 || arm64)

package supervise

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/supervise/internal/roots"
)

// containers are the roots of other processes, in which hooks are supervised.
type containers struct {
	looking sync.Mutex // before turn
	scanner roots.Scanner
	known   map[roots.ID]*container
	at      time.Time // of the last look; zero: nobody has looked since hooks came
}

// container is one of them.
type container struct {
	id      roots.ID
	pid     int // a process in it
	rounds  int
	watches map[string]*watch // by the path in it
	asked   time.Time         // when files were looked for that are not watched
}

// AddInContainers supervises a hook as Add does, and at the same path in the
// roots of all other processes: of containers, and of services with mounts or a
// root of their own. What is in several of them is counted once. A container
// is found within a second of its first process; what may be missed until then
// is told as a Gap.
func (s *Supervisor) AddInContainers(h hook.Hook) (ID, error) {
	if pidOf(h.Target) != 0 {
		return 0, fmt.Errorf("%s: write the path as processes in the containers see it, without /proc/PID/root", h)
	}
	id, err := s.add(h, true)
	if err != nil {
		return 0, err
	}
	return id, s.lookInside()
}

// lookForContainers goes on looking while hooks are supervised in containers.
func (s *Supervisor) lookForContainers() {
	tick := time.NewTicker(second)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		if err := s.lookInside(); err != nil {
			s.log.Warn("looking for containers", "err", err)
		}
	}
}

// lookInside looks once.
func (s *Supervisor) lookInside() error {
	s.inside.looking.Lock()
	defer s.inside.looking.Unlock()
	s.turn.Lock()
	wanted := s.insidePaths()
	s.turn.Unlock()
	if len(wanted) == 0 && len(s.inside.known) == 0 {
		s.inside.at = time.Time{}
		return nil
	}
	now := time.Now()
	list, err := s.inside.scanner.Scan()
	if err != nil {
		return err
	}
	if s.inside.known == nil {
		s.inside.known = map[roots.ID]*container{}
	}
	there := map[roots.ID]bool{}
	for _, r := range list {
		there[r.ID] = true
		s.visit(r, wanted, now)
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	for id, c := range s.inside.known {
		if !there[id] {
			s.depart(c)
			delete(s.inside.known, id)
		}
	}
	for _, k := range s.hooks {
		k.scanned = k.scanned || slices.Contains(wanted, k.watch.path)
	}
	s.inside.at = now
	return nil
}

// insidePaths are the paths that are looked for in containers.
func (s *Supervisor) insidePaths() []string {
	var list []string
	for _, k := range s.hooks {
		if k.inside && !slices.Contains(list, k.watch.path) {
			list = append(list, k.watch.path)
		}
	}
	return list
}

// seldom is how many looks pass until a file is looked for again in a container
// that is not new.
const seldom = 10

// visit looks for files in one container.
func (s *Supervisor) visit(r roots.Root, wanted []string, now time.Time) {
	c := s.inside.known[r.ID]
	fresh := c == nil
	if fresh {
		c = &container{id: r.ID, pid: r.PIDs[0], watches: map[string]*watch{}}
		s.inside.known[r.ID] = c
	}
	s.turn.Lock()
	if !slices.Contains(r.PIDs, c.pid) {
		s.move(c, r.PIDs[0])
	}
	s.follow(c)
	unscanned := slices.ContainsFunc(wanted, func(p string) bool { return !s.scanned(p) })
	s.turn.Unlock()
	c.rounds++
	if c.rounds > seldom && c.rounds%seldom != 0 && !unscanned {
		return
	}
	since := c.asked
	if fresh {
		since = s.inside.at // it was not there yet
	}
	c.asked = now
	for _, p := range wanted {
		if c.watches[p] == nil && s.apart(c, p) {
			s.turn.Lock()
			s.settle(c, p, since)
			s.turn.Unlock()
		}
	}
}

// scanned tells whether the hooks on a path have been looked for in the
// containers that there were.
func (s *Supervisor) scanned(path string) bool {
	for _, k := range s.hooks {
		if k.inside && k.watch.path == path && !k.scanned {
			return false
		}
	}
	return true
}

// apart tells whether a container has a file of its own at a path: not the one
// that is there for us, by the same directory.
func (s *Supervisor) apart(c *container, p string) bool {
	inside := inRoot(c.pid, p)
	file, err := unix.StatPath(inside)
	if err != nil {
		return false
	}
	dir, err := unix.StatPath(path.Dir(inside))
	if err != nil {
		return false
	}
	ours, err := unix.StatPath(p)
	if err != nil || ours != file {
		return true
	}
	home, err := unix.StatPath(path.Dir(p))
	return err != nil || home != dir
}

// inRoot is a path in the root of a process.
func inRoot(pid int, path string) string {
	return filepath.Join("/proc", fmt.Sprint(pid), "root", path)
}

// settle watches a path in a container. It was not there, as far as is known, at
// since.
func (s *Supervisor) settle(c *container, p string, since time.Time) {
	w := newWatch(inRoot(c.pid, p))
	w.key = fmt.Sprintf("%d:%d:%d:%s", c.id.Mounts, c.id.Dir.Dev, c.id.Dir.Ino, p)
	was := s.scanned(p)
	for _, k := range s.hooks {
		if k.inside && k.watch.path == p {
			w.hooks = append(w.hooks, k)
			k.others = append(k.others, w)
			was = was || k.watch.restored
		}
	}
	if len(w.hooks) == 0 {
		return // they were removed meanwhile
	}
	if since.IsZero() {
		since = s.alive
	}
	if was {
		w.appeared = since
	}
	c.watches[p] = w
	s.watches[w.key] = w
	s.look(w)
}

// follow gives watches the hooks that came later, and forgets those that no hook
// is on.
func (s *Supervisor) follow(c *container) {
	for p, w := range c.watches {
		if s.watches[w.key] != w {
			delete(c.watches, p)
			continue
		}
		more := false
		for _, k := range s.hooks {
			if k.inside && k.watch.path == p && !slices.Contains(w.hooks, k) {
				w.hooks, k.others, more = append(w.hooks, k), append(k.others, w), true
			}
		}
		if more {
			s.lookAll(w)
		}
	}
}

// move has a container's files looked at through another process.
func (s *Supervisor) move(c *container, pid int) {
	c.pid = pid
	for p, w := range c.watches {
		w.path, w.pid = inRoot(pid, p), pid
		s.look(w) // it may have been looked for in vain since the other one ended
	}
}

// depart ends that a container is supervised: it has no process any more.
func (s *Supervisor) depart(c *container) {
	for _, w := range c.watches {
		for _, k := range slices.Clone(w.hooks) {
			w.drop(k)
			k.others = slices.DeleteFunc(k.others, func(o *watch) bool { return o == w })
		}
		s.forget(w)
	}
}

// target is the path as a hook has it: in a container it is another one here.
func (s *Supervisor) target(path string) string {
	if s.watches[path] != nil || pidOf(path) == 0 {
		return path
	}
	if _, inside, ok := strings.Cut(path, "/root/"); ok {
		return "/" + inside
	}
	return path
}
