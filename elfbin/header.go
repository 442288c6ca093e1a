package elfbin

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
)

// Sizes of the records of an ELF64 file (gABI chapters 4 and 5).
const (
	elfHeaderSize     = 64
	programHeaderSize = 56
	sectionHeaderSize = 64
	symbolSize        = 24
	relaSize          = 24
	dynSize           = 16
)

// SectionHeader describes one section as the file does.
type SectionHeader struct {
	Name    string
	Type    elf.SectionType
	Flags   elf.SectionFlag
	Addr    uint64 // virtual address; see File for relocatable files
	Offset  uint64 // file offset
	Size    uint64 // bytes in the file, or in memory for SHT_NOBITS
	Link    uint32
	Info    uint32
	EntSize uint64

	name  uint32
	align uint64
}

// stored tells whether the section has bytes in the file.
func (s SectionHeader) stored() bool {
	return s.Type != elf.SHT_NULL && s.Type != elf.SHT_NOBITS
}

// Sections gives all section headers, the null section first.
func (f *File) Sections() []SectionHeader { return append([]SectionHeader(nil), f.sections...) }

// tables are where the ELF header says the other headers are.
type tables struct {
	phoff, shoff    uint64
	phnum, shnum    uint64
	shstrndx        uint32
	phsize, shsize  uint16
	extendedPhCount bool
}

func (f *File) readHeaders() error {
	t, err := f.readELFHeader()
	if err != nil {
		return err
	}
	if err := f.readSectionHeaders(&t); err != nil {
		return err
	}
	return f.readProgramHeaders(t)
}

func (f *File) readELFHeader() (tables, error) {
	const where = "ELF header"
	magic, err := f.read(where, 0, min(f.size, elf.EI_NIDENT))
	if err != nil {
		return tables{}, err
	}
	if len(magic) == 0 {
		return tables{}, f.bad(where, 0, "%w: the file is empty", ErrNotELF)
	}
	if strings.HasPrefix(string(magic), "#!") {
		return tables{}, f.bad(where, 0, "%w but a script: give the path of its interpreter", ErrNotELF)
	}
	if len(magic) < elf.EI_NIDENT || string(magic[:4]) != elf.ELFMAG {
		return tables{}, f.bad(where, 0, "%w (it starts with % x)", ErrNotELF, magic[:min(4, len(magic))])
	}
	class, data := elf.Class(magic[elf.EI_CLASS]), elf.Data(magic[elf.EI_DATA])
	if class != elf.ELFCLASS64 || data != elf.ELFDATA2LSB {
		return tables{}, f.bad(where, elf.EI_CLASS, "%v %v: %w", class, data, ErrUnsupported)
	}
	b, err := f.read(where, 0, elfHeaderSize)
	if err != nil {
		return tables{}, err
	}
	le := binary.LittleEndian
	f.typ, f.entry = elf.Type(le.Uint16(b[16:])), le.Uint64(b[24:])
	switch m := elf.Machine(le.Uint16(b[18:])); m {
	case elf.EM_X86_64:
		f.arch = AMD64
	case elf.EM_AARCH64:
		f.arch = ARM64
	default:
		return tables{}, f.bad(where, 18, "machine %v: %w", m, ErrUnsupported)
	}
	switch f.typ {
	case elf.ET_EXEC, elf.ET_DYN, elf.ET_REL:
	default:
		return tables{}, f.bad(where, 16, "%v is neither a program, a library nor an object file", f.typ)
	}
	t := tables{
		phoff: le.Uint64(b[32:]), shoff: le.Uint64(b[40:]),
		phsize: le.Uint16(b[54:]), phnum: uint64(le.Uint16(b[56:])),
		shsize: le.Uint16(b[58:]), shnum: uint64(le.Uint16(b[60:])),
		shstrndx: uint32(le.Uint16(b[62:])),
	}
	// PN_XNUM: the count is in section header 0.
	t.extendedPhCount = t.phnum == 0xffff
	return t, nil
}

