package elfbin

import (
	"debug/elf"
	"strings"
	"unsafe"
)

// stringTable is an SHT_STRTAB section. Its strings share its memory.
type stringTable struct {
	file   *File
	name   string // in errors
	offset uint64 // file offset
	data   string
	budget uint64 // bytes of names that may still be given out
}

// stringTable reads section number i; what says who refers to it.
func (f *File) stringTable(i uint32, what string) (*stringTable, error) {
	if uint64(i) >= uint64(len(f.sections)) {
		return nil, f.bad(what, 0, "string table is section %d of %d", i, len(f.sections))
	}
	s := f.sections[i]
	if s.Type == elf.SHT_NOBITS {
		// A debug file without the table: .dynstr beside a NOBITS .dynsym.
		return nil, f.bad(what, s.Offset, "string table in section %d has no bytes", i)
	}
	b, err := f.read(what, s.Offset, s.Size)
	if err != nil {
		return nil, err
	}
	return &stringTable{file: f, name: what, offset: s.Offset, data: unsafe.String(unsafe.SliceData(b), len(b)), budget: maxNameFactor * f.size}, nil
}

// at gives the string that starts at the offset in the table.
func (t *stringTable) at(off uint64) (string, error) {
	if off == 0 && len(t.data) == 0 {
		return "", nil
	}
	if off >= uint64(len(t.data)) {
		return "", t.file.bad(t.name, t.offset, "string at %#x is past the string table (%#x bytes)", off, len(t.data))
	}
	rest := t.data[off:]
	rest = rest[:min(uint64(len(rest)), t.budget+1)]
	n := strings.IndexByte(rest, 0)
	if n < 0 && uint64(len(rest)) > t.budget {
		return "", t.file.bad(t.name, t.offset+off, "names are longer than %d times the file", maxNameFactor)
	}
	if n < 0 {
		return "", t.file.bad(t.name, t.offset+off, "string is not terminated")
	}
	t.budget -= uint64(n)
	return rest[:n], nil
}
