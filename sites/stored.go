package sites

import (
	"encoding/binary"
	"io"
	"slices"
	"sync"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/internal/flat"
)

// storedIndex finds functions in an index that store wrote. When the bytes
// turn out to be damaged it makes the index anew and goes on with that:
// functions have the same numbers in both.
type storedIndex struct {
	b     *Binary
	r     io.ReaderAt
	texts *flat.Texts

	funcs, roots, entries, names flat.Table

	fresh func(why error) *index // made anew
	every func() []*function

	mu    sync.Mutex
	known map[int32]*function
}

// openStored reads what store wrote; fail is called when it turns out to be
// damaged later.
func (b *Binary) openStored(r io.ReaderAt, size int64, fail func(error)) error {
	parts, err := flat.Parts(r, size, storedParts)
	if err != nil {
		return err
	}
	data, err := dwarfinfo.OpenStored(b.debug, r, parts[partUnits:partHead], fail)
	if err != nil {
		return err
	}
	s := &storedIndex{b: b, r: r, known: map[int32]*function{}, texts: flat.NewTexts(parts[partStrings].Reader(r), parts[partStrings].Size)}
	for _, t := range []struct {
		to   *flat.Table
		part int
		row  uint64
	}{{&s.funcs, partFuncs, funcRow}, {&s.roots, partRoots, rootRow}, {&s.entries, partEntries, entryRow}, {&s.names, partNames, nameRow}} {
		if *t.to, err = parts[t.part].Table(r, t.row); err != nil {
			return err
		}
	}
	if int32(s.roots.Len()) != data.NumFuncs() {
		return flat.ErrFormat
	}
	symbols, err := openSymbols(r, parts, s.texts, fail)
	if err != nil {
		return err
	}
	var head storedHead
	record, err := parts[partHead].Read(r)
	if err != nil {
		return err
	}
	c := flat.Decoder(record, s.texts)
	head.code(c)
	if err := c.Err(); err != nil {
		return err
	}
	var once sync.Once
	var fresh *index
	s.fresh = func(why error) *index {
		once.Do(func() {
			fail(why)
			fresh = b.freshIndex()
		})
		return fresh
	}
	s.every = sync.OnceValue(s.decodeAll)
	b.file.UseIndex(symbols)
	b.data, b.gaps = data, head.gaps
	stray := strangers{outside: head.outside, folded: map[int32]string{}}
	for _, f := range head.folded {
		stray.folded[f.number] = f.name
	}
	b.stray = func() strangers { return stray }
	jumps := map[uint64][]string{}
	for _, j := range head.jumps {
		jumps[j.addr] = j.names
	}
	b.foldedJumps = func() map[uint64][]string { return jumps }
	b.index = &index{stored: s, symbols: b.symbols}
	return nil
}

// freshIndex makes the index from the debug information.
func (b *Binary) freshIndex() *index {
	if _, err := b.whole(); err != nil {
		return &index{names: func() []uint64 { return nil }}
	}
	return newIndex(b)
}

