package dwarfinfo

import "sort"

// typeBase is the place of the first .debug_types section: above all others,
// which number at most one for each split file and package row.
const typeBase = (maxSplit + 4) << placeBits

// typeUnits finds the units that describe types (DWARF5 §3.1.4). They are
// read for the scopes of functions only, and only those that are asked for.
type typeUnits struct {
	pkg   *pkgFile // nil without one
	files []*sections
	units map[uint64]*unit // by signature; without a table: not read yet; nil: damaged
	w     *walker
}

// unit gives the type unit of a signature with its scopes read, nil without one.
func (t *typeUnits) unit(signature uint64) *unit {
	if t.units == nil {
		t.index()
	}
	u, ok := t.units[signature]
	if !ok && t.pkg != nil {
		u = t.pkg.typeUnit(signature)
		t.units[signature] = u
	}
	if u == nil || u.opened || u.gap != nil {
		return u
	}
	u.open()
	u.meta.HasLines = false // nobody asks where its functions are declared
	t.w.walk(u, nil)
	return u
}

// index finds the type units of all files but the package, which has an index.
func (t *typeUnits) index() {
	t.units, t.w = map[uint64]*unit{}, &walker{paths: newPaths()}
	for i, s := range t.files {
		if s.within != nil || t.pkg != nil && s == t.pkg.secs {
			continue
		}
		t.add(s, s.readTypeHeaders(0))
		if len(s.types) > 0 {
			types := s.typeSections(uint64(i))
			t.add(types, types.readTypeHeaders(unitType))
		}
	}
}

func (t *typeUnits) add(s *sections, headers []header) {
	s.tabs.expect(headers)
	for i := range headers {
		if _, again := t.units[headers[i].id]; !again {
			t.units[headers[i].id] = &unit{header: headers[i], secs: s, lines: s}
		}
	}
}

// typeSections are the file's sections with .debug_types (DWARF4 §7.5.1.2)
// for .debug_info.
func (s *sections) typeSections(number uint64) *sections {
	t := *s
	t.info, t.part, t.base = s.types, nil, typeBase+number<<placeBits
	return &t
}

// typeUnit finds a type unit by the package's index.
func (p *pkgFile) typeUnit(signature uint64) *unit {
	row, ok := p.tus.find(signature)
	if !ok {
		return nil
	}
	s, err := p.row(p.tus, row)
	if err != nil {
		return nil
	}
	if len(s.types) > 0 { // before DWARF 5
		s = s.typeSections(0)
	}
	kind := uint8(unitSplitType)
	if p.tus.version >= 5 {
		kind = 0
	}
	u := &unit{secs: s, lines: s}
	_ = s.eachHeader(kind, func(h *header) bool {
		u.header = *h
		return false
	})
	if !u.typeUnit() || u.gap != nil || u.id != signature {
		return nil
	}
	s.base = typeBase
	s.tabs.expect([]header{u.header})
	return u
}

// scopeAt gives the index of the scope at an offset, -1 without one.
func (u *unit) scopeAt(off uint64) int32 {
	n := sort.Search(len(u.scopes), func(n int) bool { return u.scopes[n].off >= off })
	if n == len(u.scopes) || u.scopes[n].off != off {
		return -1
	}
	return int32(n)
}
