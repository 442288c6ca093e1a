package dwarfinfo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"unsafe"
)

// maxString bounds one name. C++ symbols of 100 KB are real; without a bound
// many references into a section without a NUL would cost its length each.
const maxString = 1 << 18

var (
	errTruncated = errors.New("data ends in the middle of an entry")
	errLEB       = errors.New("LEB128 number is longer than 64 bits")
	errString    = errors.New("string has no end within 256 KiB")
)

// cursor reads little-endian data (both supported architectures are). The
// first failure is kept and moves the position to the end, so that loops over
// a damaged section stop and callers check once.
type cursor struct {
	data []byte
	base int // position of data in its section, where that matters
	pos  int // in data
	err  error
}

func (c *cursor) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.pos = len(c.data)
}

func (c *cursor) skip(n uint64) {
	if n > uint64(len(c.data)-c.pos) {
		c.fail(errTruncated)
		return
	}
	c.pos += int(n)
}

func (c *cursor) u8() uint8 {
	if c.pos >= len(c.data) {
		c.fail(errTruncated)
		return 0
	}
	c.pos++
	return c.data[c.pos-1]
}

func (c *cursor) u16() uint16 {
	if len(c.data)-c.pos < 2 {
		c.fail(errTruncated)
		return 0
	}
	c.pos += 2
	return binary.LittleEndian.Uint16(c.data[c.pos-2:])
}

func (c *cursor) u32() uint32 {
	if len(c.data)-c.pos < 4 {
		c.fail(errTruncated)
		return 0
	}
	c.pos += 4
	return binary.LittleEndian.Uint32(c.data[c.pos-4:])
}

func (c *cursor) u64() uint64 {
	if len(c.data)-c.pos < 8 {
		c.fail(errTruncated)
		return 0
	}
	c.pos += 8
	return binary.LittleEndian.Uint64(c.data[c.pos-8:])
}

// uint reads an unsigned number of 1, 2, 3, 4 or 8 bytes; other sizes fail.
func (c *cursor) uint(size uint8) uint64 {
	switch size {
	case 1:
		return uint64(c.u8())
	case 2:
		return uint64(c.u16())
	case 3:
		low := uint64(c.u16())
		return low | uint64(c.u8())<<16
	case 4:
		return uint64(c.u32())
	case 8:
		return c.u64()
	}
	c.fail(errTruncated)
	return 0
}

// uleb reads an unsigned LEB128 number (DWARF5 §7.6). One-byte numbers are
// nearly all there are, hence the split that lets the compiler inline it.
func (c *cursor) uleb() uint64 {
	if c.pos < len(c.data) && c.data[c.pos] < 0x80 {
		c.pos++
		return uint64(c.data[c.pos-1])
	}
	return c.ulebLong()
}

func (c *cursor) ulebLong() uint64 {
	var v uint64
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		if c.err != nil {
			return 0
		}
		if shift > 63 || shift == 63 && b&0x7f > 1 {
			if b&0x7f != 0 { // padding with zero bits is allowed
				c.fail(errLEB)
				return 0
			}
		} else {
			v |= uint64(b&0x7f) << shift
		}
		if b < 0x80 {
			return v
		}
	}
}

// skipLEB steps over a LEB128 number of either sign and any length.
func (c *cursor) skipLEB() {
	for i, b := range c.data[c.pos:] {
		if b < 0x80 {
			c.pos += i + 1
			return
		}
	}
	c.fail(errTruncated)
}

// sleb reads a signed LEB128 number. Bits above the 64th are dropped.
func (c *cursor) sleb() int64 {
	var v int64
	for shift := uint(0); ; shift += 7 {
		b := c.u8()
		if c.err != nil {
			return 0
		}
		if shift < 64 {
			v |= int64(b&0x7f) << shift
		}
		if b < 0x80 {
			if shift+7 < 64 && b&0x40 != 0 {
				v |= -1 << (shift + 7)
			}
			return v
		}
	}
}

// cstring reads a NUL-terminated string.
func (c *cursor) cstring() string {
	s, n, err := stringAt(c.data, uint64(c.pos))
	if err != nil {
		c.fail(err)
		return ""
	}
	c.pos += n
	return s
}

// offset reads a 4- or 8-byte section offset by the unit's format.
func (c *cursor) offset(is64 bool) uint64 {
	if is64 {
		return c.u64()
	}
	return uint64(c.u32())
}

// length reads a unit's initial length (DWARF5 §7.4) and tells the format.
func (c *cursor) length() (n uint64, is64 bool) {
	first := c.u32()
	switch {
	case first == 0xffffffff:
		return c.u64(), true
	case first >= 0xfffffff0: // reserved
		c.fail(errReserved)
		return 0, false
	}
	return uint64(first), false
}

var errReserved = errors.New("unit length is in the range reserved for extensions")

// stringAt returns the NUL-terminated string at off and its size with the NUL.
// The string shares the section's memory: a kernel has 100 MB of names. That
// is sound because Source promises never to change the bytes it gave out, and
// the string keeps them alive.
func stringAt(data []byte, off uint64) (string, int, error) {
	if off >= uint64(len(data)) {
		return "", 0, errTruncated
	}
	b := data[off:]
	if len(b) > maxString {
		b = b[:maxString]
	}
	n := bytes.IndexByte(b, 0)
	if n < 0 {
		return "", 0, errString
	}
	return unsafe.String(unsafe.SliceData(b), n), n + 1, nil
}
