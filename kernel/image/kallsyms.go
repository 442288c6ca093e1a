package image

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// The kernel keeps its symbols in tables that scripts/kallsyms.c writes. In a
// stripped image nothing says where: they are found by what they look like,
// beginning with the 256 tokens that names are packed with.
//
// Until 6.3 the order is offsets, relative base, count, names, markers, (from
// 6.2) order by name, tokens, token index; from 6.4 count, names, markers,
// tokens, token index, offsets, relative base, order. From 7.0 on there is no
// base: an offset counts from its own place.

// ksym is one symbol of the tables.
type ksym struct {
	name   string
	letter byte // as nm prints it
	off    uint64
}

// kallsyms are the tables, by their place in the image's bytes.
type kallsyms struct {
	data   []byte
	tokens [256]string
	table  int // of the tokens
	after  int // behind the token index
	names  int
	count  int
	head   int // of the count
	budget int // steps left to find them in
}

const (
	numTokens   = 256
	perMarker   = 256     // names from one marker to the next
	maxSymbols  = 2 << 20 // the largest kernels have some 300,000
	maxNameLen  = 1 << 14 // of a packed name, in bytes: two bytes of length
	minMarkers  = 4       // a kernel with fewer than 1,024 symbols is none
	maxMarkers  = maxSymbols / perMarker
	orderSize   = 3       // bytes an entry of the order by name
	maxSteps    = 1 << 26 // to find the tables in: a kernel takes some 300,000, what was made to mislead no end
	maxBackward = 8 << 20 // how far in front of the tokens the markers are looked for: behind them lies at most the order
)

// errNoKallsyms says that the tables were not found.
var errNoKallsyms = errors.New("the image has no kallsyms tables (CONFIG_KALLSYMS), or of a kind that is not read")

// findKallsyms finds the tables in an image.
func findKallsyms(data []byte) (*kallsyms, error) {
	digits := []byte("0\x001\x002\x003\x004\x005\x006\x007\x008\x009\x00")
	budget := maxSteps
	for from := 0; ; {
		i := bytes.Index(data[from:], digits)
		if i < 0 {
			return nil, errNoKallsyms
		}
		k := &kallsyms{data: data, budget: budget}
		if k.readTokens(from+i) && k.findNames() {
			return k, nil
		}
		if budget = k.budget - numTokens; budget < 0 {
			return nil, errNoKallsyms
		}
		from += i + 1
	}
}

// readTokens reads the tokens around that of the digit 0, whose number is its
// code, and checks them by the index behind.
func (k *kallsyms) readTokens(zero int) bool {
	at := zero
	for range int('0') { // back over that many strings
		at = bytes.LastIndexByte(k.data[:max(0, at-1)], 0) + 1
		if at == 0 || zero-at > numTokens*64 {
			return false
		}
	}
	// The first string ends where the one in front of the table does; padding
	// between them is zeros, so that the strings counted are right.
	k.table = at
	offs := make([]uint16, numTokens)
	for t := range numTokens {
		n := bytes.IndexByte(k.data[at:min(len(k.data), at+512)], 0)
		if n < 0 || at-k.table > 1<<16-1 {
			return false
		}
		k.tokens[t], offs[t] = string(k.data[at:at+n]), uint16(at-k.table)
		at += n + 1
	}
	for pad := 0; pad < 8; pad++ {
		if k.indexAt(at+pad, offs) {
			k.after = at + pad + 2*numTokens
			return true
		}
	}
	return false
}

func (k *kallsyms) indexAt(at int, offs []uint16) bool {
	if at+2*numTokens > len(k.data) {
		return false
	}
	for t, want := range offs {
		if binary.LittleEndian.Uint16(k.data[at+2*t:]) != want {
			return false
		}
	}
	return true
}

// findNames finds the markers in front of the tokens, and by them the names.
func (k *kallsyms) findNames() bool {
	low := max(0, k.table-maxBackward)
	for at := k.table &^ 3; at-4 >= low && k.budget > 0; at -= 4 {
		k.budget--
		if k.u32(at-4) != 0 {
			continue
		}
		if n := k.markersAt(at - 4); n >= minMarkers && k.namesBefore(at-4, n) {
			return true
		}
	}
	return false
}

// markersAt counts the markers that begin at a place: the first is 0, and each
// is 256 names behind the last.
func (k *kallsyms) markersAt(at int) int {
	n, last := 1, uint32(0)
	for p := at + 4; p+4 <= k.table && n < maxMarkers; p += 4 {
		v := k.u32(p)
		k.budget--
		if v < last+2*perMarker || v > last+perMarker*512 {
			break
		}
		n, last = n+1, v
	}
	return n
}

