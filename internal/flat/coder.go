package flat

import (
	"encoding/binary"
	"errors"
	"math"
)

// ErrFormat says that bytes are not what a Coder wrote.
var ErrFormat = errors.New("record is damaged")

// Coder appends values to a record or takes them off it, whichever it was made
// for. When decoding the first failure is kept; the values after it are zero.
type Coder struct {
	data    []byte
	pos     int
	writing bool
	err     error
	strings Interner
	texts   Lookup
}

// Encoder makes a Coder that appends; s collects the strings.
func Encoder(s Interner) *Coder { return &Coder{writing: true, strings: s} }

// Decoder makes a Coder that takes values off data; strings come from t.
func Decoder(data []byte, t Lookup) *Coder { return &Coder{data: data, texts: t} }

// Writing tells which of the two the Coder is.
func (c *Coder) Writing() bool { return c.writing }

// Record gives what was appended, and begins anew.
func (c *Coder) Record() []byte {
	b := c.data
	c.data = c.data[:0]
	return b
}

// Fail notes that a value is impossible.
func (c *Coder) Fail() {
	if c.err == nil {
		c.err = ErrFormat
	}
}

// Err is the first failure; ErrFormat too if values are left over.
func (c *Coder) Err() error {
	if c.err == nil && !c.writing && c.pos != len(c.data) {
		c.err = ErrFormat
	}
	return c.err
}

// Uint64 codes a number that is often small.
func (c *Coder) Uint64(v *uint64) {
	if c.writing {
		c.data = binary.AppendUvarint(c.data, *v)
		return
	}
	*v = 0
	if c.err != nil {
		return
	}
	got, n := binary.Uvarint(c.data[c.pos:])
	if n <= 0 {
		c.Fail()
		return
	}
	*v, c.pos = got, c.pos+n
}

// Delta codes v as its distance from base, which is often near.
func (c *Coder) Delta(v *uint64, base uint64) {
	d := *v - base
	d = d<<1 ^ uint64(int64(d)>>63)
	c.Uint64(&d)
	*v = base + (d>>1 ^ -(d & 1))
}

// Int32 codes v as its distance from base.
func (c *Coder) Int32(v *int32, base int32) {
	u := uint64(int64(*v))
	c.Delta(&u, uint64(int64(base)))
	if n := int64(u); n < math.MinInt32 || n > math.MaxInt32 {
		c.Fail()
		*v = 0
		return
	}
	*v = int32(int64(u))
}

// Int codes an int.
func (c *Coder) Int(v *int) {
	u := uint64(int64(*v))
	c.Delta(&u, 0)
	*v = int(int64(u))
}

// Uint codes an unsigned number of any type; one that does not fit fails.
func Uint[T ~uint8 | ~uint16 | ~uint32 | ~int](c *Coder, v *T) {
	u := uint64(*v)
	c.Uint64(&u)
	*v = T(u)
	if uint64(*v) != u {
		c.Fail()
		*v = 0
	}
}

// Bools codes up to 64 flags as one number.
func (c *Coder) Bools(flags ...*bool) {
	var u uint64
	for i, f := range flags {
		if *f {
			u |= 1 << i
		}
	}
	c.Uint64(&u)
	if u>>len(flags) != 0 {
		c.Fail()
		u = 0
	}
	for i, f := range flags {
		*f = u>>i&1 != 0
	}
}

// String codes a string. Equal ones are kept once in the file.
func (c *Coder) String(s *string) {
	if c.writing {
		at := c.strings.Add(*s)
		c.Uint64(&at)
		return
	}
	var at uint64
	c.Uint64(&at)
	*s = ""
	if c.err == nil {
		*s, c.err = c.texts.At(at)
	}
}

// Slice codes the elements of a slice with each, which codes at least a byte:
// so the memory made is in proportion to the record. Empty slices become nil.
func Slice[T any](c *Coder, s *[]T, each func(v *T)) {
	n := uint64(len(*s))
	c.Uint64(&n)
	if !c.writing {
		*s = nil
		if c.err != nil || n == 0 {
			return
		}
		if n > uint64(len(c.data)-c.pos) {
			c.Fail()
			return
		}
		*s = make([]T, n)
	}
	for i := range *s {
		each(&(*s)[i])
		if c.err != nil {
			*s = nil
			return
		}
	}
}
