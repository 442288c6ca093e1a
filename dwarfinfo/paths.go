package dwarfinfo

import (
	"fmt"
	"path"
	"sort"
	"sync"
)

// pathsPerByte bounds the file names that a unit may have joined, by its
// size: two bytes name a file, and its directory may be long.
const pathsPerByte = 64

// fileTables reads the file tables of line headers, once each.
type fileTables struct {
	starts map[*sections][]uint64 // where units' line tables begin, ascending
	mu     sync.Mutex
	cache  map[fileKey]*fileTable
}

// fileKey: the unit's string base and address size take part in decoding.
type fileKey struct {
	in           *sections
	off, strBase uint64
	addrSize     uint8
}

type fileTable struct {
	once sync.Once
	h    *lineHeader
	err  error
}

func newFileTables(units []unit) *fileTables {
	t := &fileTables{starts: map[*sections][]uint64{}, cache: map[fileKey]*fileTable{}}
	for i := range units {
		if u := &units[i]; u.meta.HasLines {
			t.starts[u.lines] = append(t.starts[u.lines], u.meta.lineOffset)
		}
	}
	for in := range t.starts {
		t.starts[in] = distinct(t.starts[in])
	}
	return t
}

// distinct sorts and removes repetitions in place.
func distinct(s []uint64) []uint64 {
	sort.Slice(s, func(i, j int) bool { return s[i] < s[j] })
	n := 0
	for i, v := range s {
		if i == 0 || v != s[n-1] {
			s[n] = v
			n++
		}
	}
	return s[:n]
}

// extent tells how far what begins at off may reach: past at most maxOverlap
// of the others, so that all together cost a small multiple of the section.
func extent(starts []uint64, off uint64, end int) int {
	i := sort.Search(len(starts), func(i int) bool { return starts[i] > off }) + maxOverlap
	if i < len(starts) && starts[i] < uint64(end) {
		return int(starts[i])
	}
	return end
}

func (t *fileTables) get(u *unit) (*lineHeader, error) {
	key := fileKey{u.lines, u.meta.lineOffset, u.meta.strBase, u.enc.addrSize}
	t.mu.Lock()
	f := t.cache[key]
	if f == nil {
		f = &fileTable{}
		t.cache[key] = f
	}
	t.mu.Unlock()
	f.once.Do(func() {
		f.h, f.err = readLineHeader(lineReader(u.lines, &u.meta), key.off, extent(t.starts[u.lines], key.off, len(u.lines.line)))
	})
	return f.h, f.err
}

// paths gives one worker's file names. Equal ones are one string: units of a
// program include the same headers.
type paths struct {
	known map[string]string
	buf   []byte

	u      *unit
	tables *fileTables
	h      *lineHeader
	opened bool
	names  map[uint64]string // of this unit, by index
}

func newPaths() *paths {
	return &paths{known: map[string]string{}, names: map[uint64]string{}}
}

func (p *paths) open(u *unit, t *fileTables) {
	p.u, p.tables, p.h, p.opened = u, t, nil, false
	clear(p.names)
}

// file gives the path of a DW_AT_decl_file or DW_AT_call_file, "" when it
// cannot be told.
func (p *paths) file(at uint64, v value) string {
	if v.class != classConst {
		return ""
	}
	if name, ok := p.names[v.u]; ok {
		return name
	}
	if !p.opened {
		p.opened = true
		if p.u.meta.HasLines {
			h, err := p.tables.get(p.u)
			if err != nil {
				p.u.gapSet.add(GapBadUnit, at, "file names: "+err.Error())
			}
			p.h = h
		}
	}
	if p.h == nil || v.u >= uint64(len(p.h.files)) {
		return ""
	}
	if p.h.files[v.u].name == "" && v.u > 0 { // 0: none, before DWARF 5
		// Without the file a split of a function cannot be told from a call.
		p.u.gapSet.add(GapBadUnit, at, fmt.Sprintf("file %d of the line table has no name", v.u))
	}
	p.buf = p.h.path(p.buf[:0], v.u, p.u.meta.CompDir)
	if p.u.pathBudget -= len(p.buf); p.u.pathBudget < 0 {
		p.u.gapSet.add(GapBadUnit, at, "file names are out of all proportion to the unit")
		return ""
	}
	name, ok := p.known[string(p.buf)]
	if !ok {
		name = string(p.buf)
		p.known[name] = name
	}
	p.names[v.u] = name
	return name
}

// path appends the path of a file, joined with its directory and the unit's.
// One way for all, so that files of rows, declarations and calls compare equal.
func (h *lineHeader) path(buf []byte, i uint64, compDir string) []byte {
	if i >= uint64(len(h.files)) || h.files[i].name == "" {
		return buf
	}
	f := h.files[i]
	start := len(buf)
	if f.name[0] != '/' {
		dir := ""
		if f.dir < uint64(len(h.dirs)) {
			dir = h.dirs[f.dir]
		}
		if (dir == "" || dir[0] != '/') && compDir != "" {
			buf = append(append(buf, compDir...), '/')
		}
		if dir != "" {
			buf = append(append(buf, dir...), '/')
		}
	}
	buf = append(buf, f.name...)
	if clean(buf[start:]) {
		return buf
	}
	return append(buf[:start], path.Clean(string(buf[start:]))...)
}

// clean tells whether path.Clean has nothing to do, as nearly always.
func clean(p []byte) bool {
	for i, b := range p {
		if b == '.' && (i == 0 || p[i-1] == '/') || b == '/' && i > 0 && p[i-1] == '/' {
			return false // also some clean ones: ".hidden"
		}
	}
	return len(p) > 0 && p[len(p)-1] != '/'
}
