package elfbin

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"hash/crc32"
	"hash/crc64"
	"io"

	"github.com/ulikunitz/xz/lzma"
)

// The container of .gnu_debugdata is read here and only what it holds by
// package lzma: an xz block names the size of its dictionary, up to 4 GiB,
// and the library's reader of containers allocates what it names.
const (
	xzMagic  = "\xfd7zXZ\x00"
	xzFooter = "YZ"
	xzLZMA2  = 0x21 // filter id
)

// unxz decompresses one xz stream (The .xz File Format 1.1.0) to at most
// limit bytes. at is how far it has read, also with an error.
func unxz(b []byte, limit int) (out []byte, at int, err error) {
	x := xzStream{cursor: cursor{data: b}, limit: limit}
	err = x.read()
	if x.short && (err == nil || !errors.Is(err, errXZ)) {
		err = fmt.Errorf("%w: it is cut short", errXZ)
	}
	if err != nil {
		return nil, x.at, err
	}
	return x.out, x.at, nil
}

var errXZ = errors.New("not a sound xz stream")

// xzStream is a stream while it is read.
type xzStream struct {
	cursor
	limit  int
	out    []byte
	check  func() hash.Hash
	blocks [][2]uint64 // unpadded and uncompressed size of each
}

func (x *xzStream) bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", errXZ, fmt.Sprintf(format, args...))
}

func (x *xzStream) read() error {
	if string(x.bytes(6)) != xzMagic {
		return x.bad("it does not begin like one")
	}
	flags := x.bytes(2)
	if crc := x.u32(); x.short || crc != crc32.ChecksumIEEE(flags) || flags[0] != 0 {
		return x.bad("its header is damaged")
	}
	switch flags[1] {
	case 0:
		x.check = func() hash.Hash { return noCheck{} }
	case 1:
		x.check = func() hash.Hash { return crc32.NewIEEE() }
	case 4:
		x.check = func() hash.Hash { return crc64.New(crc64.MakeTable(crc64.ECMA)) }
	case 10:
		x.check = sha256.New
	default:
		return x.bad("check %d is not known", flags[1])
	}
	for !x.done() && x.data[x.at] != 0 {
		if err := x.block(); err != nil {
			return err
		}
	}
	return x.index(flags)
}

// block reads a block (§3): header, LZMA2 data, padding and check.
func (x *xzStream) block() error {
	start := x.at
	dict, want, err := x.blockHeader()
	if err != nil {
		return err
	}
	before, src := len(x.out), bytes.NewReader(x.data[x.at:])
	r, err := lzma.Reader2Config{DictCap: int(max(lzma.MinDictCap, min(dict, uint64(x.limit))))}.NewReader2(src)
	if err != nil {
		return x.bad("%v", err)
	}
	buf := bytes.NewBuffer(x.out)
	_, err = io.Copy(buf, io.LimitReader(r, int64(x.limit-before)+1))
	x.out = buf.Bytes()
	x.at = len(x.data) - src.Len()
	size := uint64(len(x.out) - before)
	switch {
	case err != nil:
		return x.bad("%v", err)
	case len(x.out) > x.limit:
		return fmt.Errorf("more than %d bytes, beyond the limit", x.limit)
	case want != nil && *want != size:
		return x.bad("a block has %d bytes and says %d", size, *want)
	}
	unpadded := x.at - start
	x.padding(start)
	sum := x.check()
	sum.Write(x.out[before:])
	got := sum.Sum(nil)
	if sum.Size() == 8 {
		binary.LittleEndian.PutUint64(got, binary.BigEndian.Uint64(got))
	} else if sum.Size() == 4 {
		binary.LittleEndian.PutUint32(got, binary.BigEndian.Uint32(got))
	}
	if !bytes.Equal(x.bytes(uint64(sum.Size())), got) {
		return x.bad("the checksum of a block is wrong")
	}
	x.blocks = append(x.blocks, [2]uint64{uint64(unpadded + sum.Size()), size})
	return nil
}

// blockHeader reads a block header (§3.1): the dictionary's size and, if it
// says so, the size of what the block holds.
func (x *xzStream) blockHeader() (dict uint64, size *uint64, err error) {
	whole := x.data[x.at:]
	n := (int(whole[0]) + 1) * 4
	if n > len(whole) {
		x.short = true
		return 0, nil, x.bad("it is cut short")
	}
	h := cursor{data: whole[:n-4], at: 1}
	x.at += n
	if binary.LittleEndian.Uint32(whole[n-4:]) != crc32.ChecksumIEEE(h.data) {
		return 0, nil, x.bad("a block's header is damaged")
	}
	flags := h.u8()
	if flags&0x40 != 0 {
		h.uleb() // compressed: LZMA2 knows its end
	}
	if flags&0x80 != 0 {
		v := h.uleb()
		size = &v
	}
	if flags&0x3f != 0 || h.uleb() != xzLZMA2 || h.uleb() != 1 {
		return 0, nil, x.bad("filters other than LZMA2 are not read: compress it with plain xz")
	}
	bits := h.u8()
	if h.short || bits > 40 {
		return 0, nil, x.bad("a block's header is damaged")
	}
	return uint64(2|bits&1) << (bits/2 + 11), size, nil
}

// index reads the index (§4), which repeats the blocks' sizes, and the footer.
func (x *xzStream) index(flags []byte) error {
	start := x.at
	x.u8()
	sound := x.uleb() == uint64(len(x.blocks))
	for i := 0; sound && i < len(x.blocks); i++ {
		sound = [2]uint64{x.uleb(), x.uleb()} == x.blocks[i]
	}
	if !sound {
		return x.bad("its index is wrong")
	}
	x.padding(start)
	end := x.at
	if x.u32() != crc32.ChecksumIEEE(x.data[start:end]) {
		return x.bad("its index is damaged")
	}
	crc, footer, magic := x.u32(), x.bytes(6), x.bytes(2)
	switch {
	case x.short, crc != crc32.ChecksumIEEE(footer), string(magic) != xzFooter, !bytes.Equal(footer[4:], flags),
		(uint64(binary.LittleEndian.Uint32(footer))+1)*4 != uint64(end+4-start):
		return x.bad("its footer is damaged")
	case x.at != len(x.data):
		return x.bad("something follows it")
	}
	return nil
}

// padding passes the zeros that make what began at start a multiple of four.
func (x *xzStream) padding(start int) {
	for _, b := range x.bytes(uint64(-(x.at - start) & 3)) {
		if b != 0 {
			x.short = true
		}
	}
}

// noCheck is the check of streams without one.
type noCheck struct{}

func (noCheck) Write(p []byte) (int, error) { return len(p), nil }
func (noCheck) Sum(b []byte) []byte         { return b }
func (noCheck) Reset()                      {}
func (noCheck) Size() int                   { return 0 }
func (noCheck) BlockSize() int              { return 1 }

// Unxz decompresses one xz stream of LZMA2 without other filters, to at most
// limit bytes: it allocates no more than that.
func Unxz(b []byte, limit int) ([]byte, error) {
	out, _, err := unxz(b, limit)
	return out, err
}
