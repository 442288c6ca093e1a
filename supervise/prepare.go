//go:build linux && (amd64 || arm64)

package supervise

import (
	"path"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// preparedFor is how long a file stays probed that may come to be a library:
// package managers write all files of a package before they rename them.
const preparedFor = time.Minute

// prepare probes files that are about to take a library's place. They are
// written beside it under names that begin like its own (libx.so.1.dpkg-new,
// .libx.so.1.Xa3kLm, libx.so.1;5f3e8a12, or libx.so.1.3 for a link libx.so.1):
// when they are renamed, or the link is, nothing is left to be done.
func (s *Supervisor) prepare(list []unix.Change) {
	for _, c := range list {
		d := s.dirs[c.Watch]
		if d == nil || !c.Written || c.Name == "" {
			continue
		}
		place := path.Join(d.path, c.Name)
		for w := range d.uses {
			if len(w.hooks) > 0 && !w.places[place] && beside(c.Name, w.path) {
				s.prepareFor(w, place)
			}
		}
	}
}

// beside tells whether a file of that name may come to be the library.
func beside(name, library string) bool {
	return strings.HasPrefix(strings.TrimPrefix(name, "."), stem(library))
}

// stem is the part of a library's name that does not change with its version.
func stem(name string) string {
	base := path.Base(name)
	if before, _, ok := strings.Cut(base, ".so"); ok {
		return before + ".so"
	}
	return base
}

func (s *Supervisor) prepareFor(w *watch, place string) {
	f, err := unix.LookupPath(place)
	if err != nil {
		return // renamed already
	}
	defer f.Close()
	info, err := unix.Stat(f)
	if err != nil || !info.Regular() {
		return
	}
	b, err := s.obtain(w, f)
	if err != nil {
		s.log.Debug("preparing", "file", place, "err", err)
		return
	}
	b.prepared = time.Now()
}
