package dwarftest

// buffer writes little-endian numbers.
type buffer struct{ b []byte }

func (b *buffer) num(size int, v uint64) {
	at := len(b.b)
	b.b = append(b.b, make([]byte, size)...)
	put(b.b[at:], size, v)
}

func put(b []byte, size int, v uint64) {
	for i := range size {
		b[i] = byte(v >> (8 * min(i, 8))) // bytes above the 8th are 0
	}
}

func get(b []byte, size int) (v uint64) {
	for i := range size {
		v |= uint64(b[i]) << (8 * i)
	}
	return v
}

func (b *buffer) uleb(v uint64) { b.b = AppendULEB(b.b, v) }

func (b *buffer) sleb(v int64) { b.b = AppendSLEB(b.b, v) }

// padded writes a ULEB128 number in 5 bytes: its value is only known the
// second time.
func (b *buffer) padded(v uint64) {
	for range 4 {
		b.b = append(b.b, byte(v)|0x80)
		v >>= 7
	}
	b.b = append(b.b, byte(v)&0x7f)
}

// AppendULEB appends an unsigned LEB128 number.
func AppendULEB(b []byte, v uint64) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// AppendSLEB appends a signed LEB128 number.
func AppendSLEB(b []byte, v int64) []byte {
	for v > 63 || v < -64 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v)&0x7f)
}

// length writes an initial length and what it covers.
func (b *buffer) length(is64 bool, body func(*buffer)) {
	size := 4
	if is64 {
		b.num(4, 0xffffffff)
		size = 8
	}
	at := len(b.b)
	b.num(size, 0)
	body(b)
	put(b.b[at:], size, uint64(len(b.b)-at-size))
}

// tableHeader begins an indexed section if it is empty. There is one header
// for all units: nobody reads its length.
func (b *buffer) tableHeader(u *Unit) {
	if len(b.b) > 0 || u.Version < 5 {
		return
	}
	b.length(u.Dwarf64, func(b *buffer) {
		b.num(2, 5)
		b.num(1, uint64(u.addrSize()))
		b.num(1, 0)
	})
}

// listHeader begins .debug_rnglists, with a table for indexed lists.
func (b *buffer) listHeader(u *Unit) {
	if len(b.b) > 0 {
		return
	}
	b.length(u.Dwarf64, func(b *buffer) {
		b.num(2, 5)
		b.num(1, uint64(u.addrSize()))
		b.num(1, 0)
		b.num(4, maxIndexed)
		b.num(maxIndexed*u.offsetSize(), 0)
	})
}
