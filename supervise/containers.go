//go:build linux && (amd64 || arm64)

package supervise

import (
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/supervise/internal/roots"
)

// containers are the roots of other processes, in which hooks are supervised.
type containers struct {
	looking sync.Mutex // before turn; it is for all but changes
	scanner roots.Scanner
	known   map[roots.ID]*container
	at      time.Time            // of the last look; zero: nobody has looked since hooks came
	wanted  map[string][]*hooked // by path
	seen    int                  // of changes, when wanted was made
	changes int                  // of the hooks; the turn is for it
	full    bool                 // that there are too many was told
	denied  bool                 // that processes cannot be looked at was told
}

// maxContainers bounds them: whoever may make mount namespaces can make many.
const maxContainers = 4096

// container is one of them.
type container struct {
	id      roots.ID
	pid     int // a process in it
	rounds  int
	turn    int               // of seldom looks it is asked in this one
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
	if err := s.lookInside(); err != nil {
		return 0, errors.Join(err, s.Remove(id))
	}
	return id, nil
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
	in := &s.inside
	in.looking.Lock()
	defer in.looking.Unlock()
	fresh := s.want()
	if len(in.wanted) == 0 { // nothing is watched in those that are known
		in.known, in.at = nil, time.Time{}
		return nil
	}
	now := time.Now()
	list, err := in.scanner.Scan()
	if err != nil {
		return err
	}
	if n := in.scanner.Denied; n > 0 {
		s.unseen(&in.denied, fmt.Errorf("the roots of %d processes cannot be looked at, and what runs in them is not counted: it takes CAP_SYS_PTRACE", n))
	}
	if in.known == nil {
		in.known = map[roots.ID]*container{}
	}
	finder, err := roots.Here()
	if err != nil {
		return err
	}
	defer finder.Close()
	here := &ours{finder, map[string]roots.Place{}}
	there := map[roots.ID]bool{}
	for _, r := range list {
		there[r.ID] = true
		s.visit(r, here, fresh, now)
	}
	for id, c := range in.known {
		if !there[id] {
			s.turn.Lock()
			s.depart(c)
			s.turn.Unlock()
			delete(in.known, id)
		}
	}
	for _, hooks := range in.wanted {
		for _, k := range hooks {
			k.scanned = true
		}
	}
	in.at = now
	return nil
}

// want notes which paths are looked for in containers, and tells whether hooks
// have changed since it did.
func (s *Supervisor) want() (fresh bool) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.inside.seen == s.inside.changes {
		return false
	}
	s.inside.seen, s.inside.wanted = s.inside.changes, map[string][]*hooked{}
	for _, k := range s.hooks {
		if k.inside {
			s.inside.wanted[k.watch.path] = append(s.inside.wanted[k.watch.path], k)
		}
	}
	return true
}

// seldom is how many looks pass until a file is looked for again in a container
// that is not new.
const seldom = 10

// visit looks for files in one container.
func (s *Supervisor) visit(r roots.Root, here *ours, fresh bool, now time.Time) {
	c := s.inside.known[r.ID]
	since := s.inside.at // it was not there yet
	if c == nil && len(s.inside.known) >= maxContainers {
		s.unseen(&s.inside.full, fmt.Errorf("processes have more than %d roots; the others are not looked at", maxContainers))
		return
	}
	if c == nil {
		c = &container{id: r.ID, pid: r.PIDs[0], turn: r.PIDs[0] % seldom, watches: map[string]*watch{}}
		s.inside.known[r.ID] = c
	} else {
		since = c.asked
	}
	if gone := !slices.Contains(r.PIDs, c.pid); gone || fresh {
		s.turn.Lock()
		if gone {
			s.move(c, r.PIDs[0])
		}
		if fresh {
			s.follow(c)
		}
		s.turn.Unlock()
	}
	c.rounds++
	if c.rounds > seldom && c.rounds%seldom != c.turn && !fresh {
		return
	}
	c.asked = now
	there, err := roots.In(c.pid)
	if err != nil {
		return // it has ended
	}
	defer there.Close()
	for p, hooks := range s.inside.wanted {
		place, ok := there.Find(p)
		if w := c.watches[p]; w != nil {
			s.remounted(w, place, ok, since)
			continue
		}
		// What is here by the same directory is watched here.
		if ours, same := here.find(p); !ok || same && ours == place {
			continue
		}
		s.turn.Lock()
		s.settle(c, p, hooks, since)
		s.turn.Unlock()
	}
}

// remounted looks at a path of a container again if it leads elsewhere than where it
// led when it was looked at last: of what is mounted over it nobody tells.
func (s *Supervisor) remounted(w *watch, place roots.Place, ok bool, since time.Time) {
	s.turn.Lock()
	defer s.turn.Unlock()
	if w.way == nil || ok && w.way.Info.FileID == place.File || !ok && w.current == nil {
		return
	}
	w.mounted = since
	s.look(w)
	w.mounted = time.Time{}
}

// ours is where paths lead here, each asked once.
type ours struct {
	finder *roots.Finder
	known  map[string]roots.Place
}

func (o *ours) find(path string) (p roots.Place, ok bool) {
	if p, ok = o.known[path]; ok {
		return p, true
	}
	if p, ok = o.finder.Find(path); ok {
		o.known[path] = p
	}
	return p, ok
}

// inRoot is a path in the root of a process.
func inRoot(pid int, path string) string {
	return filepath.Join("/proc", fmt.Sprint(pid), "root", path)
}

// unseen tells once that there are containers which are not looked at.
func (s *Supervisor) unseen(told *bool, err error) {
	if *told {
		return
	}
	*told = true
	s.turn.Lock()
	defer s.turn.Unlock()
	for p := range s.inside.wanted {
		s.finding(Unwatched, "/proc/*/root"+p, nil, err)
	}
}

// settle watches a path in a container for hooks. It was not there, as far as is
// known, at since.
func (s *Supervisor) settle(c *container, p string, hooks []*hooked, since time.Time) {
	w := newWatch(inRoot(c.pid, p))
	w.key = fmt.Sprintf("%d:%d:%d:%s", c.id.Mounts, c.id.Dir.Dev, c.id.Dir.Ino, p)
	was := false
	for _, k := range hooks {
		if s.hooks[k.id] == k { // it may have been removed meanwhile
			w.hooks = append(w.hooks, k)
			k.others = append(k.others, w)
			was = was || k.scanned || k.watch.restored
		}
	}
	if len(w.hooks) == 0 {
		return
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

// follow gives a container's watches the hooks that came later, and forgets those
// that no hook is on.
func (s *Supervisor) follow(c *container) {
	for p, w := range c.watches {
		if s.watches[w.key] != w {
			delete(c.watches, p)
			continue
		}
		more := false
		for _, k := range s.inside.wanted[p] {
			if s.hooks[k.id] == k && !slices.Contains(w.hooks, k) {
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
		for _, b := range s.builds { // which live longer, but not by the last
			if len(b.owners) > 1 {
				delete(b.owners, w)
			}
		}
	}
}

// target is the path as a hook has it: in a container it is another one here.
func (s *Supervisor) target(path string) string {
	if s.watches[path] != nil || pidOf(path) == 0 && !strings.HasPrefix(path, "/proc/*/") {
		return path
	}
	if _, inside, ok := strings.Cut(path, "/root/"); ok {
		return "/" + inside
	}
	return path
}
