package dwarftest

// list writes a range list and gives its offset, or its index for Rnglistx.
func (w *writer) list(u *Unit, form Form, l List) uint64 {
	if u.Version < 5 {
		at := uint64(len(w.ranges.b))
		for _, i := range l {
			if i.Kind == BaseAddress {
				w.ranges.num(int(u.addrSize()), ^uint64(0))
				w.ranges.num(int(u.addrSize()), i.A)
				continue
			}
			w.ranges.num(int(u.addrSize()), i.A)
			w.ranges.num(int(u.addrSize()), i.B)
		}
		w.ranges.num(int(u.addrSize()), 0)
		w.ranges.num(int(u.addrSize()), 0)
		return at
	}
	w.rnglists.listHeader(u)
	if form == Rnglistx {
		return w.indexedList(u, l)
	}
	at := uint64(len(w.rnglists.b))
	w.items(u, l)
	return at
}

// maxIndexed is how many indexed lists the offset table has room for.
const maxIndexed = 8

// indexedList puts the list behind the offset table.
func (w *writer) indexedList(u *Unit, l List) uint64 {
	base := u.tableBase() + 4
	index := 0
	for ; index < maxIndexed; index++ {
		if get(w.rnglists.b[base+index*u.offsetSize():], u.offsetSize()) == 0 {
			break
		}
	}
	if index == maxIndexed {
		panic("more indexed range lists than the table holds")
	}
	put(w.rnglists.b[base+index*u.offsetSize():], u.offsetSize(), uint64(len(w.rnglists.b)-base))
	w.items(u, l)
	return uint64(index)
}

func (w *writer) items(u *Unit, l List) {
	b := &w.rnglists
	for _, i := range l {
		b.num(1, uint64(i.Kind))
		switch i.Kind {
		case BaseAddressx:
			b.uleb(w.address(u, i.A))
		case StartxEndx:
			first := w.address(u, i.A)
			b.uleb(first)
			b.uleb(w.address(u, i.B))
		case StartxLength:
			b.uleb(w.address(u, i.A))
			b.uleb(i.B)
		case OffsetPair:
			b.uleb(i.A)
			b.uleb(i.B)
		case BaseAddress:
			b.num(int(u.addrSize()), i.A)
		case StartEnd:
			b.num(int(u.addrSize()), i.A)
			b.num(int(u.addrSize()), i.B)
		case StartLength:
			b.num(int(u.addrSize()), i.A)
			b.uleb(i.B)
		}
	}
	b.num(1, uint64(EndOfList))
}

// lineTable writes a line table once and gives its offset.
func (w *writer) lineTable(u *Unit, l *Lines) uint64 {
	if off, ok := w.lines[l]; ok {
		return off
	}
	if w.lines == nil {
		w.lines = map[*Lines]uint64{}
	}
	off := uint64(len(w.line.b))
	w.lines[l] = off
	w.line.length(u.Dwarf64, func(b *buffer) {
		b.num(2, uint64(l.Version))
		if l.Version >= 5 {
			b.num(1, uint64(u.addrSize()))
			b.num(1, 0)
		}
		at := len(b.b)
		b.num(u.offsetSize(), 0)
		start := len(b.b)
		b.num(1, 1) // minimum_instruction_length
		if l.Version >= 4 {
			b.num(1, 1)
		}
		// default_is_stmt, line_base -5, line_range 14, opcode_base 13
		b.b = append(b.b, 1, 0xfb, 14, 13)
		b.b = append(b.b, 0, 1, 1, 1, 1, 0, 0, 0, 1, 0, 0, 1)
		if l.Version >= 5 {
			l.tables5(b)
		} else {
			l.tables4(b)
		}
		put(b.b[at:], u.offsetSize(), uint64(len(b.b)-start))
		b.b = append(b.b, l.Program...)
	})
	return off
}

func (l *Lines) tables4(b *buffer) {
	for _, d := range l.Dirs {
		b.b = append(append(b.b, d...), 0)
	}
	b.num(1, 0)
	for _, f := range l.Files {
		b.b = append(append(b.b, f.Name...), 0)
		b.uleb(uint64(f.Dir))
		b.uleb(0)
		b.uleb(0)
	}
	b.num(1, 0)
}

func (l *Lines) tables5(b *buffer) {
	b.b = append(b.b, 1, 1, byte(String)) // one column: DW_LNCT_path
	b.uleb(uint64(len(l.Dirs)))
	for _, d := range l.Dirs {
		b.b = append(append(b.b, d...), 0)
	}
	b.b = append(b.b, 2, 1, byte(String), 2, byte(Udata)) // path, directory_index
	b.uleb(uint64(len(l.Files)))
	for _, f := range l.Files {
		b.b = append(append(b.b, f.Name...), 0)
		b.uleb(uint64(f.Dir))
	}
}
