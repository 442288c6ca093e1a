package elfbin

import "encoding/binary"

// cursor reads little-endian values. Reading past the end gives zeros and
// sets short, so that a record is checked once and not field by field.
type cursor struct {
	data  []byte
	at    int
	short bool
}

func (c *cursor) seek(pos uint64) {
	if pos > uint64(len(c.data)) {
		c.short, pos = true, uint64(len(c.data))
	}
	c.at = int(pos)
}

func (c *cursor) bytes(n uint64) []byte {
	if n > uint64(len(c.data)-c.at) {
		c.short, c.at = true, len(c.data)
		return nil
	}
	b := c.data[c.at : c.at+int(n)]
	c.at += int(n)
	return b
}

func (c *cursor) done() bool { return c.short || c.at >= len(c.data) }

func (c *cursor) u8() uint8 {
	if b := c.bytes(1); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u16() uint16 {
	if b := c.bytes(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (c *cursor) u32() uint32 {
	if b := c.bytes(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (c *cursor) u64() uint64 {
	if b := c.bytes(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

// uleb reads an unsigned LEB128 (DWARF5 §7.6); bits beyond 64 are dropped.
func (c *cursor) uleb() uint64 {
	v := uint64(0)
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		if shift < 64 {
			v |= uint64(b&0x7f) << shift
		}
		if b&0x80 == 0 {
			return v
		}
	}
}

// sleb reads a signed LEB128.
func (c *cursor) sleb() int64 {
	v, shift := int64(0), uint(0)
	for {
		b := c.u8()
		if shift < 64 {
			v |= int64(b&0x7f) << shift
		}
		shift += 7
		if b&0x80 == 0 {
			if b&0x40 != 0 && shift < 64 {
				v |= -1 << shift
			}
			return v
		}
	}
}

// cstring reads up to the next NUL byte and past it.
func (c *cursor) cstring() string {
	for i := c.at; i < len(c.data); i++ {
		if c.data[i] == 0 {
			s := string(c.data[c.at:i])
			c.at = i + 1
			return s
		}
	}
	c.short, c.at = true, len(c.data)
	return ""
}
