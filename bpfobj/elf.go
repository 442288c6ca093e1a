package bpfobj

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxObject bounds the bytes of one object. The largest known ones, with
// tables for every kernel, have some 10 MB.
const maxObject = 64 << 20

// Sizes of the records of an ELF64 file (gABI chapters 4 and 5).
const (
	headerSize  = 64
	sectionSize = 64
	symbolSize  = 24
	relSize     = 16
)

// section is a section with its bytes; nil for SHT_NOBITS.
type section struct {
	name  string
	typ   elf.SectionType
	flags elf.SectionFlag
	link  uint32
	info  uint32
	data  []byte
	size  uint64 // also of one without bytes
}

func (s *section) code() bool {
	return s.typ == elf.SHT_PROGBITS && s.flags&elf.SHF_EXECINSTR != 0
}

// symbol is an entry of the symbol table.
type symbol struct {
	name    string
	kind    elf.SymType
	bind    elf.SymBind
	section elf.SectionIndex
	value   uint64 // offset in the section
	size    uint64
}

// object is an ELF file for BPF, in memory.
type object struct {
	path      string
	sections  []section
	symbols   []symbol
	functions map[int][]symbol // by section, then by place
}

func (o *object) bad(section string, offset uint64, format string, args ...any) error {
	return &FormatError{o.path, section, offset, fmt.Errorf(format, args...)}
}

// IsObject tells whether a file that begins with head (20 bytes of it are read)
// is an ELF file for BPF, of either byte order.
func IsObject(head []byte) bool {
	if len(head) < 20 || string(head[:4]) != elf.ELFMAG || head[elf.EI_CLASS] != byte(elf.ELFCLASS64) {
		return false
	}
	switch elf.Data(head[elf.EI_DATA]) {
	case elf.ELFDATA2LSB:
		return binary.LittleEndian.Uint16(head[18:]) == uint16(elf.EM_BPF)
	case elf.ELFDATA2MSB:
		return binary.BigEndian.Uint16(head[18:]) == uint16(elf.EM_BPF)
	}
	return false
}

// readObject reads an object of size bytes.
func readObject(r io.ReaderAt, size int64, path string) (*object, error) {
	o := &object{path: path}
	if size < headerSize {
		return nil, o.bad("ELF header", 0, "%w: %d bytes", ErrNotBPF, size)
	}
	if size > maxObject {
		return nil, o.bad("ELF header", 0, "%d bytes are more than surehook reads of an object (%d)", size, maxObject)
	}
	data := make([]byte, size)
	if n, err := r.ReadAt(data, 0); int64(n) < size {
		return nil, &FormatError{path, "file", uint64(n), err}
	}
	if !IsObject(data) {
		return nil, o.bad("ELF header", 0, "%w", ErrNotBPF)
	}
	if elf.Data(data[elf.EI_DATA]) == elf.ELFDATA2MSB {
		return nil, o.bad("ELF header", elf.EI_DATA, "%w", ErrByteOrder)
	}
	if err := o.readSections(data); err != nil {
		return nil, err
	}
	if err := o.readSymbols(); err != nil {
		return nil, err
	}
	o.functions = map[int][]symbol{}
	for _, y := range o.symbols {
		if y.kind == elf.STT_FUNC {
			o.functions[int(y.section)] = append(o.functions[int(y.section)], y)
		}
	}
	for _, list := range o.functions {
		slices.SortStableFunc(list, func(a, b symbol) int { return cmp.Compare(a.value, b.value) })
	}
	return o, nil
}

func (o *object) readSections(data []byte) error {
	const where = "section headers"
	le := binary.LittleEndian
	at, n, names := le.Uint64(data[40:]), uint64(le.Uint16(data[60:])), int(le.Uint16(data[62:]))
	if at > uint64(len(data)) || n*sectionSize > uint64(len(data))-at || le.Uint16(data[58:]) != sectionSize {
		return o.bad(where, at, "%d entries end past the end of the file (%#x bytes): the file is truncated or damaged", n, len(data))
	}
	o.sections = make([]section, n)
	offsets := make([]uint32, n)
	for i := range o.sections {
		b := data[at+uint64(i)*sectionSize:]
		s := section{
			typ: elf.SectionType(le.Uint32(b[4:])), flags: elf.SectionFlag(le.Uint64(b[8:])),
			size: le.Uint64(b[32:]), link: le.Uint32(b[40:]), info: le.Uint32(b[44:]),
		}
		offsets[i] = le.Uint32(b)
		if s.typ != elf.SHT_NULL && s.typ != elf.SHT_NOBITS {
			from := le.Uint64(b[24:])
			if from > uint64(len(data)) || s.size > uint64(len(data))-from {
				return o.bad(fmt.Sprintf("section %d", i), from, "%#x bytes end past the end of the file: the file is truncated or damaged", s.size)
			}
			s.data = data[from : from+s.size : from+s.size]
		}
		o.sections[i] = s
	}
	if names >= len(o.sections) {
		return o.bad(where, 62, "there is no section %d for the names", names)
	}
	table := string(o.sections[names].data)
	for i := range o.sections {
		name, ok := text(table, offsets[i])
		if !ok && i > 0 {
			return o.bad(where, at+uint64(i)*sectionSize, "the name at %#x is outside of the names", offsets[i])
		}
		o.sections[i].name = name
	}
	return nil
}

// text gives the string at an offset of a string table, in whose memory it is:
// names that share their bytes cost nothing.
func text(table string, at uint32) (string, bool) {
	if uint64(at) >= uint64(len(table)) {
		return "", false
	}
	name, _, ok := strings.Cut(table[at:min(uint64(at)+maxName+1, uint64(len(table)))], "\x00")
	return name, ok
}

// maxName bounds the length of a name: KSYM_NAME_LEN is 512, mangled names of
// Rust and C++ are longer.
const maxName = 4096

func (o *object) readSymbols() error {
	le := binary.LittleEndian
	for i := range o.sections {
		s := &o.sections[i]
		if s.typ != elf.SHT_SYMTAB {
			continue
		}
		if uint64(s.link) >= uint64(len(o.sections)) {
			return o.bad(s.name, 0, "there is no section %d for the names", s.link)
		}
		table := string(o.sections[s.link].data)
		for at := 0; at+symbolSize <= len(s.data); at += symbolSize {
			b := s.data[at:]
			name, ok := text(table, le.Uint32(b))
			if !ok && at > 0 {
				return o.bad(s.name, uint64(at), "the name at %#x is outside of the names", le.Uint32(b))
			}
			o.symbols = append(o.symbols, symbol{
				name: name, kind: elf.SymType(b[4] & 15), bind: elf.SymBind(b[4] >> 4),
				section: elf.SectionIndex(le.Uint16(b[6:])), value: le.Uint64(b[8:]), size: le.Uint64(b[16:]),
			})
		}
		return nil
	}
	return nil
}

// named gives the first section of a name, nil without one.
func (o *object) named(name string) *section {
	for i := range o.sections {
		if o.sections[i].name == name {
			return &o.sections[i]
		}
	}
	return nil
}
