package dwarfinfo

import (
	"errors"
	"fmt"
	"sync"
)

// maxAttrs bounds the attributes of one abbreviation. Compilers use up to 40;
// forms without bytes (flag_present) would else make a one-byte entry cost
// as much as the whole table.
const maxAttrs = 256

// maxOverlap is how many other tables may begin inside a table. Compilers
// make none; damaged unit headers a few. Without a bound every unit could
// have its own table of the section's size.
const maxOverlap = 16

var (
	errOverlap  = errors.New("abbreviation table runs through too many others")
	errManyAttr = errors.New("abbreviation has more than 256 attributes")
)

// encoding is what the size of a form depends on (DWARF5 §7.5.5).
type encoding struct {
	is64     bool
	addrSize uint8
	v2       bool // DW_FORM_ref_addr is as large as an address (DWARF2 §7.5.4)
}

func (e encoding) offsetSize() uint8 {
	if e.is64 {
		return 8
	}
	return 4
}

// abbrev is one compiled abbreviation.
type abbrev struct {
	act      action
	children bool
	fixed    int32 // size of all attributes, -1 when it varies
	skip     []op  // steps over all attributes
	read     []op  // the same, stopping at what the action wants
	toSib    []op  // up to DW_AT_sibling
	sibForm  uint16
}

// abbrevs is one table. Codes are 1..n in practice; others go in the map.
type abbrevs struct {
	dense  []abbrev
	sparse map[uint64]*abbrev
}

func (t *abbrevs) find(code uint64) *abbrev {
	if code-1 < uint64(len(t.dense)) {
		return &t.dense[code-1]
	}
	return t.sparse[code]
}

// tableKey identifies a compiled table: the same bytes compile differently
// for units of other sizes.
type tableKey struct {
	off uint64
	enc encoding
}

type tableEntry struct {
	once  sync.Once
	table *abbrevs
	err   error
}

// tables compiles abbreviation tables on demand, once each.
type tables struct {
	data   []byte
	starts []uint64 // distinct offsets in use, ascending
	mu     sync.Mutex
	cache  map[tableKey]*tableEntry
}

func newTables(data []byte, units []header) *tables {
	t := &tables{data: data, cache: map[tableKey]*tableEntry{}}
	t.expect(units)
	return t
}

// expect adds the offsets that further units use, before these are read.
func (t *tables) expect(units []header) {
	for i := range units {
		t.starts = append(t.starts, units[i].abbrev)
	}
	t.starts = distinct(t.starts)
}

func (t *tables) get(off uint64, enc encoding) (*abbrevs, error) {
	key := tableKey{off, enc}
	t.mu.Lock()
	e := t.cache[key]
	if e == nil {
		e = &tableEntry{}
		t.cache[key] = e
	}
	t.mu.Unlock()
	e.once.Do(func() { e.table, e.err = t.parse(off, enc) })
	return e.table, e.err
}

func (t *tables) parse(off uint64, enc encoding) (*abbrevs, error) {
	if off >= uint64(len(t.data)) {
		return nil, &FormatError{".debug_abbrev", off, errTruncated}
	}
	end, cut := extent(t.starts, off, len(t.data)), errTruncated
	if end < len(t.data) {
		cut = errOverlap
	}
	c := cursor{data: t.data[:end], pos: int(off)}
	table := &abbrevs{}
	for {
		at := c.pos
		if at == len(t.data) {
			return table, nil // the last table's end mark is sometimes left out
		}
		code := c.uleb()
		if code == 0 && c.err == nil {
			return table, nil
		}
		a, err := parseAbbrev(&c, enc)
		if c.err != nil {
			if err = c.err; errors.Is(err, errTruncated) {
				err = cut
			}
		}
		if err != nil {
			return nil, &FormatError{".debug_abbrev", uint64(at), err}
		}
		table.add(code, a)
	}
}

// add keeps the first of two abbreviations with one code, as other readers do.
func (t *abbrevs) add(code uint64, a abbrev) {
	if code == uint64(len(t.dense))+1 && t.sparse[code] == nil {
		t.dense = append(t.dense, a)
		return
	}
	if t.find(code) != nil {
		return
	}
	if t.sparse == nil {
		t.sparse = map[uint64]*abbrev{}
	}
	t.sparse[code] = &a
}

// spec is one attribute of an abbreviation as written.
type spec struct {
	attr, form uint16
	implicit   int64
}

func parseAbbrev(c *cursor, enc encoding) (abbrev, error) {
	tag := narrow(c.uleb())
	children := c.u8() != 0
	var buf [48]spec
	specs := buf[:0]
	for {
		attr, form := c.uleb(), c.uleb()
		if c.err != nil {
			return abbrev{}, c.err
		}
		if attr == 0 && form == 0 {
			return compile(tag, children, specs, enc), nil
		}
		if len(specs) == maxAttrs {
			return abbrev{}, fmt.Errorf("tag %#x: %w", tag, errManyAttr)
		}
		s := spec{attr: narrow(attr), form: narrow(form)}
		if s.form == formImplicitConst {
			s.implicit = c.sleb()
		}
		specs = append(specs, s)
	}
}

// narrow keeps a number that fits and makes all others one that nothing uses.
func narrow(v uint64) uint16 {
	if v > 0xffff {
		return 0xffff
	}
	return uint16(v)
}