// function gives the function of a number. One function is one pointer.
func (s *storedIndex) function(n int32) *function {
	s.mu.Lock()
	f := s.known[n]
	s.mu.Unlock()
	if f != nil {
		return f
	}
	f, err := s.read(n)
	if err != nil {
		f = &function{number: n}
		if x := s.fresh(err); int(n) < len(x.all) {
			f = x.all[n]
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if first := s.known[n]; first != nil {
		return first
	}
	s.known[n] = f
	return f
}

func (s *storedIndex) read(n int32) (*function, error) {
	row := make([]byte, funcRow)
	if err := s.funcs.Row(int(n), row); err != nil {
		return nil, err
	}
	part := flat.Part{Offset: binary.LittleEndian.Uint64(row), Size: uint64(binary.LittleEndian.Uint32(row[8:]))}
	if part.Size > maxRecord {
		return nil, flat.ErrFormat
	}
	b, err := part.Read(s.r)
	if err != nil {
		return nil, err
	}
	f := &function{number: n}
	c := flat.Decoder(b, s.texts)
	f.code(c)
	if err := c.Err(); err != nil {
		return nil, err
	}
	data := s.b.data.(*dwarfinfo.Stored)
	outside := func(limit int32) func(i int32) bool { return func(i int32) bool { return i < 0 || i >= limit } }
	if slices.ContainsFunc(f.roots, outside(data.NumFuncs())) || slices.ContainsFunc(f.copies, outside(data.NumCopies())) ||
		slices.ContainsFunc(f.bodies, func(r bodyRef) bool { return r.die < -1 || r.die >= data.NumFuncs() }) {
		return nil, flat.ErrFormat
	}
	return f, nil
}

// maxRecord bounds one function's record: a copy takes two bytes, and a
// function has some ten thousands of them.
const maxRecord = 1 << 26

// ofRoot is index.ofRoot.
func (s *storedIndex) ofRoot(i int32) *function {
	row := make([]byte, rootRow)
	if i < 0 || int(i) >= s.roots.Len() {
		return nil
	}
	if err := s.roots.Row(int(i), row); err != nil {
		return s.same(s.fresh(err).ofRoot(i))
	}
	n := int32(binary.LittleEndian.Uint32(row))
	switch {
	case n == 0:
		return nil
	case n < 0 || int(n) > s.funcs.Len():
		return s.same(s.fresh(flat.ErrFormat).ofRoot(i))
	}
	return s.function(n - 1)
}

// same gives the function that a new index has, by its number.
func (s *storedIndex) same(f *function) *function {
	if f == nil {
		return nil
	}
	return s.function(f.number)
}

// at is index.at.
func (s *storedIndex) at(addr uint64) *function {
	row := make([]byte, entryRow)
	i, err := s.entries.Search(func(row []byte) bool { return binary.LittleEndian.Uint64(row) >= addr })
	if err == nil && i == s.entries.Len() {
		return nil
	}
	if err == nil {
		err = s.entries.Row(i, row)
	}
	n := int32(binary.LittleEndian.Uint32(row[8:]))
	if err == nil && (n < 0 || int(n) >= s.funcs.Len()) {
		err = flat.ErrFormat
	}
	switch {
	case err != nil:
		return s.same(s.fresh(err).at(addr))
	case binary.LittleEndian.Uint64(row) != addr:
		return nil
	}
	return s.function(n)
}

// spelled gives the functions that have a spelling with the name's hash, in
// the order of their numbers.
func (s *storedIndex) spelled(name string) []*function {
	numbers, err := s.numbers(hashName(name))
	if err != nil {
		var out []*function
		for _, f := range s.fresh(err).all {
			if slices.Contains(f.spellings(), name) {
				out = append(out, s.function(f.number))
			}
		}
		return out
	}
	var out []*function
	for _, n := range numbers {
		out = append(out, s.function(n))
	}
	return out
}

func (s *storedIndex) numbers(hash uint32) ([]int32, error) {
	return hashed(s.names, hash, s.funcs.Len())
}

// hashed gives the numbers, below count, of the rows of a hash.
func hashed(names flat.Table, hash uint32, count int) ([]int32, error) {
	i, err := names.Search(func(row []byte) bool { return binary.LittleEndian.Uint32(row) >= hash })
	if err != nil {
		return nil, err
	}
	var out []int32
	row := make([]byte, nameRow)
	for ; i < names.Len(); i++ {
		if err := names.Row(i, row); err != nil {
			return nil, err
		}
		if binary.LittleEndian.Uint32(row) != hash {
			break
		}
		n := int32(binary.LittleEndian.Uint32(row[4:]))
		if n < 0 || int(n) >= count {
			return nil, flat.ErrFormat
		}
		out = append(out, n)
	}
	return out, nil
}

func (s *storedIndex) decodeAll() []*function {
	out := make([]*function, s.funcs.Len())
	for i := range out {
		out[i] = s.function(int32(i))
	}
	return out
}
