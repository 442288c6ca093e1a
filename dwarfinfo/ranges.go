package dwarfinfo

import (
	"errors"
	"fmt"

	"github.com/surehook/surehook/elfbin"
)

// listFactor bounds the range lists that are read, in sizes of their section.
// A list has one user; without a bound many entries could share a long one.
const listFactor = 8

var (
	errLists   = errors.New("range lists are shared by too many entries")
	errListOp  = errors.New("range list entry kind is not known")
	errNoStart = errors.New("range list offset is outside its section")
)

// The kinds of entries of a DWARF 5 range list (§7.25).
const (
	rleEndOfList = iota
	rleBaseAddressx
	rleStartxEndx
	rleStartxLength
	rleOffsetPair
	rleBaseAddress
	rleStartEnd
	rleStartLength
)

// rangeReader turns spans into ranges. It runs on one goroutine, which makes
// its budget, and so its answer, independent of the machine.
type rangeReader struct {
	arena  []elfbin.Range
	buf    []elfbin.Range
	budget [2]int // bytes of .debug_ranges and .debug_rnglists left to read
}

func newRangeReader(files []*sections) *rangeReader {
	const always = 4096 // small sections are no threat
	r := &rangeReader{budget: [2]int{always, always}}
	for _, s := range files {
		if !s.split {
			r.budget[0] += listFactor * len(s.ranges)
		}
		if s.within == nil {
			r.budget[1] += listFactor * len(s.rnglists)
		}
	}
	return r
}

// resolve gives the non-empty ranges of a span and its entry address.
func (r *rangeReader) resolve(u *unit, s *span, off uint64) (ranges []elfbin.Range, entry uint64, ok bool) {
	r.buf = r.buf[:0]
	base, hasBase := s.low, s.has&hasLow != 0
	switch {
	case s.has&hasList != 0:
		first, any, err := r.list(u, s.list)
		if err != nil {
			u.gapSet.add(GapBadUnit, off, fmt.Sprintf("ranges: %v", err))
		}
		if any {
			base, hasBase = first, true
		}
	case s.has&(hasLow|hasHigh) == hasLow|hasHigh:
		high := s.high
		if s.has&highRelative != 0 {
			high += s.low
		}
		r.add(s.low, high)
	}
	switch {
	case s.has&hasEntry == 0:
	case s.has&entryRelative == 0:
		entry, ok = s.entry, true
	case hasBase:
		entry, ok = base+s.entry, true
	}
	return r.keep(), entry, ok
}

func (r *rangeReader) add(low, high uint64) {
	if low < high {
		r.buf = append(r.buf, elfbin.Range{Low: low, High: high})
	}
}

// keep moves the collected ranges into the arena.
func (r *rangeReader) keep() []elfbin.Range {
	n := len(r.buf)
	if n == 0 {
		return nil
	}
	if cap(r.arena)-len(r.arena) < n {
		const chunk = 8192
		r.arena = make([]elfbin.Range, 0, max(chunk, n))
	}
	at := len(r.arena)
	r.arena = append(r.arena, r.buf...)
	return r.arena[at : at+n : at+n]
}

// list reads the list at off. first is the start of its first entry, empty
// ones included: the base of a relative entry address (DWARF5 §2.17.1).
func (r *rangeReader) list(u *unit, off uint64) (first uint64, any bool, err error) {
	which, data := 0, u.secs.ranges
	if u.version >= 5 {
		which, data = 1, u.secs.rnglists
	}
	if off >= uint64(len(data)) {
		return 0, false, errNoStart
	}
	c := cursor{data: data, pos: int(off)}
	l := listReader{r: r, u: u, c: &c, base: u.lowPC}
	for done := false; !done && c.err == nil; {
		if r.budget[which] <= 0 {
			return l.first, l.any, errLists
		}
		at := c.pos
		if which == 0 {
			done = l.pair()
		} else {
			done = l.entry()
		}
		if c.err == nil {
			r.budget[which] -= c.pos - at
		}
	}
	return l.first, l.any, c.err
}

// listReader reads one list.
type listReader struct {
	r     *rangeReader
	u     *unit
	c     *cursor
	base  uint64
	first uint64
	any   bool
}

func (l *listReader) add(low, high uint64) {
	if l.c.err != nil {
		return
	}
	if !l.any {
		l.first, l.any = low, true
	}
	l.r.add(low, high)
}

// pair reads an entry of .debug_ranges (DWARF4 §2.17.3).
func (l *listReader) pair() (done bool) {
	size := l.u.enc.addrSize
	low, high := l.c.uint(size), l.c.uint(size)
	highest := ^uint64(0) >> (64 - 8*uint(size))
	switch {
	case low == 0 && high == 0:
		return true
	case low == highest:
		l.base = high
	default:
		l.add((l.base+low)&highest, (l.base+high)&highest)
	}
	return false
}

// entry reads an entry of .debug_rnglists (DWARF5 §2.17.3).
func (l *listReader) entry() (done bool) {
	c, size := l.c, l.u.enc.addrSize
	switch kind := c.u8(); kind {
	case rleEndOfList:
		return true
	case rleBaseAddressx:
		l.base = l.indexed()
	case rleStartxEndx:
		low := l.indexed()
		l.add(low, l.indexed())
	case rleStartxLength:
		low := l.indexed()
		l.add(low, low+c.uleb())
	case rleOffsetPair:
		low := l.base + c.uleb()
		l.add(low, l.base+c.uleb())
	case rleBaseAddress:
		l.base = c.uint(size)
	case rleStartEnd:
		low := c.uint(size)
		l.add(low, c.uint(size))
	case rleStartLength:
		low := c.uint(size)
		l.add(low, low+c.uleb())
	default:
		c.fail(fmt.Errorf("%w: %d", errListOp, kind))
	}
	return false
}

func (l *listReader) indexed() uint64 {
	a, err := entry(l.u.secs.addr, l.u.addrBase, l.c.uleb(), l.u.enc.addrSize)
	if err != nil {
		l.c.fail(err)
	}
	return a
}
