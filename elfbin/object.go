package elfbin

import (
	"debug/elf"
	"encoding/binary"
)

// relocate applies the relocations of section number i of a relocatable file
// to its contents. Undefined symbols count as address 0. Relocation types
// that change only instructions other than calls, jumps and data are left.
func (f *File) relocate(i int, data []byte) error {
	for _, k := range f.fixups[uint32(i)] {
		s := f.sections[k]
		b, err := f.read(s.Name, s.Offset, s.Size)
		if err != nil {
			return err
		}
		le := binary.LittleEndian
		for ; len(b) >= relaSize; b = b[relaSize:] {
			where, info, addend := le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:])
			value := addend
			if n := f.symbolNumber(s.Link, info>>32); n >= 0 && f.symbols[n].Defined() {
				value += f.symbols[n].Value
			}
			if where >= uint64(len(data)) {
				return f.bad(s.Name, s.Offset, "relocation of byte %#x of %d", where, len(data))
			}
			f.patch(data[where:], uint32(info), value, f.sections[i].Addr+where)
		}
	}
	return nil
}

// patch stores a relocated value (symbol + addend) at b, which is at address place.
func (f *File) patch(b []byte, typ uint32, value, place uint64) {
	le := binary.LittleEndian
	width, relative := f.fixup(typ)
	if relative {
		value -= place
	}
	switch {
	case width == 8 && len(b) >= 8:
		le.PutUint64(b, value)
	case width == 4 && len(b) >= 4:
		le.PutUint32(b, uint32(value))
	case width == 26 && len(b) >= 4:
		// B and BL: 26 bits, in instructions (Arm ARM C6.2.25).
		le.PutUint32(b, le.Uint32(b)&^0x3ffffff|uint32(value>>2)&0x3ffffff)
	}
}

// fixup is the width of a static relocation in bytes (26: the bits of an
// arm64 branch), 0 for one that is not applied, and whether it is relative to
// its place.
func (f *File) fixup(typ uint32) (width int, relative bool) {
	if f.arch == ARM64 {
		switch elf.R_AARCH64(typ) {
		case elf.R_AARCH64_ABS64:
			return 8, false
		case elf.R_AARCH64_ABS32:
			return 4, false
		case elf.R_AARCH64_PREL64:
			return 8, true
		case elf.R_AARCH64_PREL32:
			return 4, true
		case elf.R_AARCH64_CALL26, elf.R_AARCH64_JUMP26:
			return 26, true
		}
		return 0, false
	}
	switch elf.R_X86_64(typ) {
	case elf.R_X86_64_64:
		return 8, false
	case elf.R_X86_64_32, elf.R_X86_64_32S:
		return 4, false
	case elf.R_X86_64_PC64:
		return 8, true
	case elf.R_X86_64_PC32, elf.R_X86_64_PLT32:
		return 4, true
	}
	return 0, false
}
