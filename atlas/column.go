package atlas

import (
	"encoding/binary"
	"math"
)

// column is a section being written: numbers that are often small.
type column []byte

func (c *column) put(v uint64) { *c = binary.AppendUvarint(*c, v) }

func (c *column) text(s string) {
	c.put(uint64(len(s)))
	*c = append(*c, s...)
}

// signed writes a number that may be negative but is often near 0.
func (c *column) signed(v int64) { c.put(uint64(v<<1) ^ uint64(v>>63)) }

// ascending writes numbers that never fall.
func (c *column) ascending(list []uint32) {
	c.put(uint64(len(list)))
	last := uint32(0)
	for _, v := range list {
		c.put(uint64(v - last))
		last = v
	}
}

// bit writes bit n of a section of bits, one after the other.
func (c *column) bit(n int, set bool) {
	if n%8 == 0 {
		*c = append(*c, 0)
	}
	if set {
		(*c)[n/8] |= 1 << (n % 8)
	}
}

// cursor takes numbers off a section. The first failure is kept; the values
// after it are zero.
type cursor struct {
	data []byte
	bad  bool
}

func (c *cursor) next() uint64 {
	if c.bad {
		return 0
	}
	v, n := binary.Uvarint(c.data)
	if n <= 0 {
		c.bad = true
		return 0
	}
	c.data = c.data[n:]
	return v
}

func (c *cursor) signed() int64 {
	v := c.next()
	return int64(v>>1) ^ -int64(v&1)
}

// int takes a number of at most limit.
func (c *cursor) int(limit int) int {
	v := c.next()
	if v > uint64(limit) {
		c.bad = true
		return 0
	}
	return int(v)
}

// count takes the length of a list whose elements take a byte or more.
func (c *cursor) count() int { return c.int(len(c.data)) }

func (c *cursor) byte() byte {
	if c.bad || len(c.data) == 0 {
		c.bad = true
		return 0
	}
	b := c.data[0]
	c.data = c.data[1:]
	return b
}

func (c *cursor) text() string {
	n := c.count()
	if c.bad {
		return ""
	}
	s := string(c.data[:n])
	c.data = c.data[n:]
	return s
}

// ascending takes what column.ascending wrote; every number is below limit.
func (c *cursor) ascending(limit int) []uint32 {
	list := make([]uint32, c.count())
	last := uint64(0)
	for i := range list {
		d := c.next()
		if last += d; d > math.MaxUint32 || last >= uint64(limit) {
			c.bad = true
			return nil
		}
		list[i] = uint32(last)
	}
	return list
}

// done tells whether all was taken and nothing failed.
func (c *cursor) done() bool { return !c.bad && len(c.data) == 0 }
