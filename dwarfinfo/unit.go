package dwarfinfo

import (
	"errors"
	"fmt"
	"slices"
)

const (
	// noRef is the origin of what has none.
	noRef = ^uint64(0)
	// lostRef is an origin that is written down but not readable; the gap
	// is noted.
	lostRef = ^uint64(0) - 1
)

// unit is what reading one unit gives, before units are put together.
type unit struct {
	header
	index  int32
	opened bool // see open
	secs   *sections
	bytes  []byte    // while the unit is read, see read
	lines  *sections // where its line table is
	meta   Unit

	strBase, addrBase, listBase, rangeBase, lowPC uint64

	dwoName    string // of a skeleton: where its contents are
	noTypes    bool   // types of this language hold no functions
	pathBudget int    // bytes of joined file names it may still make

	body   int // position after the unit's own entry, 0 if there is nothing to walk
	gapSet gapSet

	results
	labels   []uint64
	firstRef int32 // index in Data.Funcs of funcs[0]
	firstCpy int32
	firstCal int32
	endCal   int32
}

// results are what walking a unit gives, in the order of the entries.
type results struct {
	funcs   []Func
	funcSrc []funcSource
	copies  []Copy
	copySrc []copySource
	calls   []Call
	callSrc []uint64 // callee's place, noRef or lostRef
	scopes  []scope
}

// emptied gives the slices for the next unit: a worker grows them once.
func (r results) emptied() results {
	return results{r.funcs[:0], r.funcSrc[:0], r.copies[:0], r.copySrc[:0], r.calls[:0], r.callSrc[:0], r.scopes[:0]}
}

// exact gives a copy that wastes nothing.
func (r results) exact() results {
	return results{slices.Clone(r.funcs), slices.Clone(r.funcSrc), slices.Clone(r.copies), slices.Clone(r.copySrc),
		slices.Clone(r.calls), slices.Clone(r.callSrc), slices.Clone(r.scopes)}
}

// funcSource is what a Func needs from elsewhere.
type funcSource struct {
	span   span
	origin uint64
	scope  int32
}

type copySource struct {
	span   span
	origin uint64
}

// scope is a namespace or type that encloses functions.
type scope struct {
	off    uint64
	parent int32
	spec   uint64 // place of the declaration whose place in the scopes counts, or noRef
	name   string
	sig    uint64 // signature of the type unit that describes it
	hasSig bool

	text string // with all that encloses it, once known
	done bool
}

// span is where code lies, as written.
type span struct {
	low, high, list, entry uint64
	has                    spanFlags
}

type spanFlags uint8

const (
	hasLow spanFlags = 1 << iota
	hasHigh
	hasList
	hasEntry
	highRelative  // high counts from low
	entryRelative // entry counts from the base address (DWARF5 §2.18)
)

// errNoTable stands for a unit whose abbreviation table is damaged.
var errNoTable = errors.New("abbreviation table cannot be read")

// open reads the unit's own entry.
func (u *unit) open() {
	u.opened = true
	u.meta = Unit{File: u.secs.path, Offset: u.off, Version: u.version, addrSize: u.enc.addrSize}
	u.gapSet.unit, u.gapSet.file = u.index, u.secs.path
	if u.gap != nil {
		u.gapSet.add(u.gap.Kind, u.gap.Offset, u.gap.Detail)
		return
	}
	u.pathBudget = pathsPerByte * (u.end - int(u.off))
	defer u.forget()
	var buf []byte
	c, a := u.own(&buf, min(u.end, int(u.off)+rootBytes))
	if c.err != nil {
		c, a = u.own(&buf, u.end)
	}
	if c.err == nil && a == nil {
		return
	}
	if c.err != nil {
		u.damage(uint64(u.first), c.err)
		return
	}
	if u.kind == unitSplitCompile && !u.secs.split {
		u.gapSet.add(GapSplit, u.off, "unit belongs into a .dwo file")
		return
	}
	if a.children {
		u.body = c.base + c.pos
	}
}

// own decodes the unit's own entry from its bytes up to end. Without an
// abbreviation and an error in the cursor there is nothing, or a gap says why.
func (u *unit) own(buf *[]byte, end int) (cursor, *abbrev) {
	if err := u.read(buf, end); err != nil {
		u.damage(u.off, err)
		return cursor{}, nil
	}
	c := cursor{data: u.bytes, base: int(u.off), pos: u.first - int(u.off)}
	code := c.uleb()
	if c.err != nil || code == 0 { // an empty unit
		return c, nil
	}
	a, err := u.secs.tabs.root(u.abbrev, u.enc, code)
	if err != nil {
		u.noTable(err)
		return cursor{}, nil
	}
	if a == nil {
		c.fail(errCode)
		return c, nil
	}
	u.root(&c, a)
	return c, a
}

