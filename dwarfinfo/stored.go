package dwarfinfo

import (
	"encoding/binary"
	"io"
	"math"
	"sort"
	"sync"
	"sync/atomic"

	"github.com/surehook/surehook/internal/flat"
)

// Stored is debug information that Store wrote: the same functions and copies
// by the same indices as Load gives, read when they are asked for. It is safe
// for concurrent use.
type Stored struct {
	src   Source
	r     io.ReaderAt
	texts *flat.Texts
	dir   []storedEntry // by unit; a last one holds the totals
	units []storedOnce

	load  func() (*Data, error) // reads the source
	whole atomic.Pointer[Data]  // what it gave, once something stored was damaged
	line  func() (*sections, error)
	fail  func(error)
}

// storedEntry says where a unit is and how many functions and copies are
// before it.
type storedEntry struct {
	part        flat.Part
	funcs, copy int32
}

type storedOnce struct {
	once sync.Once
	*storedUnit
	line lineOnce
}

// OpenStored reads what Store wrote to r, at the parts it gave; src is the
// source of the data. When r turns out to be damaged later, the source is
// read in its place, after a call of fail, which may be nil.
func OpenStored(src Source, r io.ReaderAt, parts []flat.Part, fail func(error)) (*Stored, error) {
	if len(parts) != 2 || parts[0].Size%dirRow != 0 {
		return nil, flat.ErrFormat
	}
	dir, err := parts[0].Read(r)
	if err != nil {
		return nil, err
	}
	s := &Stored{src: src, r: r, texts: flat.NewTexts(parts[1].Reader(r), parts[1].Size), fail: fail}
	s.load = sync.OnceValues(func() (*Data, error) { return Load(src) })
	s.line = sync.OnceValues(func() (*sections, error) { return readLineSections(src) })
	var at storedEntry
	var funcs, copies, end uint64
	for ; len(dir) > 0; dir = dir[dirRow:] {
		at.part.Offset, at.part.Size = binary.LittleEndian.Uint64(dir), uint64(binary.LittleEndian.Uint32(dir[8:]))
		at.funcs, at.copy = int32(funcs), int32(copies)
		s.dir = append(s.dir, at)
		n, m := uint64(binary.LittleEndian.Uint32(dir[12:])), uint64(binary.LittleEndian.Uint32(dir[16:]))
		funcs, copies = funcs+n, copies+m
		// Records follow each other, and a function or copy takes nine bytes at
		// least: so the counts are in proportion to the file.
		if at.part.Offset < end || at.part.Offset > parts[0].Offset || at.part.Size > parts[0].Offset-at.part.Offset ||
			(n+m)*minRecord > at.part.Size || funcs > math.MaxInt32 || copies > math.MaxInt32 {
			return nil, flat.ErrFormat
		}
		end = at.part.Offset + at.part.Size
	}
	s.dir = append(s.dir, storedEntry{funcs: int32(funcs), copy: int32(copies)})
	s.units = make([]storedOnce, len(s.dir)-1)
	return s, nil
}

// minRecord is the size of the smallest copy's record; those of functions are
// larger.
const minRecord = 9

// NumFuncs is how many functions there are.
func (s *Stored) NumFuncs() int32 { return s.dir[len(s.dir)-1].funcs }

// NumCopies is how many inlined copies there are.
func (s *Stored) NumCopies() int32 { return s.dir[len(s.dir)-1].copy }

// Func gives function i of Data.Funcs; it must not be changed.
func (s *Stored) Func(i int32) *Func {
	if d := s.whole.Load(); d != nil {
		return d.Func(i)
	}
	n := sort.Search(len(s.dir)-1, func(n int) bool { return s.dir[n+1].funcs > i })
	if u := s.unit(n); u != nil {
		return &u.funcs[i-s.dir[n].funcs]
	}
	return s.whole.Load().Func(i)
}

// Copy gives copy i of Data.Copies; it must not be changed.
func (s *Stored) Copy(i int32) *Copy {
	if d := s.whole.Load(); d != nil {
		return d.Copy(i)
	}
	n := sort.Search(len(s.dir)-1, func(n int) bool { return s.dir[n+1].copy > i })
	if u := s.unit(n); u != nil {
		return &u.copies[i-s.dir[n].copy]
	}
	return s.whole.Load().Copy(i)
}

