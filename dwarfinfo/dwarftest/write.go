package dwarftest

import "fmt"

// Section gives a section as written; nil for one that is not there.
func (f *File) Section(name string) ([]byte, error) {
	if f.built == nil {
		f.build()
	}
	return f.built[name], nil
}

// build writes twice: the first time for the offsets that the second needs.
// Every form has the same size both times.
func (f *File) build() {
	var w *writer
	for range 2 {
		w = &writer{}
		for _, u := range f.Units {
			w.unit(u)
		}
	}
	f.built = map[string][]byte{}
	for name, b := range map[string]*buffer{
		".debug_info": &w.info, ".debug_abbrev": &w.abbrev, ".debug_str": &w.str,
		".debug_line_str": &w.lineStr, ".debug_str_offsets": &w.strOffsets,
		".debug_addr": &w.addr, ".debug_ranges": &w.ranges,
		".debug_rnglists": &w.rnglists, ".debug_line": &w.line,
	} {
		if len(b.b) > 0 {
			f.built[name] = b.b
		}
	}
	for name, b := range f.Sections {
		f.built[name] = b
	}
}

type writer struct {
	info, abbrev, str, lineStr, strOffsets buffer
	addr, ranges, rnglists, line           buffer

	lines map[*Lines]uint64
}

func (w *writer) unit(u *Unit) {
	u.off = uint64(len(w.info.b))
	table := len(w.abbrev.b)
	w.info.length(u.Dwarf64, func(b *buffer) {
		b.num(2, uint64(u.Version))
		if u.Version >= 5 {
			b.num(1, uint64(max(u.Kind, 1)))
			b.num(1, uint64(u.addrSize()))
		}
		b.num(u.offsetSize(), uint64(table))
		if u.Version < 5 {
			b.num(1, uint64(u.addrSize()))
		}
		switch u.Kind {
		case 4, 5: // skeleton and split: dwo_id
			b.num(8, 0)
		case 2, 6: // types: signature and offset
			b.num(8, 0)
			b.num(u.offsetSize(), 0)
		}
		code := uint64(0)
		w.entry(u, u.Root, &code)
		b.b = append(b.b, u.Trailing...)
	})
	w.abbrev.uleb(0)
}

func (w *writer) entry(u *Unit, e *Entry, code *uint64) {
	*code++
	e.code, e.off = *code, uint64(len(w.info.b))
	w.abbreviate(e)
	w.info.uleb(e.code)
	for _, a := range e.Attrs {
		w.attr(u, e, a.Form, a.Val)
	}
	if len(e.Children) > 0 {
		for _, c := range e.Children {
			w.entry(u, c, code)
		}
		w.info.uleb(0)
	}
	e.after = uint64(len(w.info.b))
}

func (w *writer) abbreviate(e *Entry) {
	b := &w.abbrev
	b.uleb(e.code)
	b.uleb(uint64(e.Tag))
	b.num(1, uint64(min(1, len(e.Children))))
	for _, a := range e.Attrs {
		b.uleb(uint64(a.At))
		b.uleb(uint64(a.Form))
		if a.Form == ImplicitConst {
			b.sleb(int64(number(a.Val)))
		}
	}
	b.uleb(0)
	b.uleb(0)
}

func (w *writer) attr(u *Unit, e *Entry, form Form, val any) {
	b := &w.info
	if raw, ok := val.(Raw); ok {
		b.b = append(b.b, raw...)
		return
	}
	switch form {
	case FlagPresent, ImplicitConst:
	case String:
		b.b = append(append(b.b, val.(string)...), 0)
	case Block, Exprloc:
		b.uleb(uint64(len(val.([]byte))))
		b.b = append(b.b, val.([]byte)...)
	case Block1, Block2, Block4:
		size := map[Form]int{Block1: 1, Block2: 2, Block4: 4}[form]
		b.num(size, uint64(len(val.([]byte))))
		b.b = append(b.b, val.([]byte)...)
	case Indirect:
		via := val.(Via)
		b.uleb(uint64(via.Form))
		w.attr(u, e, via.Form, via.Val)
	case Sdata:
		b.sleb(int64(number(val)))
	case RefUdata:
		b.padded(w.resolve(u, e, form, val))
	case Udata, Strx, Addrx, Loclistx, Rnglistx, GNUAddrIndex, GNUStrIndex:
		b.uleb(w.resolve(u, e, form, val))
	default:
		if form.size(u) == 0 {
			panic(fmt.Sprintf("form %#x needs Raw", form))
		}
		b.num(form.size(u), w.resolve(u, e, form, val))
	}
}

// resolve makes a number of a value that stands elsewhere.
func (w *writer) resolve(u *Unit, e *Entry, form Form, val any) uint64 {
	switch v := val.(type) {
	case *Entry:
		if form == RefAddr {
			return v.off
		}
		return v.off - u.off
	case After:
		return e.after - u.off
	case string:
		return w.text(u, form, v)
	case List:
		return w.list(u, form, v)
	case *Lines:
		return w.lineTable(u, v)
	}
	n := number(val)
	switch form {
	case Addrx, Addrx1, Addrx2, Addrx3, Addrx4, GNUAddrIndex:
		return w.address(u, n)
	}
	return n
}

// text pools a string and gives what the form needs to find it.
func (w *writer) text(u *Unit, form Form, s string) uint64 {
	pool := &w.str
	if form == LineStrp {
		pool = &w.lineStr
	}
	at := uint64(len(pool.b))
	pool.b = append(append(pool.b, s...), 0)
	switch form {
	case Strx, Strx1, Strx2, Strx3, Strx4, GNUStrIndex:
		w.strOffsets.tableHeader(u)
		w.strOffsets.num(u.offsetSize(), at)
		return uint64((len(w.strOffsets.b)-u.tableBase())/u.offsetSize()) - 1
	}
	return at
}

// address pools an address and gives its index.
func (w *writer) address(u *Unit, addr uint64) uint64 {
	w.addr.tableHeader(u)
	w.addr.num(int(u.addrSize()), addr)
	return uint64((len(w.addr.b)-u.tableBase())/int(u.addrSize())) - 1
}

// tableBase is the header size of the indexed sections: DWARF 5 has one.
func (u *Unit) tableBase() int {
	switch {
	case u.Version < 5:
		return 0
	case u.Dwarf64:
		return 16
	}
	return 8
}

func number(val any) uint64 {
	switch v := val.(type) {
	case int:
		return uint64(v)
	case uint64:
		return v
	case bool:
		if v {
			return 1
		}
		return 0
	case nil:
		return 0
	}
	panic(fmt.Sprintf("value %T cannot be a number", val))
}