// readSectionHeaders also resolves the counts that do not fit the ELF
// header's 16 bits and are kept in section header 0.
func (f *File) readSectionHeaders(t *tables) error {
	const where = "section headers"
	if t.shoff == 0 {
		return nil
	}
	if t.shsize != sectionHeaderSize {
		return f.bad(where, 58, "an entry has %d bytes, not %d", t.shsize, sectionHeaderSize)
	}
	b, err := f.read(where, t.shoff, sectionHeaderSize)
	if err != nil {
		return err
	}
	zero := parseSectionHeader(b)
	if t.shnum == 0 {
		t.shnum = zero.Size
	}
	if t.shstrndx == uint32(elf.SHN_XINDEX) {
		t.shstrndx = zero.Link
	}
	if t.extendedPhCount {
		t.phnum = uint64(zero.Info)
	}
	if t.shnum > (f.size-t.shoff)/sectionHeaderSize {
		return f.bad(where, t.shoff, "%d entries end past the end of the file (%#x bytes): the file is truncated or damaged", t.shnum, f.size)
	}
	if b, err = f.read(where, t.shoff, t.shnum*sectionHeaderSize); err != nil {
		return err
	}
	f.sections = make([]SectionHeader, t.shnum)
	f.free = f.size
	for i := range f.sections {
		s := parseSectionHeader(b[i*sectionHeaderSize:])
		// Debug sections stay at 0: references into them are offsets.
		if f.typ == elf.ET_REL && s.Flags&elf.SHF_ALLOC != 0 {
			s.Addr = s.Offset
			if s.Type == elf.SHT_NOBITS {
				// Loads and stores of arm64 count on the alignment.
				const most = 1 << 16
				if a := s.align; a > 1 && a <= most && a&(a-1) == 0 {
					f.free = (f.free + a - 1) &^ (a - 1)
				}
				s.Addr = f.free
				f.free += s.Size
			}
		}
		f.sections[i] = s
	}
	return f.nameSections(t.shstrndx)
}

func parseSectionHeader(b []byte) SectionHeader {
	le := binary.LittleEndian
	return SectionHeader{
		name: le.Uint32(b), Type: elf.SectionType(le.Uint32(b[4:])), Flags: elf.SectionFlag(le.Uint64(b[8:])),
		Addr: le.Uint64(b[16:]), Offset: le.Uint64(b[24:]), Size: le.Uint64(b[32:]),
		Link: le.Uint32(b[40:]), Info: le.Uint32(b[44:]), EntSize: le.Uint64(b[56:]), align: le.Uint64(b[48:]),
	}
}

func (f *File) nameSections(shstrndx uint32) error {
	if shstrndx != 0 {
		names, err := f.stringTable(shstrndx, "section names")
		if err != nil {
			return err
		}
		for i := range f.sections {
			s := &f.sections[i]
			if s.Name, err = names.at(uint64(s.name)); err != nil {
				return err
			}
		}
	}
	return f.checkSections()
}

// checkSections refuses what could not be read in bounds, and notes what is
// looked up often.
func (f *File) checkSections() error {
	total := uint64(0)
	for i, s := range f.sections {
		if err := f.checkTable(i, s); err != nil {
			return err
		}
		if s.stored() && s.Offset < f.size {
			total += min(s.Size, f.size-s.Offset)
		}
		if total > maxLoadFactor*f.size {
			return f.bad("section headers", s.Offset, "sections overlap: together they have more than %d times the file's bytes", maxLoadFactor)
		}
		if f.typ == elf.ET_REL && s.Type == elf.SHT_RELA {
			f.fixups[s.Info] = append(f.fixups[s.Info], i)
		}
	}
	f.noteCode()
	return nil
}

// noteCode lists the executable sections.
func (f *File) noteCode() {
	f.code = nil
	for _, s := range f.sections {
		if s.Flags&elf.SHF_EXECINSTR != 0 && (f.typ != elf.ET_REL || s.stored()) && s.Addr+s.Size > s.Addr {
			f.code = append(f.code, Range{s.Addr, s.Addr + s.Size})
		}
	}
	slices.SortFunc(f.code, func(a, b Range) int { return cmp.Compare(a.Low, b.Low) })
}

// checkTable refuses metadata that lies outside of the file, so that what
// has no error to return later cannot take "unreadable" for "absent".
func (f *File) checkTable(i int, s SectionHeader) error {
	switch s.Type {
	case elf.SHT_SYMTAB, elf.SHT_DYNSYM, elf.SHT_RELA, elf.SHT_DYNAMIC, elf.SHT_NOTE,
		elf.SHT_GNU_VERSYM, elf.SHT_GNU_VERDEF, elf.SHT_GNU_VERNEED:
	default:
		return nil
	}
	if s.Offset > f.size || s.Size > f.size-s.Offset {
		return f.bad(fmt.Sprintf("section %d %s", i, s.Name), s.Offset,
			"%#x bytes end past the end of the file (%#x bytes): the file is truncated or damaged", s.Size, f.size)
	}
	return nil
}
