package elfbin

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
)

// Splits looks for the files that split debug information is in.
type Splits struct {
	Attempts []Attempt // every place that was looked at, at most maxSplitAttempts

	opts   DebugOptions
	arch   Arch
	beside []string
	names  []string // the program's and its debug file's
}

// maxSplitAttempts bounds the places that are kept: of ten thousand missing
// files the first say enough.
const maxSplitAttempts = 64

// NewSplits looks for the split files of a program, and of its separate debug
// file if that has the debug information (else debug is program).
// opts.Beside are the directories of the program.
func NewSplits(program, debug *File, opts DebugOptions) *Splits {
	s := &Splits{opts: opts, arch: program.Arch(), beside: opts.Beside}
	if len(s.beside) == 0 {
		s.beside = program.dirs
	}
	for _, f := range []*File{program, debug} {
		for _, name := range []string{path.Base(f.path), path.Base(f.real)} {
			if name != "." && !slices.Contains(s.names, name) {
				s.names = append(s.names, name)
			}
		}
	}
	if debug != program {
		s.beside = append(slices.Clone(s.beside), debug.dirs...)
	}
	if len(s.opts.Dirs) == 0 {
		s.opts.Dirs = []string{DefaultDebugDir}
	}
	return s
}

// Package finds the .dwp file: the program's name with that suffix, beside it
// or under the debug directories. It returns nil if there is none.
func (s *Splits) Package() *File {
	var places []string
	for _, dir := range s.beside {
		for _, name := range s.names {
			places = append(places, path.Join(dir, name+".dwp"))
		}
	}
	for _, debug := range s.opts.Dirs {
		for _, dir := range s.beside {
			places = append(places, path.Join(debug, dir, s.names[0]+".dwp"))
		}
	}
	var found *File
	_ = s.each(places, func(f *File) error {
		if !f.hasBytes(".debug_cu_index") {
			return errNotPackage
		}
		found = f
		return nil
	})
	return found
}

// Find looks for the .dwo file that a skeleton unit of directory dir names,
// and offers each to take until that returns nil: where the compiler has put
// it, beside the program, and under the debug directories. take must not keep
// the file. The error of nothing taken names the places.
func (s *Splits) Find(dir, name string, take func(*File) error) error {
	var places []string
	add := func(p string) {
		if path.IsAbs(p) && !slices.Contains(places, p) {
			places = append(places, p)
		}
	}
	if path.IsAbs(name) {
		add(path.Clean(name))
	} else {
		add(path.Join(dir, name))
	}
	for _, b := range s.beside {
		if !path.IsAbs(name) {
			if !path.IsAbs(dir) { // -ffile-prefix-map makes them so
				add(path.Join(b, dir, name))
			}
			add(path.Join(b, name))
		}
		add(path.Join(b, path.Base(name)))
	}
	for _, d := range s.opts.Dirs {
		add(path.Join(d, path.Join("/", dir, name)))
	}
	return s.each(places, func(f *File) error {
		err := take(f)
		f.Close()
		return err
	})
}

var (
	errNotPackage = errors.New("has no .debug_cu_index")
	errNoRoot     = errors.New("not searched")
)

// each opens the places until a file is taken.
func (s *Splits) each(places []string, take func(*File) error) error {
	if s.opts.Root == nil {
		return errNoRoot
	}
	var tried []string
	for _, p := range places {
		a := Attempt{Path: p, Outcome: Found}
		f, err := openIn(s.opts.Root, p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			a.Outcome = Absent
		case err != nil:
			a.Outcome, a.Detail = Unreadable, err.Error()
		case f.Arch() != s.arch:
			a.Outcome, a.Detail = WrongArch, f.Arch().String()
			f.Close()
		default:
			if err := take(f); err != nil {
				f.Close()
				a.Outcome, a.Detail = NotTheUnit, err.Error()
			}
		}
		if len(s.Attempts) < maxSplitAttempts {
			s.Attempts = append(s.Attempts, a)
		}
		if a.Outcome == Found {
			return nil
		}
		tried = append(tried, a.String())
	}
	return fmt.Errorf("%s", strings.Join(tried, "; "))
}
