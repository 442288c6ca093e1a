//go:build linux

// Package way finds a file by its path, step by step, and remembers each
// directory and symbolic link that it came by: what must be watched to know
// when the path leads elsewhere.
package way

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// Step is one look into a directory.
type Step struct {
	Dir  unix.FileID
	Path string // of the directory, as this process sees it; for messages and comparison
	Name string // that was looked up there
	Last bool   // the file itself is expected there, or a link to it
	Link string // what the name is a link to; empty for others

	// Found is what the name leads to; zero where it leads nowhere.
	Found   unix.FileID
	Changed time.Time // ctime of what was found
}

// Way is where a path led.
type Way struct {
	Steps   []Step
	File    *os.File // to look at (O_PATH); nil: there is none
	Info    unix.FileInfo
	Missing error // why File is nil
}

// maxLinks bounds symbolic links on a path, as the kernel does (MAXSYMLINKS).
const maxLinks = 40

// Walk follows an absolute path. visit is called with each directory before a
// name is looked up in it, so that nothing that happens afterwards is missed;
// its error ends the walk.
func Walk(path string, visit func(dir *os.File, s Step) error) (*Way, error) {
	if !strings.HasPrefix(path, "/") {
		return nil, fmt.Errorf("%s: not an absolute path", path)
	}
	root, err := unix.OpenRoot()
	if err != nil {
		return nil, err
	}
	w := &walker{way: &Way{}, root: root, visit: visit, left: parts(path), path: path}
	defer w.close()
	w.dir = root
	for w.way.File == nil && w.way.Missing == nil {
		if err := w.step(); err != nil {
			return nil, err
		}
	}
	return w.way, nil
}

func parts(path string) []string {
	var list []string
	for p := range strings.SplitSeq(path, "/") {
		if p != "" && p != "." {
			list = append(list, p)
		}
	}
	return list
}

type walker struct {
	way       *Way
	root, dir *os.File
	opened    []*os.File
	left      []string
	links     int
	path      string
	visit     func(*os.File, Step) error
}

func (w *walker) close() {
	for _, f := range w.opened {
		f.Close()
	}
	w.root.Close()
}

func (w *walker) miss(err error) {
	w.way.Missing = fmt.Errorf("%s: %w", w.path, err)
}

// step looks up the next name.
func (w *walker) step() error {
	if len(w.left) == 0 {
		w.miss(errors.New("is a directory"))
		return nil
	}
	name := w.left[0]
	w.left = w.left[1:]
	info, err := unix.Stat(w.dir)
	if err != nil {
		return err
	}
	s := Step{Dir: info.FileID, Name: name, Last: len(w.left) == 0}
	s.Path, _ = os.Readlink(unix.FDPath(w.dir))
	if err := w.visit(w.dir, s); err != nil {
		return err
	}
	w.way.Steps = append(w.way.Steps, s)
	if name == ".." {
		if same(w.dir, w.root) {
			return nil
		}
	}
	f, err := unix.Lookup(w.dir, name, false)
	if err != nil {
		w.miss(errors.Unwrap(err))
		return nil
	}
	return w.found(f, &w.way.Steps[len(w.way.Steps)-1])
}

// found goes on from what a name was found to be.
func (w *walker) found(f *os.File, s *Step) error {
	info, err := unix.Stat(f)
	if err != nil {
		f.Close()
		return err
	}
	s.Found, s.Changed = info.FileID, info.Changed
	switch {
	case info.Dir():
		w.opened = append(w.opened, f)
		w.dir = f
	case info.Link():
		w.opened = append(w.opened, f)
		return w.follow(f, s)
	case len(w.left) > 0:
		f.Close()
		w.miss(errors.New("not a directory"))
	case !info.Regular():
		f.Close()
		w.miss(errors.New("not a regular file"))
	default:
		w.way.File, w.way.Info = f, info
	}
	return nil
}

func (w *walker) follow(link *os.File, s *Step) error {
	if w.links++; w.links > maxLinks {
		w.miss(errors.New("too many symbolic links"))
		return nil
	}
	if kind, err := unix.FileSystem(link); err == nil && kind == unix.ProcFS && magic(s) {
		return w.enter(s)
	}
	text, err := unix.LinkText(link)
	if err != nil {
		return err
	}
	s.Link = text
	if strings.HasPrefix(text, "/") {
		w.dir = w.root
	}
	w.left = append(parts(text), w.left...)
	return nil
}

// magic tells whether a link in /proc leads where its text does not say:
// /proc/PID/root, cwd, exe, and fd/N.
func magic(s *Step) bool {
	return s.Name == "root" || s.Name == "cwd" || s.Name == "exe" || strings.HasSuffix(s.Path, "/fd") || strings.HasSuffix(s.Path, "/map_files")
}

// enter follows a magic link. Behind one to a directory is a root of its own,
// where absolute links begin.
func (w *walker) enter(s *Step) error {
	f, err := unix.Lookup(w.dir, s.Name, true)
	if err != nil {
		w.miss(errors.Unwrap(err))
		return nil
	}
	info, err := unix.Stat(f)
	if err != nil {
		f.Close()
		return err
	}
	if info.Dir() && s.Name == "root" {
		old := w.root
		if w.root, err = unix.Lookup(f, ".", false); err != nil {
			w.root = old
			f.Close()
			return err
		}
		w.opened = append(w.opened, old)
	}
	return w.found(f, s)
}

func same(a, b *os.File) bool {
	x, err := unix.Stat(a)
	if err != nil {
		return false
	}
	y, err := unix.Stat(b)
	return err == nil && x.FileID == y.FileID && x.Mount == y.Mount
}

// Since compares two ways of one path and gives when the newer one began to
// lead where it does: the last change of a name whose meaning is another one.
// ok is false if nothing differs.
func Since(old, now *Way) (at time.Time, ok bool) {
	type place struct {
		dir  unix.FileID
		name string
	}
	before := map[place]Step{}
	if old != nil {
		for _, s := range old.Steps {
			before[place{s.Dir, s.Name}] = s
		}
	}
	for _, s := range now.Steps {
		b, known := before[place{s.Dir, s.Name}]
		if known && b.Found == s.Found && b.Link == s.Link {
			continue
		}
		ok = true
		if s.Changed.After(at) {
			at = s.Changed
		}
	}
	return at, ok
}
