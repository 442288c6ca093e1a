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

	compiler
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

// tables compiles abbreviation tables on demand. One that several units use
// is kept; the memory of one that belongs to a unit is used for the next.
type tables struct {
	data   []byte
	starts []uint64         // distinct offsets in use, ascending
	uses   map[uint64]int32 // how many units name an offset
	mu     sync.Mutex
	cache  map[tableKey]*tableEntry
	free   []*abbrevs
}

func newTables(data []byte, units []header) *tables {
	t := &tables{data: data, cache: map[tableKey]*tableEntry{}, uses: map[uint64]int32{}}
	t.expect(units)
	return t
}

// expect adds the offsets that further units use, before these are read.
func (t *tables) expect(units []header) {
	for i := range units {
		t.starts = append(t.starts, units[i].abbrev)
		t.uses[units[i].abbrev]++
	}
	t.starts = distinct(t.starts)
}

// root gives the abbreviation of a unit's own entry, nil if there is none.
func (t *tables) root(off uint64, enc encoding, code uint64) (*abbrev, error) {
	if t.uses[off] == 1 {
		if a := t.seek(off, enc, code); a != nil {
			return a, nil
		}
	}
	table, err := t.get(off, enc)
	if err != nil {
		return nil, err
	}
	defer t.release(off, table)
	return table.find(code).own(), nil
}

// seek compiles one abbreviation of a table and steps over those before it;
// nil when it is not there or the table is damaged.
func (t *tables) seek(off uint64, enc encoding, code uint64) *abbrev {
	if off >= uint64(len(t.data)) {
		return nil
	}
	c := cursor{data: t.data[:extent(t.starts, off, len(t.data))], pos: int(off)}
	for c.err == nil {
		switch c.uleb() {
		case 0:
			return nil
		case code:
			if a, err := (&compiler{}).abbrev(&c, enc); err == nil && c.err == nil {
				return &a
			}
			return nil
		}
		c.uleb() // tag
		c.u8()   // children
		for attr, form := uint64(1), uint64(1); (attr != 0 || form != 0) && c.err == nil; {
			attr, form = c.uleb(), c.uleb()
			if form == formImplicitConst {
				c.sleb()
			}
		}
	}
	return nil
}

// get gives a table, to be released after use.
func (t *tables) get(off uint64, enc encoding) (*abbrevs, error) {
	key := tableKey{off, enc}
	t.mu.Lock()
	if t.uses[off] == 1 {
		table := &abbrevs{}
		if last := len(t.free) - 1; last >= 0 {
			table, t.free = t.free[last], t.free[:last]
		}
		t.mu.Unlock()
		if err := t.parse(table, off, enc); err != nil {
			t.release(off, table)
			return nil, err
		}
		return table, nil
	}
	e := t.cache[key]
	if e == nil {
		e = &tableEntry{}
		t.cache[key] = e
	}
	t.mu.Unlock()
	e.once.Do(func() {
		e.table = &abbrevs{}
		e.err = t.parse(e.table, off, enc)
	})
	return e.table, e.err
}

// release gives a table back; it must not be used afterwards.
func (t *tables) release(off uint64, table *abbrevs) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.uses[off] == 1 {
		table.dense, table.sparse, table.ops = table.dense[:0], nil, table.ops[:0]
		t.free = append(t.free, table)
	}
}

// parse reads the table at off.
func (t *tables) parse(table *abbrevs, off uint64, enc encoding) error {
	if off >= uint64(len(t.data)) {
		return &FormatError{".debug_abbrev", off, errTruncated}
	}
	end, cut := extent(t.starts, off, len(t.data)), errTruncated
	if end < len(t.data) {
		cut = errOverlap
	}
	c := cursor{data: t.data[:end], pos: int(off)}
	for {
		at := c.pos
		if at == len(t.data) {
			return nil // the last table's end mark is sometimes left out
		}
		code := c.uleb()
		if code == 0 && c.err == nil {
			return nil
		}
		a, err := table.abbrev(&c, enc)
		if c.err != nil {
			if err = c.err; errors.Is(err, errTruncated) {
				err = cut
			}
		}
		if err != nil {
			return &FormatError{".debug_abbrev", uint64(at), err}
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

// abbrev reads and compiles what follows an abbreviation's code.
func (p *compiler) abbrev(c *cursor, enc encoding) (abbrev, error) {
	tag := narrow(c.uleb())
	children := c.u8() != 0
	specs := p.specs[:0]
	defer func() { p.specs = specs }()
	for {
		attr, form := c.uleb(), c.uleb()
		if c.err != nil {
			return abbrev{}, c.err
		}
		if attr == 0 && form == 0 {
			return p.compile(tag, children, specs, enc), nil
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
