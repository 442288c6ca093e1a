package loader

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"io"
)

// program is an executable for x86-64.
type program struct {
	r        io.ReaderAt
	segments []segment
	code     []byte // of the segment that is executed
	base     uint64 // its virtual address
}

// segment is a part of the file in memory.
type segment struct{ address, offset, size uint64 }

const (
	headerSize  = 64
	segmentSize = 56
	maxSegments = 64
)

// open reads the program headers and the code.
func open(r io.ReaderAt, size int64) (*program, error) {
	head := make([]byte, headerSize)
	if _, err := r.ReadAt(head, 0); err != nil {
		if errors.Is(err, io.EOF) {
			return nil, unread("it has no ELF header")
		}
		return nil, err
	}
	le := binary.LittleEndian
	if string(head[:4]) != elf.ELFMAG || head[elf.EI_CLASS] != byte(elf.ELFCLASS64) || head[elf.EI_DATA] != byte(elf.ELFDATA2LSB) {
		return nil, unread("it is no ELF file of 64 bits and little-endian")
	}
	if m := elf.Machine(le.Uint16(head[18:])); m != elf.EM_X86_64 {
		return nil, unread("its machine code (%s) is not read", m)
	}
	at, n := le.Uint64(head[32:]), uint64(le.Uint16(head[56:]))
	if n > maxSegments || le.Uint16(head[54:]) != segmentSize || at > uint64(size) || n*segmentSize > uint64(size)-at {
		return nil, unread("its program headers are damaged")
	}
	table := make([]byte, n*segmentSize)
	if _, err := r.ReadAt(table, int64(at)); err != nil {
		return nil, err
	}
	p := &program{r: r}
	for ; len(table) > 0; table = table[segmentSize:] {
		s := segment{le.Uint64(table[16:]), le.Uint64(table[8:]), le.Uint64(table[32:])}
		if elf.ProgType(le.Uint32(table)) != elf.PT_LOAD {
			continue
		}
		if s.offset > uint64(size) || s.size > uint64(size)-s.offset {
			return nil, unread("a segment of it ends behind the end of the file")
		}
		p.segments = append(p.segments, s)
		if elf.ProgFlag(le.Uint32(table[4:]))&elf.PF_X != 0 {
			if err := p.readCode(s); err != nil {
				return nil, err
			}
		}
	}
	if p.code == nil {
		return nil, unread("%v", errNoCode)
	}
	return p, nil
}

func (p *program) readCode(s segment) error {
	switch {
	case p.code != nil:
		return unread("it has several segments of code")
	case s.size > maxCode:
		return unread("it has %d bytes of code, of which libbpf's calls are not looked for", s.size)
	}
	p.code, p.base = make([]byte, s.size), s.address
	_, err := p.r.ReadAt(p.code, int64(s.offset))
	if errors.Is(err, io.EOF) && s.size == 0 {
		return nil
	}
	return err
}

// maxName bounds the names of functions (KSYM_NAME_LEN).
const maxName = 512

// name is the C identifier at an address in the data, "" if there is none.
func (p *program) name(address uint64) string {
	for _, s := range p.segments {
		if address < s.address || address-s.address >= s.size || s.address == p.base {
			continue
		}
		b := make([]byte, min(maxName, s.size-(address-s.address)))
		n, _ := p.r.ReadAt(b, int64(s.offset+address-s.address)) // what cannot be read is no name
		text, _, ended := bytes.Cut(b[:n], []byte{0})
		if ended && identifier(text) {
			return string(text)
		}
	}
	return ""
}

// identifier tells whether a text can be the name of a function. Compilers put
// dots into names.
func identifier(text []byte) bool {
	for i, c := range text {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c != '.' && (c < '0' || c > '9')) {
			return false
		}
	}
	return len(text) > 0
}

// at is the code from an address on; nil if there is none.
func (p *program) at(address uint64) []byte {
	if address < p.base || address-p.base >= uint64(len(p.code)) {
		return nil
	}
	return p.code[address-p.base:]
}
