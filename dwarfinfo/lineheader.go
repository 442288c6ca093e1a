package dwarfinfo

import (
	"errors"
	"fmt"
)

var (
	errLineVersion = errors.New("line table version is not read")
	errFileForm    = errors.New("entry format of the file table is not usable")
)

// lineHeader is the header of a line number program (DWARF5 §6.2.4).
type lineHeader struct {
	version    uint16
	enc        encoding
	minInst    uint64
	maxOps     uint64
	isStmt     bool
	lineBase   int64
	lineRange  uint8
	opcodeBase uint8
	opLens     []byte // operand counts of the standard opcodes, from opcode 1
	dirs       []string
	files      []fileEntry
	program    int // position of the first opcode
	end        int
}

// fileEntry is one file as written; index 0 of a DWARF 4 table is a blank.
type fileEntry struct {
	name string
	dir  uint64
}

// lineReader is what of a unit takes part in reading its line table.
func lineReader(in *sections, meta *Unit) *unit {
	u := &unit{secs: in, strBase: meta.strBase}
	u.enc.addrSize = meta.addrSize
	return u
}

// readLineHeader reads the header at off, which must end before limit.
func readLineHeader(u *unit, off uint64, limit int) (*lineHeader, error) {
	data := u.secs.line
	if off >= uint64(len(data)) || int(off) >= limit {
		return nil, &FormatError{".debug_line", off, errTruncated}
	}
	c := cursor{data: data, pos: int(off)}
	h := &lineHeader{}
	n, is64 := c.length()
	if c.err == nil && n > uint64(len(data)-c.pos) {
		c.fail(errTruncated)
	}
	if c.err == nil {
		h.end = c.pos + int(n)
		h.enc = encoding{is64: is64, addrSize: u.enc.addrSize}
		c.data = data[:min(h.end, limit)]
		h.read(&c, u)
	}
	if c.err != nil {
		return nil, &FormatError{".debug_line", off, c.err}
	}
	return h, nil
}

func (h *lineHeader) read(c *cursor, u *unit) {
	h.version = c.u16()
	if c.err == nil && (h.version < 2 || h.version > 5) {
		c.fail(fmt.Errorf("version %d: %w", h.version, errLineVersion))
		return
	}
	if h.version >= 5 {
		h.enc.addrSize = c.u8()
		c.u8() // segment selector size
	}
	n := c.offset(h.enc.is64)
	if n > uint64(h.end-min(h.end, c.pos)) {
		c.fail(errTruncated)
		return
	}
	h.program = c.pos + int(n)
	h.minInst, h.maxOps = uint64(c.u8()), 1
	if h.version >= 4 {
		h.maxOps = max(1, uint64(c.u8()))
	}
	h.isStmt = c.u8() != 0
	h.lineBase = int64(int8(c.u8()))
	h.lineRange = c.u8()
	h.opcodeBase = c.u8()
	if c.err != nil || h.opcodeBase == 0 {
		c.fail(errTruncated)
		return
	}
	at := c.pos
	c.skip(uint64(h.opcodeBase) - 1)
	h.opLens = c.data[at:c.pos]
	if h.version >= 5 {
		h.dirs, h.files = h.tables5(c, u)
	} else {
		h.tables4(c)
	}
}

// tables4 reads the directories and files of DWARF 2 to 4, both counted from
// 1; directory 0 is the unit's.
func (h *lineHeader) tables4(c *cursor) {
	h.dirs = append(h.dirs, "")
	for {
		dir := c.cstring()
		if dir == "" {
			break
		}
		h.dirs = append(h.dirs, dir)
	}
	h.files = append(h.files, fileEntry{})
	for c.err == nil {
		f := fileEntry{name: c.cstring()}
		if f.name == "" {
			break
		}
		f.dir = c.uleb()
		c.uleb() // time
		c.uleb() // size
		h.files = append(h.files, f)
	}
}

func (h *lineHeader) tables5(c *cursor, u *unit) (dirs []string, files []fileEntry) {
	h.entries5(c, u, func(f fileEntry) { dirs = append(dirs, f.name) })
	h.entries5(c, u, func(f fileEntry) { files = append(files, f) })
	return dirs, files
}

// entries5 reads one DWARF 5 table: a description of its columns, then rows.
func (h *lineHeader) entries5(c *cursor, u *unit, add func(fileEntry)) {
	const (
		lnctPath = 1 // DWARF5 §6.2.4.1
		lnctDir  = 2
	)
	type column struct{ content, form uint16 }
	columns := make([]column, c.u8())
	for i := range columns {
		columns[i] = column{narrow(c.uleb()), narrow(c.uleb())}
	}
	fu := unit{header: header{enc: h.enc, version: 5}, secs: u.secs, strBase: u.strBase}
	for n := c.uleb(); n > 0 && c.err == nil; n-- {
		var f fileEntry
		start := c.pos
		for _, col := range columns {
			v := fu.value(c, col.form, 0)
			switch {
			case c.err != nil:
				return
			case col.content == lnctPath:
				f.name = fu.lineText(c, v)
			case col.content == lnctDir:
				f.dir = v.u
			}
		}
		if c.pos == start { // no bytes: the count alone would fill memory
			c.fail(errFileForm)
			return
		}
		add(f)
	}
}

// lineText resolves a path; a text in the header itself counts from
// .debug_line. A path in the alternate file is not known, which is no reason
// to lose the rows.
func (u *unit) lineText(c *cursor, v value) string {
	if v.class == classString {
		s, _, err := stringAt(c.data, v.u)
		if err != nil {
			c.fail(err)
		}
		return s
	}
	s, err := u.text(v)
	if err != nil && !errors.Is(err, errAlt) {
		c.fail(err)
	}
	return s
}