// namesBefore looks for the names that markers are of: behind their count,
// and such that they end at the markers.
func (k *kallsyms) namesBefore(markers, n int) bool {
	last := int(k.u32(markers + 4*(n-1)))
	for end := markers - last; end > 0 && markers-last-end < perMarker*512 && k.budget > 0; end-- {
		k.budget--
		for _, gap := range []int{8, 4} {
			head := end - gap
			if head < 0 || head%4 != 0 {
				continue
			}
			count := int(k.u32(head))
			if count <= (n-1)*perMarker || count > n*perMarker || gap == 8 && k.u32(head+4) != 0 {
				continue
			}
			if k.fits(end, markers, n, count) {
				k.names, k.count, k.head = end, count, head
				return true
			}
		}
	}
	return false
}

// fits walks all names and compares with the markers.
func (k *kallsyms) fits(names, markers, n, count int) bool {
	at := names
	for i := range count {
		if i%perMarker == 0 && at-names != int(k.u32(markers+4*(i/perMarker))) {
			return false
		}
		size, skip, ok := k.length(at)
		k.budget--
		if !ok || k.budget < 0 || at+skip+size > markers {
			return false
		}
		at += skip + size
	}
	return markers-at < 8
}

// length reads the length of a packed name: one byte, or two from 128 on (6.1).
func (k *kallsyms) length(at int) (size, skip int, ok bool) {
	if at+2 > len(k.data) {
		return 0, 0, false
	}
	size, skip = int(k.data[at]), 1
	if size&0x80 != 0 {
		size, skip = size&0x7f|int(k.data[at+1])<<7, 2
	}
	return size, skip, size > 0 && size < maxNameLen
}

func (k *kallsyms) u32(at int) uint32 {
	if at < 0 || at+4 > len(k.data) {
		return 0
	}
	return binary.LittleEndian.Uint32(k.data[at:])
}

func (k *kallsyms) u64(at int) uint64 { return uint64(k.u32(at)) | uint64(k.u32(at+4))<<32 }

// maxSymbolName is the kernel's KSYM_NAME_LEN.
const maxSymbolName = 512

// symbols unpacks all symbols. Their addresses are relative to what base gives:
// see addresses.
func (k *kallsyms) symbols(addr func(i int) uint64) []ksym {
	out := make([]ksym, 0, k.count)
	at := k.names
	var name []byte
	for i := range k.count {
		size, skip, _ := k.length(at)
		name = name[:0]
		for _, t := range k.data[at+skip : at+skip+size] {
			if name = append(name, k.tokens[t]...); len(name) > maxSymbolName {
				break
			}
		}
		at += skip + size
		if len(name) > 1 {
			out = append(out, ksym{string(name[1:]), name[0], addr(i)})
		}
	}
	return out
}

// addresses gives the address of symbol i. here is the virtual address of the
// image's byte 0, 0 if it is not known: addresses may then count from it, where
// they count from their own place or the base is stored when the kernel starts.
func (k *kallsyms) addresses(here uint64) (func(i int) uint64, error) {
	align := func(at int) int { return (at + 7) &^ 7 }
	for _, offs := range []int{k.after, align(k.after), k.head - 8 - align(4*k.count)} {
		if offs < 0 || offs+4*k.count > len(k.data) {
			continue
		}
		if k.selfRelative(offs) {
			return func(i int) uint64 {
				at := offs + 4*i
				return here + uint64(at) + uint64(int64(int32(k.u32(at))))
			}, nil
		}
		at := align(offs + 4*k.count)
		if offs < k.names {
			at = k.head - 8
		}
		if base := k.u64(at); base >= kernelHalf || base == 0 && here == 0 {
			if addr, ok := k.based(offs, base); ok {
				return addr, nil
			}
		}
	}
	return nil, errNoKallsyms
}

// selfRelative tells offsets that count from their own place: the addresses
// that they make go up.
func (k *kallsyms) selfRelative(offs int) bool {
	if int32(k.u32(offs)) >= 0 {
		return false // the first symbol lies in front of the tables
	}
	last, down := int64(-1<<62), 0
	for i := range k.count {
		at := offs + 4*i
		v := int64(at) + int64(int32(k.u32(at)))
		if v < last {
			down++
		}
		last = v
	}
	return down == 0
}

// based reads offsets from a base. With CONFIG_KALLSYMS_ABSOLUTE_PERCPU those
// of the code are negative and count down from the base less one.
func (k *kallsyms) based(offs int, base uint64) (func(i int) uint64, bool) {
	negative := 0
	for i := range k.count {
		if int32(k.u32(offs+4*i)) < 0 {
			negative++
		}
	}
	addr := func(i int) uint64 { return base + uint64(k.u32(offs+4*i)) }
	if 2*negative > k.count {
		addr = func(i int) uint64 {
			v := int32(k.u32(offs + 4*i))
			if v >= 0 {
				return uint64(v)
			}
			return base - 1 - uint64(int64(v))
		}
	}
	for i := 1; i < k.count; i++ {
		if addr(i) < addr(i-1) {
			return nil, false
		}
	}
	return addr, addr(k.count-1)-addr(0) > uint64(k.count) // zeros are no offsets
}

// kernelHalf is where the kernel's addresses begin: with 52 bits of them.
const kernelHalf = 0xfff0 << 48
