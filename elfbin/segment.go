package elfbin

import (
	"debug/elf"
	"encoding/binary"
	"sort"
)

// segment is a program header.
type segment struct {
	typ    elf.ProgType
	flags  elf.ProgFlag
	offset uint64 // file offset
	addr   uint64 // virtual address
	filesz uint64
	memsz  uint64
	align  uint64

	pages pages // its bytes in the file, of PT_LOAD
}

// stored is how many of the segment's bytes the file has: a debug file may
// keep the headers of segments whose bytes it dropped.
func (s *segment) stored(size uint64) uint64 {
	if s.offset >= size {
		return 0
	}
	return min(s.filesz, size-s.offset)
}

func (f *File) readProgramHeaders(t tables) error {
	const where = "program headers"
	if t.phnum == 0 || t.phoff == 0 {
		return nil
	}
	if t.phsize != programHeaderSize {
		return f.bad(where, 54, "an entry has %d bytes, not %d", t.phsize, programHeaderSize)
	}
	if t.phnum > maxProgramHeaders {
		return f.bad(where, t.phoff, "%d entries are more than the kernel loads (%d)", t.phnum, maxProgramHeaders)
	}
	b, err := f.read(where, t.phoff, t.phnum*programHeaderSize)
	if err != nil {
		return err
	}
	total := uint64(0)
	for ; len(b) > 0; b = b[programHeaderSize:] {
		s := parseProgramHeader(b)
		if s.typ == elf.PT_LOAD {
			total += s.stored(f.size)
			s.pages = newPages(s.stored(f.size))
		}
		f.segments = append(f.segments, s)
	}
	if total > maxLoadFactor*f.size {
		return f.bad(where, t.phoff, "segments overlap: together they have %#x bytes of a file of %#x", total, f.size)
	}
	return nil
}

func parseProgramHeader(b []byte) *segment {
	le := binary.LittleEndian
	return &segment{
		typ: elf.ProgType(le.Uint32(b)), flags: elf.ProgFlag(le.Uint32(b[4:])),
		offset: le.Uint64(b[8:]), addr: le.Uint64(b[16:]),
		filesz: le.Uint64(b[32:]), memsz: le.Uint64(b[40:]), align: le.Uint64(b[48:]),
	}
}

// FileOffset gives the file offset of the code at a virtual address, as a
// uprobe takes it; false when the address is not in an executable segment
// (in a relocatable file: section) or has no bytes in this file.
func (f *File) FileOffset(addr uint64) (uint64, bool) {
	if f.typ == elf.ET_REL {
		return addr, addr < f.size && f.codeSection(addr)
	}
	for _, s := range f.segments {
		if s.typ == elf.PT_LOAD && s.flags&elf.PF_X != 0 && addr >= s.addr && addr-s.addr < s.stored(f.size) {
			return s.offset + (addr - s.addr), true
		}
	}
	return 0, false
}

// Address gives the virtual address of the code at a file offset: the
// inverse of FileOffset.
func (f *File) Address(offset uint64) (uint64, bool) {
	if f.typ == elf.ET_REL {
		return offset, offset < f.size && f.codeSection(offset)
	}
	for _, s := range f.segments {
		if s.typ == elf.PT_LOAD && s.flags&elf.PF_X != 0 && offset >= s.offset && offset-s.offset < s.stored(f.size) {
			addr := s.addr + (offset - s.offset)
			return addr, addr >= s.addr
		}
	}
	return 0, false
}

// Executable tells whether a virtual address lies in code: in an executable
// segment and, if the file has section headers, in an executable section, as
// old linkers put read-only data into the executable segment.
func (f *File) Executable(addr uint64) bool {
	if f.typ == elf.ET_REL {
		return f.codeSection(addr)
	}
	for _, s := range f.segments {
		if s.typ == elf.PT_LOAD && s.flags&elf.PF_X != 0 && addr >= s.addr && addr-s.addr < s.memsz {
			return len(f.sections) == 0 || f.codeSection(addr)
		}
	}
	return false
}

// codeSection tells whether an executable section contains the address.
func (f *File) codeSection(addr uint64) bool {
	i := sort.Search(len(f.code), func(i int) bool { return f.code[i].Low > addr })
	// Sections of one file do not overlap, except in files made to mislead.
	return i > 0 && f.code[i-1].Contains(addr)
}

// Bytes gives n bytes of the memory image at a virtual address, or fewer
// where the segment's bytes in the file end; nil when the file has none
// there. The caller must not change them.
func (f *File) Bytes(addr uint64, n int) []byte {
	if n <= 0 {
		return nil
	}
	if f.typ == elf.ET_REL {
		return f.objectBytes(addr, n)
	}
	for _, s := range f.segments {
		if s.typ != elf.PT_LOAD || addr < s.addr || addr-s.addr >= s.filesz {
			continue
		}
		if b := s.pages.get(f, s, addr-s.addr, n); b != nil {
			return b
		}
	}
	return nil
}

// objectBytes is Bytes for relocatable files, where the address is an offset.
func (f *File) objectBytes(addr uint64, n int) []byte {
	for i, s := range f.sections {
		if s.Flags&elf.SHF_ALLOC == 0 || !s.stored() || addr < s.Addr || addr-s.Addr >= s.Size {
			continue
		}
		b, err := f.sectionData(i)
		if err == nil && addr-s.Addr < uint64(len(b)) {
			b = b[addr-s.Addr:]
			return b[:min(n, len(b)):min(n, len(b))]
		}
	}
	return nil
}
