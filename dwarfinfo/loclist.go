package dwarfinfo

// The kinds of entries of a DWARF 5 location list (§7.7.3).
const (
	lleEndOfList = iota
	lleBaseAddressx
	lleStartxEndx
	lleStartxLength
	lleOffsetPair
	lleDefaultLocation
	lleBaseAddress
	lleStartEnd
	lleStartLength
)

// maxLocations bounds the entries read of one list; the longest of a kernel
// have some hundreds, and the entry of a function is among the first.
const maxLocations = 1 << 12

// list gives the expression that holds at an address by the list at off; false
// if none does or the list is damaged.
func (p *ParamReader) list(off, pc uint64) (expr []byte, ok bool) {
	data := p.loc
	if p.u.version >= 5 {
		data = p.loclists
	}
	if off >= uint64(len(data)) {
		return nil, false
	}
	c := cursor{data: data, pos: int(off)}
	base := p.u.lowPC
	for range maxLocations {
		var low, high uint64
		var done bool
		if p.u.version >= 5 {
			low, high, expr, done = p.entry(&c, &base)
		} else {
			low, high, expr, done = p.pair(&c, &base)
		}
		if done || c.err != nil {
			return nil, false
		}
		if low <= pc && pc < high {
			return expr, true
		}
	}
	return nil, false
}

// pair reads an entry of .debug_loc (DWARF4 §2.6.2).
func (p *ParamReader) pair(c *cursor, base *uint64) (low, high uint64, expr []byte, done bool) {
	size := p.u.enc.addrSize
	low, high = c.uint(size), c.uint(size)
	switch {
	case low == 0 && high == 0:
		return 0, 0, nil, true
	case low == ^uint64(0) || size == 4 && low == 1<<32-1:
		*base = high
		return 0, 0, nil, false
	}
	expr = c.take(uint64(c.u16()))
	return *base + low, *base + high, expr, false
}

// entry reads an entry of .debug_loclists.
func (p *ParamReader) entry(c *cursor, base *uint64) (low, high uint64, expr []byte, done bool) {
	size := p.u.enc.addrSize
	index := func() uint64 {
		a, err := entry(p.u.secs.addr, p.u.addrBase, c.uleb(), size)
		if err != nil {
			c.fail(err)
		}
		return a
	}
	switch c.u8() {
	case lleEndOfList:
		return 0, 0, nil, true
	case lleBaseAddressx:
		*base = index()
		return 0, 0, nil, false
	case lleBaseAddress:
		*base = c.uint(size)
		return 0, 0, nil, false
	case lleStartxEndx:
		low, high = index(), index()
	case lleStartxLength:
		low = index()
		high = low + c.uleb()
	case lleOffsetPair:
		low, high = *base+c.uleb(), *base+c.uleb()
	case lleDefaultLocation:
		low, high = 0, ^uint64(0)
	case lleStartEnd:
		low, high = c.uint(size), c.uint(size)
	case lleStartLength:
		low = c.uint(size)
		high = low + c.uleb()
	default:
		c.fail(errListOp)
	}
	return low, high, c.take(c.uleb()), false
}

// take gives the next n bytes.
func (c *cursor) take(n uint64) []byte {
	if n > uint64(len(c.data)-c.pos) {
		c.fail(errTruncated)
		return nil
	}
	c.pos += int(n)
	return c.data[c.pos-int(n) : c.pos]
}
