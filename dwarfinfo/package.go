package dwarfinfo

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// Columns of a package's index (DWARF5 §7.3.5.3); the GNU version numbers
// some otherwise, but not these. DW_SECT_TYPES is GNU's only.
const (
	sectInfo       = 1
	sectTypes      = 2
	sectAbbrev     = 3
	sectLine       = 4
	sectStrOffsets = 6
	sectRnglists   = 8 // DW_SECT_MACRO in the GNU version
)

// maxColumns bounds the columns of an index: there are 8 numbers.
const maxColumns = 16

// maxShared bounds the contributions to one section together, in sizes of
// the section. Those of different rows are the same or disjoint.
const maxShared = 4

var (
	errPkgVersion = errors.New("version of the package's index is not read")
	errPkgColumns = errors.New("package's index has no or too many columns")
	errPkgRow     = errors.New("contribution leads outside its section")
	errPkgShared  = errors.New("contributions overlap")
)

// pkgIndex is .debug_cu_index or .debug_tu_index.
type pkgIndex struct {
	version uint16
	columns []uint32
	units   uint32
	rows    map[uint64]uint32 // by dwo_id or signature, counted from 0
	offsets []byte            // of each row a number for each column
	sizes   []byte
}

// part is a contribution to a section.
type part struct{ off, size uint64 }

// readPkgIndex reads an index. The hash table is read in order: it may be
// filled in any way then.
func readPkgIndex(data []byte, section string) (*pkgIndex, error) {
	x := &pkgIndex{rows: map[uint64]uint32{}}
	c := cursor{data: data}
	version := c.u32() // DWARF 5: two bytes, and two of padding
	x.version = uint16(version)
	columns, slots := c.u32(), uint32(0)
	x.units, slots = c.u32(), c.u32()
	switch {
	case c.err != nil:
		return nil, &FormatError{section, 0, c.err}
	case version != 2 && x.version != 5:
		return nil, &FormatError{section, 0, fmt.Errorf("%w: %d", errPkgVersion, version)}
	case columns == 0 && x.units > 0 || columns > maxColumns: // GNU dwp writes empty ones
		return nil, &FormatError{section, 4, fmt.Errorf("%w: %d", errPkgColumns, columns)}
	}
	at := c.pos
	c.skip(12 * uint64(slots))
	hashes := data[at:c.pos]
	for range columns {
		x.columns = append(x.columns, c.u32())
	}
	table := 4 * uint64(columns) * uint64(x.units)
	at = c.pos
	c.skip(table)
	c.skip(table)
	if c.err != nil {
		return nil, &FormatError{section, uint64(at), c.err}
	}
	x.offsets, x.sizes = data[at:at+int(table)], data[at+int(table):at+2*int(table)]
	for i := range uint64(slots) {
		id, row := binary.LittleEndian.Uint64(hashes[8*i:]), binary.LittleEndian.Uint32(hashes[8*uint64(slots)+4*i:])
		if _, again := x.rows[id]; row != 0 && row <= x.units && !again {
			x.rows[id] = row - 1
		}
	}
	return x, nil
}

// part gives a row's contribution to a section; none is empty.
func (x *pkgIndex) part(row, column uint32) part {
	for i, have := range x.columns {
		if have == column {
			at := 4 * (int(row)*len(x.columns) + i)
			return part{uint64(binary.LittleEndian.Uint32(x.offsets[at:])), uint64(binary.LittleEndian.Uint32(x.sizes[at:]))}
		}
	}
	return part{}
}

// pkgFile is a .dwp file.
type pkgFile struct {
	secs  *sections // whole
	cus   *pkgIndex
	tus   *pkgIndex // nil without one
	types error     // why it is nil although there is one
	main  *sections
	spent map[*[]byte]*spending
	tabs  map[part]*tables
	heads map[*tables][]header
}

func readPackage(src Source, path string, main *sections) (*pkgFile, error) {
	secs, err := readSections(src, ".dwo")
	if err != nil {
		return nil, err
	}
	secs.share(main, path)
	data, err := src.Section(".debug_cu_index")
	if err != nil {
		return nil, err
	}
	p := &pkgFile{secs: secs, main: main, spent: map[*[]byte]*spending{}, tabs: map[part]*tables{}, heads: map[*tables][]header{}}
	if p.cus, err = readPkgIndex(data, ".debug_cu_index"); err != nil {
		return nil, err
	}
	if data, err = src.Section(".debug_tu_index"); err == nil && data != nil {
		p.tus, err = readPkgIndex(data, ".debug_tu_index")
	}
	p.types = err
	return p, nil
}