func (u *unit) noTable(err error) {
	u.gapSet.add(GapBadUnit, u.off, fmt.Sprintf("%v: %v", errNoTable, err))
}

// damage records why the rest of the unit is not read.
func (u *unit) damage(off uint64, err error) {
	kind := GapBadUnit
	var form formError
	if errors.As(err, &form) {
		kind = GapForm
	}
	u.gapSet.add(kind, off, err.Error()+"; the rest of the unit is not read")
}

// root decodes the unit's own entry: the bases first, because strings that
// precede them need them.
func (u *unit) root(c *cursor, a *abbrev) {
	var vals [maxAttrs]value
	for i := range a.read {
		o := &a.read[i]
		if o.kind != opAttr {
			c.step(o, u)
			continue
		}
		vals[i] = u.value(c, o.form, o.n)
	}
	if c.err != nil {
		return
	}
	u.bases(a, &vals)
	for i := range a.read {
		if o := &a.read[i]; o.kind == opAttr {
			u.rootAttr(o.attr, vals[i])
		}
	}
}

// bases sets where the unit's indexes count from. Without the attribute that
// is just after the section's first header (DWARF5 §7.26 to §7.28).
func (u *unit) bases(a *abbrev, vals *[maxAttrs]value) {
	if u.version >= 5 {
		u.strBase, u.addrBase, u.listBase = 8, 8, 12
		if u.enc.is64 {
			u.strBase, u.addrBase, u.listBase = 16, 16, 20
		}
	}
	for i := range a.read {
		pos, ok := vals[i].position()
		if a.read[i].kind != opAttr || !ok {
			continue
		}
		switch a.read[i].attr {
		case attrStrOffsetsBase:
			u.strBase = pos
		case attrAddrBase, attrGNUAddrBase:
			u.addrBase = pos
		case attrRnglistsBase:
			u.listBase = pos
		case attrGNURangesBase:
			u.rangeBase = pos
		}
	}
	u.meta.strBase, u.meta.lineAlt = u.strBase, u.lines.base != 0
}

func (u *unit) rootAttr(attr uint16, v value) {
	switch attr {
	case attrName:
		u.meta.Name = u.string(uint64(u.first), v, "name of the unit")
	case attrCompDir:
		u.meta.CompDir = u.string(uint64(u.first), v, "directory of the unit")
	case attrProducer:
		u.meta.Producer = u.string(uint64(u.first), v, "producer of the unit")
	case attrLanguage:
		u.meta.Language = narrow(uint64(v.number()))
		u.noTypes = isC(u.meta.Language)
	case attrStmtList:
		u.meta.lineOffset, u.meta.HasLines = v.position()
	case attrGNUDwoID:
		u.id = v.u
	}
	if u.secs.split { // its addresses are known when its skeleton is
		return
	}
	switch attr {
	case attrLowPC:
		u.lowPC, _ = u.addr(uint64(u.first), v, "low_pc of the unit")
	case attrDwoName, attrGNUDwoName:
		u.dwoName = u.string(uint64(u.first), v, "dwo name of the unit")
	}
}

// isC tells the languages whose types hold no functions, so that the types,
// most of a kernel's debug information, can be stepped over. DW_LANG_C89, C,
// C99, C11, C17, C23, Go and assembler.
func isC(language uint16) bool {
	switch language {
	case 0x01, 0x02, 0x0c, 0x1d, 0x2c, 0x3e, 0x16, 0x31, 0x8001:
		return true
	}
	return false
}

// string resolves a string; what cannot be read is a gap.
func (u *unit) string(off uint64, v value, what string) string {
	s, err := u.text(v)
	if errors.Is(err, errAlt) {
		u.gapSet.add(GapAltFile, off, what)
		return ""
	}
	if err != nil {
		u.gapSet.add(GapBadUnit, off, fmt.Sprintf("%s: %v", what, err))
	}
	return s
}

// addr resolves an address; what cannot be read is a gap.
func (u *unit) addr(off uint64, v value, what string) (uint64, bool) {
	a, err := u.address(v)
	if err != nil {
		u.gapSet.add(GapBadUnit, off, fmt.Sprintf("%s: %v", what, err))
		return 0, false
	}
	return a, true
}

// ref resolves a reference to an entry's place.
func (u *unit) ref(off uint64, v value, what string) uint64 {
	switch v.class {
	case classRef:
		return u.secs.place(v.u)
	case classAlt:
		if alt := u.secs.alt; alt != nil {
			return alt.place(v.u)
		}
		u.gapSet.add(GapAltFile, off, what)
	case classSig:
		u.gapSet.add(GapOrigin, off, what+" is in a type unit, which is not read")
	default:
		u.gapSet.add(GapBadUnit, off, fmt.Sprintf("%s: %v", what, errClass))
	}
	return lostRef
}
