package atlas

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"os"
	"slices"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/surehook/surehook/internal/flat"
	"github.com/surehook/surehook/kernel"
)

// Atlas is an open atlas file. It is safe for concurrent use.
type Atlas struct {
	path     string
	r        io.ReaderAt
	file     io.Closer // nil if the caller keeps the file
	zstd     *zstd.Decoder
	sections map[sectionKey]section
	kernels  int

	names    texts
	protos   pool
	decls    pool
	defs     pool
	events   pool
	points   pool
	hooks    pool
	defNames func() ([]uint32, error)
	decoded  sync.Map // number of a trace event to its kernel.Tracepoint, as most kernels have the same
	entries  []*Entry
}

type sectionKey struct {
	kind   sectionKind
	kernel int
	group  int
}

// Open opens an atlas file. A damaged one gives a *FormatError, at once or
// when the damaged part is read.
func Open(path string) (*Atlas, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, err
	}
	a, err := New(f, info.Size(), path)
	if err != nil {
		f.Close()
		return nil, err
	}
	a.file = f
	return a, nil
}

// New reads an atlas of size bytes from r; name is for errors. r must stay
// readable until Close.
func New(r io.ReaderAt, size int64, name string) (*Atlas, error) {
	a := &Atlas{path: name, r: r, sections: map[sectionKey]section{}}
	list, err := readDirectory(r, size)
	if err != nil {
		return nil, a.damaged(uint64(max(size-int64(footerSize), 0)), err)
	}
	for _, s := range list {
		a.sections[sectionKey{s.kind, s.kernel, s.group}] = s
		a.kernels = max(a.kernels, s.kernel+1)
	}
	if a.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxMemory(maxSection)); err != nil {
		return nil, err
	}
	if err := a.openPools(); err != nil {
		a.Close()
		return nil, err
	}
	for i := range a.kernels {
		e, err := a.entry(i)
		if err != nil {
			a.Close()
			return nil, err
		}
		a.entries = append(a.entries, e)
	}
	return a, nil
}

// Entries gives the kernels in the order of the file.
func (a *Atlas) Entries() []*Entry { return a.entries }

// Close closes the file. Entries must not be used afterwards.
func (a *Atlas) Close() error {
	a.zstd.Close()
	if a.file == nil {
		return nil
	}
	return a.file.Close()
}

func (a *Atlas) damaged(offset uint64, err error) error {
	var known *FormatError
	if errors.As(err, &known) {
		return err
	}
	return &FormatError{Path: a.path, Offset: offset, Err: err}
}

// section unpacks a section; one that is not there is empty.
func (a *Atlas) section(kind sectionKind, kernel, group int) ([]byte, error) {
	s, ok := a.sections[sectionKey{kind, kernel, group}]
	if !ok {
		return nil, nil
	}
	b, err := s.unpack(a.r, a.zstd)
	if err != nil {
		return nil, a.damaged(s.offset, err)
	}
	return b, nil
}

// bad is the error for a section whose contents make no sense.
func (a *Atlas) bad(kind sectionKind, kernel int) error {
	return a.damaged(a.sections[sectionKey{kind, kernel, 0}].offset, errSection)
}

// groups makes the reader of a pool.
func (a *Atlas) groups(p *pool, kind sectionKind, n, per int, unpack func([]byte, int) ([]string, bool)) {
	p.n, p.per, p.unpack = n, per, unpack
	p.load = func(g int) ([]byte, error) { return a.section(kind, shared, g) }
	p.fail = func(g int) error { return a.damaged(a.sections[sectionKey{kind, shared, g}].offset, errSection) }
}

// openPools reads how many strings and records there are.
func (a *Atlas) openPools() error {
	data, err := a.section(sectHeads, shared, 0)
	if err != nil {
		return err
	}
	c := &cursor{data: data}
	n := c.int(maxStrings)
	for !c.bad && len(c.data) > 0 {
		a.names.heads = append(a.names.heads, c.text())
	}
	if !c.done() || len(a.names.heads) != (n+stringGroup-1)/stringGroup {
		return a.bad(sectHeads, shared)
	}
	a.groups(&a.names.pool, sectStrings, n, stringGroup, unpackStrings)
	if data, err = a.section(sectSizes, shared, 0); err != nil {
		return err
	}
	c = &cursor{data: data}
	for _, p := range []struct {
		pool *pool
		kind sectionKind
	}{{&a.protos, sectProtos}, {&a.decls, sectDecls}, {&a.defs, sectDefs}, {&a.events, sectEvents}, {&a.points, sectPoints}, {&a.hooks, sectHooks}} {
		a.groups(p.pool, p.kind, c.int(maxStrings), recordGroup, unpackRecords)
	}
	if !c.done() {
		return a.bad(sectSizes, shared)
	}
	a.defNames = sync.OnceValues(func() ([]uint32, error) { return a.numbers(sectDefNames, shared, a.defs.n, a.names.n) })
	return nil
}

// numbers reads a section of n numbers below limit.
func (a *Atlas) numbers(kind sectionKind, kernel, n, limit int) ([]uint32, error) {
	data, err := a.section(kind, kernel, 0)
	if err != nil {
		return nil, err
	}
	if n > len(data) {
		return nil, a.bad(kind, kernel)
	}
	c := &cursor{data: data}
	list := make([]uint32, n)
	for i := range list {
		list[i] = uint32(c.int(limit - 1))
	}
	if !c.done() {
		return nil, a.bad(kind, kernel)
	}
	return list, nil
}

// entry reads the meta data of a kernel.
func (a *Atlas) entry(i int) (*Entry, error) {
	e := &Entry{a: a, at: i}
	data, err := a.section(sectMeta, i, 0)
	if err != nil {
		return nil, err
	}
	m := &e.meta
	if err := json.Unmarshal(data, m); err != nil {
		return nil, a.damaged(a.sections[sectionKey{sectMeta, i, 0}].offset, err)
	}
	if most := slices.Max([]int{m.Funcs, m.Symbols, m.Copies, m.Nodes}); most > maxStrings || min(m.Funcs, m.Symbols, m.Copies, m.Nodes) < 0 || len(m.Unknown) > int(kernel.NumTopics) {
		return nil, a.bad(sectMeta, i)
	}
	e.lazy()
	return e, nil
}

// record decodes a record of a pool.
func record[T any](a *Atlas, p *pool, id uint32, code func(*flat.Coder, *T)) (T, error) {
	var v T
	text, err := p.get(id)
	if err != nil {
		return v, err
	}
	c := flat.Decoder([]byte(text), &a.names)
	code(c, &v)
	if err := c.Err(); err != nil {
		return v, cmp.Or(p.fail(int(id)/p.per), err)
	}
	return v, nil
}