// find gives the row of a dwo_id or signature.
func (x *pkgIndex) find(id uint64) (row uint32, ok bool) {
	if x == nil {
		return 0, false
	}
	row, ok = x.rows[id]
	return row, ok
}

// row gives the sections of one row, cut out of the package's.
func (p *pkgFile) row(x *pkgIndex, row uint32) (*sections, error) {
	s := &sections{within: p.secs, str: p.secs.str}
	s.share(p.main, p.secs.path)
	cuts := []struct {
		column   uint32
		from, to *[]byte
	}{
		{sectInfo, &p.secs.info, &s.info},
		{sectAbbrev, &p.secs.abbrev, &s.abbrev},
		{sectLine, &p.secs.line, &s.line},
		{sectStrOffsets, &p.secs.strOffsets, &s.strOffsets},
		{},
	}
	last := &cuts[len(cuts)-1]
	if x.version >= 5 {
		last.column, last.from, last.to = sectRnglists, &p.secs.rnglists, &s.rnglists
	} else {
		last.column, last.from, last.to = sectTypes, &p.secs.types, &s.types
	}
	for _, c := range cuts {
		at := x.part(row, c.column)
		if at.off+at.size > uint64(len(*c.from)) {
			return nil, fmt.Errorf("section %d of a row: %w", c.column, errPkgRow)
		}
		if err := p.spend(c.from, at); err != nil {
			return nil, err
		}
		*c.to = (*c.from)[at.off : at.off+at.size]
		if c.column == sectInfo {
			s.shift = at.off
		}
	}
	abbrev := x.part(row, sectAbbrev)
	if p.tabs[abbrev] == nil {
		p.tabs[abbrev] = newTables(s.abbrev, nil)
	}
	s.tabs = p.tabs[abbrev]
	return s, nil
}

// spending is what of a section was given to rows.
type spending struct {
	parts map[part]bool
	sum   uint64
}

// spend bounds what overlapping contributions cost.
func (p *pkgFile) spend(section *[]byte, at part) error {
	known := p.spent[section]
	if known == nil {
		known = &spending{parts: map[part]bool{}}
		p.spent[section] = known
	}
	if known.parts[at] {
		return nil
	}
	if known.sum+at.size > maxShared*uint64(len(*section)) {
		return errPkgShared
	}
	known.parts[at] = true
	known.sum += at.size
	return nil
}

// fromPackage takes units out of the package and gives the skeletons whose
// units are not there.
func (s *splitter) fromPackage(skeletons []int) (rest []int) {
	if s.links.Package == nil {
		return skeletons
	}
	src, path := s.links.Package()
	if src == nil {
		return skeletons
	}
	p, err := readPackage(src, path, s.main)
	if err != nil {
		s.lost = append(s.lost, Gap{Kind: GapSplit, Unit: -1, File: path, Detail: err.Error()})
		return skeletons
	}
	s.number(p.secs)
	s.loader.pkg = p
	if p.types != nil {
		s.lost = append(s.lost, Gap{Kind: GapBadUnit, Unit: -1, File: path, Detail: p.types.Error()})
	}
	at := map[uint32]*sections{}
	var found []splitFound
	for _, i := range skeletons {
		row, ok := p.cus.rows[s.units[i].id]
		if !ok || len(s.files) >= maxSplit {
			rest = append(rest, i)
			continue
		}
		if at[row] == nil {
			if at[row], err = p.row(p.cus, row); err != nil {
				s.miss(i, fmt.Errorf("in %s: %w", path, err))
				continue
			}
			s.number(at[row])
		}
		u, err := p.unit(at[row])
		if err != nil {
			s.miss(i, fmt.Errorf("in %s: %w", path, err))
			continue
		}
		found = append(found, splitFound{u, i})
	}
	for t, headers := range p.heads {
		t.expect(headers)
	}
	parallel(len(found), func() func(int) { return func(i int) { found[i].unit.open() } })
	for _, f := range found {
		if f.unit.id != s.units[f.skeleton].id {
			s.miss(f.skeleton, fmt.Errorf("in %s: %w", path, errOtherID))
			continue
		}
		s.take(f.unit, f.skeleton)
	}
	return rest
}

// unit gives the unit of a row's sections: a row has one.
func (p *pkgFile) unit(secs *sections) (unit, error) {
	u := unit{secs: secs, lines: p.main}
	found := false
	lost := secs.eachHeader(0, func(h *header) bool {
		u.header, found = *h, true
		return false
	})
	switch {
	case lost != nil:
		return unit{}, *lost
	case !found || u.typeUnit():
		return unit{}, errOtherID
	}
	p.heads[secs.tabs] = append(p.heads[secs.tabs], u.header)
	return u, nil
}
