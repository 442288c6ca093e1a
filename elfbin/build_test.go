package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"
)

// image describes an ELF file to build: the tests' own small linker. Every
// SHF_ALLOC section gets a PT_LOAD of its own.
type image struct {
	typ      elf.Type    // ET_DYN if zero
	machine  elf.Machine // EM_X86_64 if zero
	entry    uint64
	sections []part
}

// part is one section of an image.
type part struct {
	name  string
	typ   elf.SectionType
	flags elf.SectionFlag
	addr  uint64
	data  []byte
	link  string // name of the linked section
	info  uint32
	size  uint64 // if data is nil: SHT_NOBITS or a lie
}

const (
	ax = elf.SHF_ALLOC | elf.SHF_EXECINSTR
	aw = elf.SHF_ALLOC | elf.SHF_WRITE
	ao = elf.SHF_ALLOC
)

func code(name string, addr uint64, data ...byte) part {
	return part{name: name, typ: elf.SHT_PROGBITS, flags: ax, addr: addr, data: data}
}

func debug(name string, data []byte) part {
	return part{name: name, typ: elf.SHT_PROGBITS, data: data}
}

// pack gives the little-endian bytes of integers, one after the other;
// strings as they are.
func pack(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		if s, ok := v.(string); ok {
			b.WriteString(s)
		} else if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// sym is a symbol to put into a table.
type sym struct {
	name        string
	value, size uint64
	typ         elf.SymType
	bind        elf.SymBind
	section     uint16
}

// symbolTable gives a symbol table and its string table.
func symbolTable(table, names string, typ elf.SectionType, syms ...sym) []part {
	data, text := make([]byte, symbolSize), "\x00"
	for _, s := range syms {
		data = append(data, pack(uint32(len(text)), elf.ST_INFO(s.bind, s.typ), uint8(0), s.section, s.value, s.size)...)
		text += s.name + "\x00"
	}
	flags := elf.SectionFlag(0)
	return []part{
		{name: table, typ: typ, flags: flags, data: data, link: names},
		{name: names, typ: elf.SHT_STRTAB, flags: flags, data: []byte(text)},
	}
}

func rela(where uint64, symbol, typ uint32, addend int64) []byte {
	return pack(where, uint64(symbol)<<32|uint64(typ), addend)
}

// bytes lays the image out: headers, sections, section headers.
func (im image) bytes() []byte {
	if im.typ == 0 {
		im.typ = elf.ET_DYN
	}
	if im.machine == 0 {
		im.machine = elf.EM_X86_64
	}
	names := "\x00"
	all := append([]part{{}}, im.sections...)
	all = append(all, part{name: ".shstrtab", typ: elf.SHT_STRTAB})
	index := map[string]uint32{}
	var nameAt []uint32
	for i, s := range all {
		nameAt = append(nameAt, uint32(len(names)))
		names += s.name + "\x00"
		if _, ok := index[s.name]; !ok {
			index[s.name] = uint32(i)
		}
	}
	nameAt[0] = 0
	all[len(all)-1].data = []byte(names)

	phnum := 0
	for _, s := range all {
		phnum += len(s.headers())
	}
	body := make([]byte, elfHeaderSize+phnum*programHeaderSize)
	var ph, sh []byte
	for i, s := range all {
		for len(body)%16 != 0 {
			body = append(body, 0)
		}
		off, size := uint64(len(body)), uint64(len(s.data))
		if s.data == nil {
			size = s.size
		}
		if i == 0 {
			off = 0
		}
		body = append(body, s.data...)
		for _, h := range s.headers() {
			filesz := size
			if s.typ == elf.SHT_NOBITS {
				filesz = 0
			}
			ph = append(ph, pack(uint32(h), uint32(s.segmentFlags()), off, s.addr, s.addr, filesz, size, uint64(4))...)
		}
		sh = append(sh, pack(nameAt[i], uint32(s.typ), uint64(s.flags), s.addr, off, size, index[s.link], s.info, uint64(1), uint64(0))...)
	}
	for len(body)%16 != 0 {
		body = append(body, 0)
	}
	head := pack(elf.ELFMAG, []byte{2, 1, 1, 0}, uint64(0), uint16(im.typ), uint16(im.machine), uint32(1), im.entry,
		uint64(elfHeaderSize), uint64(len(body)), uint32(0), uint16(elfHeaderSize),
		uint16(programHeaderSize), uint16(phnum), uint16(sectionHeaderSize), uint16(len(all)), uint16(len(all)-1))
	if im.typ == elf.ET_REL {
		binary.LittleEndian.PutUint16(head[56:], 0)
	}
	copy(body, head)
	copy(body[elfHeaderSize:], ph)
	return append(body, sh...)
}

func (s part) headers() []elf.ProgType {
	var out []elf.ProgType
	if s.flags&elf.SHF_ALLOC != 0 {
		out = append(out, elf.PT_LOAD)
	}
	switch {
	case s.typ == elf.SHT_NOTE:
		out = append(out, elf.PT_NOTE)
	case s.typ == elf.SHT_DYNAMIC:
		out = append(out, elf.PT_DYNAMIC)
	case s.name == ".interp":
		out = append(out, elf.PT_INTERP)
	}
	return out
}

func (s part) segmentFlags() elf.ProgFlag {
	f := elf.PF_R
	if s.flags&elf.SHF_EXECINSTR != 0 {
		f |= elf.PF_X
	}
	if s.flags&elf.SHF_WRITE != 0 {
		f |= elf.PF_W
	}
	return f
}

// open builds the image and opens it.
func (im image) open(t *testing.T) *File {
	t.Helper()
	return mustNew(t, im.bytes())
}

func mustNew(t *testing.T, b []byte) *File {
	t.Helper()
	f, err := New(bytes.NewReader(b), int64(len(b)), "/opt/test/prog")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// offsetOf is the file offset of a section of an opened image.
func offsetOf(t *testing.T, f *File, name string) uint64 {
	t.Helper()
	for _, s := range f.Sections() {
		if s.Name == name {
			return s.Offset
		}
	}
	t.Fatalf("no section %s", name)
	return 0
}

// note gives the notes section with a build id.
func note(id string) part {
	return part{
		name: ".note.gnu.build-id", typ: elf.SHT_NOTE,
		data: pack(uint32(4), uint32(len(id)), uint32(noteBuildID), "GNU\x00", id, strings.Repeat("\x00", -len(id)&3)),
	}
}
