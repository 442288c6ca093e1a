package dwarfinfo

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"sync/atomic"
)

const (
	// maxHeader is the size of the largest unit header (DWARF5 §7.5.1.4).
	maxHeader = 40
	// headerStep is read at once: small units share it.
	headerStep = 4096
	// rootBytes of a unit mostly hold its own entry.
	rootBytes = 1024
)

// errPart: what could be opened cannot be read any more.
var errPart = errors.New("the file has shrunk or cannot be read any more; try again when nobody writes it")

// infoReader reads .debug_info unit by unit: it is most of a file, and only
// the largest unit need be in memory.
type infoReader struct {
	r      *io.SectionReader
	failed atomic.Pointer[FormatError] // at the lowest offset
}

// whole is a Source without parts.
type whole struct{ Source }

// err tells why what was read of .debug_info is not all.
func (s *sections) err() error {
	if s.part != nil {
		if e := s.part.failed.Load(); e != nil {
			return e
		}
	}
	return nil
}

// infoSize is the size of .debug_info.
func (s *sections) infoSize() int {
	if s.part != nil {
		return int(s.part.r.Size())
	}
	return len(s.info)
}

// infoBytes gives a part of .debug_info, in buf if it must be read.
func (s *sections) infoBytes(buf *[]byte, from, to int) ([]byte, error) {
	if s.part == nil {
		return s.info[from:to], nil
	}
	if cap(*buf) < to-from {
		*buf = make([]byte, to-from)
	}
	b := (*buf)[:to-from]
	if n, err := s.part.r.ReadAt(b, int64(from)); n < len(b) {
		e := &FormatError{".debug_info", uint64(from), fmt.Errorf("%w: %w", errPart, err)}
		for old := s.part.failed.Load(); old == nil || e.Offset < old.Offset; old = s.part.failed.Load() {
			if s.part.failed.CompareAndSwap(old, e) {
				break
			}
		}
		return nil, e
	}
	return b, nil
}

// headerWindow is the part of .debug_info in which headers are read.
type headerWindow struct {
	buf, data []byte
	base      int
}

// at gives a cursor at a position. Behind it is a header, or the section's end.
func (w *headerWindow) at(s *sections, pos int) (cursor, error) {
	size := s.infoSize()
	if want := min(pos+maxHeader, size); pos < w.base || want > w.base+len(w.data) {
		data, err := s.infoBytes(&w.buf, pos, min(pos+headerStep, size))
		if err != nil {
			return cursor{}, err
		}
		w.data, w.base = data, pos
	}
	return cursor{data: w.data, base: w.base, pos: pos - w.base}, nil
}

// read makes the unit's bytes, from its header to the position end, available
// until forget; in buf if they must be read.
func (u *unit) read(buf *[]byte, end int) (err error) {
	u.bytes, err = u.secs.infoBytes(buf, int(u.off), end)
	return err
}

func (u *unit) forget() { u.bytes = nil }

// inline gives a string that is in .debug_info itself.
func (u *unit) inline(off uint64) (string, error) {
	s, _, err := stringAt(u.bytes, off-u.off)
	if u.secs.part != nil {
		s = strings.Clone(s) // the next unit's bytes come into the same memory
	}
	return s, err
}