// Unit gives unit i of Data.Units; it must not be changed.
func (s *Stored) Unit(i int32) *Unit {
	if d := s.whole.Load(); d != nil {
		return d.Unit(i)
	}
	if u := s.unit(int(i)); u != nil {
		return &u.unit
	}
	return s.whole.Load().Unit(i)
}

// unit reads a unit, once. If it cannot be read it is nil, and whole is set.
func (s *Stored) unit(n int) *storedUnit {
	u := &s.units[n]
	u.once.Do(func() {
		var err error
		if u.storedUnit, err = s.read(n); err != nil {
			s.reload(err)
		}
	})
	return u.storedUnit
}

func (s *Stored) read(n int) (*storedUnit, error) {
	at, next := s.dir[n], s.dir[n+1]
	b, err := at.part.Read(s.r)
	if err != nil {
		return nil, err
	}
	u := &storedUnit{}
	c := flat.Decoder(b, s.texts)
	u.code(c, int32(n), at.funcs, at.copy, s.NumFuncs())
	if err := c.Err(); err != nil {
		return nil, err
	}
	if len(u.funcs) != int(next.funcs-at.funcs) || len(u.copies) != int(next.copy-at.copy) {
		return nil, flat.ErrFormat
	}
	return u, nil
}

// reload reads the source in place of what was stored.
func (s *Stored) reload(why error) {
	if s.fail != nil {
		s.fail(why)
	}
	d, err := s.load()
	if err != nil || len(d.Units) != len(s.units) || int32(len(d.Funcs)) != s.NumFuncs() || int32(len(d.Copies)) != s.NumCopies() {
		d = s.blank()
	}
	s.whole.Store(d)
}

// blank stands for a source that is another one than it was: nothing is known
// of it.
func (s *Stored) blank() *Data {
	d := &Data{Units: make([]Unit, len(s.units)), Funcs: make([]Func, s.NumFuncs()), Copies: make([]Copy, s.NumCopies())}
	for i := range d.Funcs {
		d.Funcs[i] = Func{Root: int32(i)}
	}
	for i := range d.Copies {
		d.Copies[i] = Copy{Parent: -1, Origin: -1}
	}
	return d
}

// Lines decodes the line table of a unit, once, as Data.Lines.
func (s *Stored) Lines(unit int32) (*LineTable, error) {
	if unit < 0 || int(unit) >= len(s.units) {
		return nil, errNoUnit(unit, len(s.units))
	}
	l := &s.units[unit].line
	l.once.Do(func() {
		if l.table = s.lineProgram(s.Unit(unit)); l.table != nil {
			return
		}
		secs, err := s.line()
		if err != nil {
			l.err = err
			return
		}
		l.table, l.err = (&Data{secs: secs}).readLines(s.Unit(unit))
	})
	return l.table, l.err
}

// partSource is a Source that also gives parts of a section.
type partSource interface {
	SectionReader(name string) (*io.SectionReader, bool)
}

// maxLength is the size of the longest initial length (DWARF5 §7.4).
const maxLength = 12

// lineProgram decodes a unit's line table from its own bytes: .debug_line of a
// kernel has 16 MB. It is nil if more is needed, or for saying what is wrong.
func (s *Stored) lineProgram(meta *Unit) *LineTable {
	src, ok := s.src.(partSource)
	if !ok || !meta.HasLines {
		return nil
	}
	r, ok := src.SectionReader(".debug_line")
	if !ok || meta.lineOffset >= uint64(r.Size()) {
		return nil
	}
	head := make([]byte, min(maxLength, uint64(r.Size())-meta.lineOffset))
	if _, err := r.ReadAt(head, int64(meta.lineOffset)); err != nil {
		return nil
	}
	c := cursor{data: head}
	n, _ := c.length()
	if size := uint64(c.pos) + n; c.err == nil && n < uint64(r.Size()) && size <= uint64(r.Size())-meta.lineOffset {
		secs := &sections{line: make([]byte, size)}
		if _, err := r.ReadAt(secs.line, int64(meta.lineOffset)); err != nil {
			return nil
		}
		var err error
		if secs.lineStr, err = s.src.Section(".debug_line_str"); err != nil {
			return nil
		}
		own := *meta
		own.lineOffset = 0
		if table, err := (&Data{secs: secs}).readLines(&own); err == nil {
			return table
		}
	}
	return nil
}
