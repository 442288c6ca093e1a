package dwarfinfo

import (
	"errors"
	"fmt"
	"sort"
)

// ErrNoLines says that a unit has no line number program.
var ErrNoLines = errors.New("unit has no line table")

// lineFactor bounds the joined file names of one table, in sizes of its
// header: an entry is 5 bytes and up, a long path 300.
const lineFactor = 256

// seq is a run of rows whose addresses (virtual) only grow, unless damaged.
type seq struct {
	first, end int // in LineTable.Rows; the last one has EndSeq
	low, high  uint64
	sorted     bool
	reach      uint64 // highest high of this and all sequences before it
}

// Lines decodes the line table of d.Units[unit], once. It is safe for
// concurrent use. A unit without one gives ErrNoLines.
func (d *Data) Lines(unit int32) (*LineTable, error) {
	if unit < 0 || int(unit) >= len(d.Units) {
		return nil, errNoUnit(unit, len(d.Units))
	}
	l := &d.secs.lines[unit]
	l.once.Do(func() { l.table, l.err = d.readLines(&d.Units[unit]) })
	return l.table, l.err
}

func errNoUnit(unit int32, of int) error {
	return fmt.Errorf("unit %d of %d does not exist", unit, of)
}

func (d *Data) readLines(meta *Unit) (*LineTable, error) {
	if !meta.HasLines {
		return nil, fmt.Errorf("unit %s at %#x: %w", meta.Name, meta.Offset, ErrNoLines)
	}
	in := d.secs
	if meta.lineAlt {
		in = in.alt
	}
	h, err := readLineHeader(lineReader(in, meta), meta.lineOffset, len(in.line))
	if err != nil {
		return nil, err
	}
	m := lineMachine{h: h, c: cursor{data: in.line[:h.end], pos: h.program}}
	if err := m.run(); err != nil {
		return nil, &FormatError{".debug_line", meta.lineOffset, err}
	}
	t := &LineTable{}
	if t.Files, err = h.paths(meta.CompDir, h.end-int(meta.lineOffset)); err != nil {
		return nil, &FormatError{".debug_line", meta.lineOffset, err}
	}
	t.order(m.rows, m.seqs)
	return t, nil
}

// paths joins all file names of the header.
func (h *lineHeader) paths(compDir string, size int) ([]string, error) {
	budget := lineFactor * size
	files := make([]string, len(h.files))
	var buf []byte
	for i := range files {
		buf = h.path(buf[:0], uint64(i), compDir)
		if budget -= len(buf); budget < 0 {
			return nil, errManyPaths
		}
		files[i] = string(buf)
	}
	return files, nil
}

// order sorts the sequences by their first address and keeps the rows inside.
func (t *LineTable) order(rows []Row, seqs []seq) {
	inOrder := sort.SliceIsSorted(seqs, func(i, j int) bool {
		return rows[seqs[i].first].Addr < rows[seqs[j].first].Addr
	})
	t.Rows, t.seqs = rows, seqs
	if !inOrder {
		sort.SliceStable(seqs, func(i, j int) bool {
			return rows[seqs[i].first].Addr < rows[seqs[j].first].Addr
		})
		t.Rows = make([]Row, 0, len(rows))
		for i := range seqs {
			s := &seqs[i]
			first := len(t.Rows)
			t.Rows = append(t.Rows, rows[s.first:s.end]...)
			s.first, s.end = first, len(t.Rows)
		}
	}
	reach := uint64(0)
	for i := range seqs {
		reach = max(reach, seqs[i].high)
		seqs[i].reach = reach
	}
}

// At gives the row that covers a virtual address: of several rows with one
// address the last, because the others cover nothing.
func (t *LineTable) At(addr uint64) (Row, bool) {
	i := t.after(addr)
	for i--; i >= 0 && t.seqs[i].reach > addr; i-- {
		s := &t.seqs[i]
		if addr < s.low || addr >= s.high {
			continue
		}
		if row, ok := s.at(t.Rows[s.first:s.end], addr); ok {
			return row, true
		}
	}
	return Row{}, false
}

// after counts the sequences that begin at or below addr. Damaged sequences
// may reach below their first address; they do not belong there.
func (t *LineTable) after(addr uint64) int {
	return sort.Search(len(t.seqs), func(i int) bool { return t.Rows[t.seqs[i].first].Addr > addr })
}

func (s *seq) at(rows []Row, addr uint64) (Row, bool) {
	if s.sorted {
		n := sort.Search(len(rows), func(i int) bool { return rows[i].Addr > addr })
		if n == 0 || n == len(rows) {
			return Row{}, false
		}
		return rows[n-1], true
	}
	for i := 0; i+1 < len(rows); i++ {
		if rows[i].Addr <= addr && addr < rows[i+1].Addr {
			return rows[i], true
		}
	}
	return Row{}, false
}

// Between gives the rows whose virtual address lies in [low, high), without
// the marks that end sequences. The row that covers low may begin before it:
// see At. The result may share memory with t.Rows: do not change it.
func (t *LineTable) Between(low, high uint64) []Row {
	var out []Row
	start := sort.Search(len(t.seqs), func(i int) bool { return t.seqs[i].reach > low })
	for i := start; i < t.after(high); i++ {
		s := &t.seqs[i]
		if s.high <= low || s.low >= high {
			continue
		}
		rows := s.between(t.Rows[s.first:s.end-1], low, high)
		if out == nil {
			out = rows[:len(rows):len(rows)] // an append copies
		} else {
			out = append(out, rows...)
		}
	}
	return out
}

func (s *seq) between(rows []Row, low, high uint64) []Row {
	if s.sorted {
		from := sort.Search(len(rows), func(i int) bool { return rows[i].Addr >= low })
		to := sort.Search(len(rows), func(i int) bool { return rows[i].Addr >= high })
		return rows[from:max(from, to)]
	}
	var out []Row
	for _, r := range rows {
		if low <= r.Addr && r.Addr < high {
			out = append(out, r)
		}
	}
	return out
}
