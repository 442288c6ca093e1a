package elfbin

import (
	"debug/elf"
	"encoding/binary"
	"fmt"
)

// relocate applies the relocations of section number i of a relocatable file
// to its contents. In debug information undefined symbols count as address 0
// and a type that is not known is an error; in code and data undefined symbols
// have the addresses of externAddr, and what is not known is left.
func (f *File) relocate(i int, data []byte) error {
	loaded := f.sections[i].Flags&elf.SHF_ALLOC != 0
	for _, k := range f.fixups[uint32(i)] {
		s := f.sections[k]
		b, err := f.read(s.Name, s.Offset, s.Size)
		if err != nil {
			return err
		}
		le := binary.LittleEndian
		for at := s.Offset; len(b) >= relaSize; b, at = b[relaSize:], at+relaSize {
			where, info, value := le.Uint64(b), le.Uint64(b[8:]), le.Uint64(b[16:])
			switch n := f.symbolNumber(s.Link, info>>32); {
			case n >= 0 && f.symbols[n].Defined():
				value += f.symbols[n].Value
			case n >= 0 && loaded:
				value += f.externAddr(n)
			}
			if where >= uint64(len(data)) {
				return f.bad(s.Name, at, "relocation of byte %#x of %d", where, len(data))
			}
			if !f.patch(data[where:], uint32(info), value, f.sections[i].Addr+where) && !loaded {
				return f.bad(s.Name, at, "relocation type %s is not known, or leaves the section", f.relocName(uint32(info)))
			}
		}
	}
	return nil
}

// externStep is the distance of the addresses that undefined symbols get.
const externStep = 16

// externAddr is an address for an undefined symbol of a relocatable file,
// behind all its sections: a call of it can be told from all others.
func (f *File) externAddr(symbol int32) uint64 {
	return (f.free+0xffff)&^0xffff + uint64(symbol)*externStep
}

// externs gives the undefined symbols of a relocatable file by address.
func (f *File) externs() map[uint64]string {
	out := map[uint64]string{}
	for i := range f.symbols {
		if s := &f.symbols[i]; !s.Defined() && s.Name != "" {
			out[f.externAddr(int32(i))] = s.Name
		}
	}
	return out
}

func (f *File) relocName(typ uint32) string {
	if f.arch == ARM64 {
		return elf.R_AARCH64(typ).String()
	}
	return elf.R_X86_64(typ).String()
}

// patch stores a relocated value (symbol + addend) at b, which is at address
// place. It is false for a type that is not applied.
func (f *File) patch(b []byte, typ uint32, value, place uint64) bool {
	x := fixupAMD64(typ)
	if f.arch == ARM64 {
		x = fixupARM64(typ)
	}
	switch {
	case x.form == formNone:
		return true
	case x.pages:
		value = value&^0xfff - place&^0xfff
	case x.relative:
		value -= place
	}
	le := binary.LittleEndian
	switch {
	case x.form == form8 && len(b) >= 1:
		b[0] = byte(value)
	case x.form == form16 && len(b) >= 2:
		le.PutUint16(b, uint16(value))
	case x.form == form32 && len(b) >= 4:
		le.PutUint32(b, uint32(value))
	case x.form == form64 && len(b) >= 8:
		le.PutUint64(b, value)
	case x.form >= formField && len(b) >= 4:
		le.PutUint32(b, x.field(le.Uint32(b), value>>x.shift))
	default:
		return false
	}
	return true
}

// fixup says how a static relocation is applied.
type fixup struct {
	form     fixupForm
	relative bool  // to the place
	pages    bool  // relative in pages of 4 KiB
	shift    uint8 // of the value, in bits
}

type fixupForm uint8

const (
	formUnknown fixupForm = iota
	formNone              // nothing to do
	form8
	form16
	form32
	form64
	formField  // arm64: bits of an instruction from here on
	formADR    // immhi:immlo (Arm ARM C6.2.10)
	formImm12  // bits 10 to 21: add, loads and stores
	formImm14  // bits 5 to 18: tbz
	formImm16  // bits 5 to 20: movz, movk
	formImm19  // bits 5 to 23: b.cond, cbz, ldr
	formBranch // bits 0 to 25: b, bl
)

// field puts the value into an instruction.
func (x fixup) field(insn uint32, value uint64) uint32 {
	put := func(low, width uint) uint32 {
		mask := uint32(1)<<width - 1
		return insn&^(mask<<low) | uint32(value)&mask<<low
	}
	switch x.form {
	case formADR:
		insn = put(29, 2)
		value >>= 2
		return put(5, 19)
	case formImm12:
		value &= 0xfff >> x.shift
		return put(10, 12)
	case formImm14:
		return put(5, 14)
	case formImm16:
		return put(5, 16)
	case formImm19:
		return put(5, 19)
	}
	return put(0, 26)
}

// fixupAMD64 covers what compilers emit without a GOT (psABI table 4.9): a
// kernel module has none.
func fixupAMD64(typ uint32) fixup {
	switch elf.R_X86_64(typ) {
	case elf.R_X86_64_64:
		return fixup{form: form64}
	case elf.R_X86_64_32, elf.R_X86_64_32S:
		return fixup{form: form32}
	case elf.R_X86_64_16:
		return fixup{form: form16}
	case elf.R_X86_64_8:
		return fixup{form: form8}
	case elf.R_X86_64_PC64:
		return fixup{form: form64, relative: true}
	case elf.R_X86_64_PC32, elf.R_X86_64_PLT32:
		return fixup{form: form32, relative: true}
	case elf.R_X86_64_PC16:
		return fixup{form: form16, relative: true}
	case elf.R_X86_64_PC8:
		return fixup{form: form8, relative: true}
	case elf.R_X86_64_NONE, elf.R_X86_64_DTPOFF32, elf.R_X86_64_DTPOFF64: // places of thread-local variables
		return fixup{form: formNone}
	}
	return fixup{}
}

// fixupARM64 covers data, branches and addresses in the small code model
// (ELF for the Arm 64-bit Architecture, 5.7).
func fixupARM64(typ uint32) fixup {
	switch elf.R_AARCH64(typ) {
	case elf.R_AARCH64_ABS64:
		return fixup{form: form64}
	case elf.R_AARCH64_ABS32:
		return fixup{form: form32}
	case elf.R_AARCH64_ABS16:
		return fixup{form: form16}
	case elf.R_AARCH64_PREL64:
		return fixup{form: form64, relative: true}
	case elf.R_AARCH64_PREL32, 314: // PLT32
		return fixup{form: form32, relative: true}
	case elf.R_AARCH64_PREL16:
		return fixup{form: form16, relative: true}
	case elf.R_AARCH64_CALL26, elf.R_AARCH64_JUMP26:
		return fixup{form: formBranch, relative: true, shift: 2}
	case elf.R_AARCH64_CONDBR19, elf.R_AARCH64_LD_PREL_LO19:
		return fixup{form: formImm19, relative: true, shift: 2}
	case elf.R_AARCH64_TSTBR14:
		return fixup{form: formImm14, relative: true, shift: 2}
	case elf.R_AARCH64_ADR_PREL_LO21:
		return fixup{form: formADR, relative: true}
	case elf.R_AARCH64_ADR_PREL_PG_HI21, elf.R_AARCH64_ADR_PREL_PG_HI21_NC:
		return fixup{form: formADR, pages: true, shift: 12}
	case elf.R_AARCH64_NONE, elf.R_AARCH64_NULL, elf.R_AARCH64_TLS_DTPREL64:
		return fixup{form: formNone}
	}
	return fixupMove(typ)
}

// fixupMove covers the low halves of addresses, and addresses in pieces.
func fixupMove(typ uint32) fixup {
	switch elf.R_AARCH64(typ) {
	case elf.R_AARCH64_ADD_ABS_LO12_NC, elf.R_AARCH64_LDST8_ABS_LO12_NC:
		return fixup{form: formImm12}
	case elf.R_AARCH64_LDST16_ABS_LO12_NC:
		return fixup{form: formImm12, shift: 1}
	case elf.R_AARCH64_LDST32_ABS_LO12_NC:
		return fixup{form: formImm12, shift: 2}
	case elf.R_AARCH64_LDST64_ABS_LO12_NC:
		return fixup{form: formImm12, shift: 3}
	case elf.R_AARCH64_LDST128_ABS_LO12_NC:
		return fixup{form: formImm12, shift: 4}
	case elf.R_AARCH64_MOVW_UABS_G0, elf.R_AARCH64_MOVW_UABS_G0_NC:
		return fixup{form: formImm16}
	case elf.R_AARCH64_MOVW_UABS_G1, elf.R_AARCH64_MOVW_UABS_G1_NC:
		return fixup{form: formImm16, shift: 16}
	case elf.R_AARCH64_MOVW_UABS_G2, elf.R_AARCH64_MOVW_UABS_G2_NC:
		return fixup{form: formImm16, shift: 32}
	case elf.R_AARCH64_MOVW_UABS_G3:
		return fixup{form: formImm16, shift: 48}
	}
	return fixup{}
}

// placeLike gives the sections of a relocatable debug file the addresses that
// they have in the file it belongs to: its own offsets are others. Sections
// that the other does not have come behind all of it.
func (f *File) placeLike(other *File) error {
	type key struct {
		name string
		nth  int // sections of one name, as in groups
	}
	at := map[key]*SectionHeader{}
	count := map[string]int{}
	for i := range other.sections {
		if s := &other.sections[i]; s.Flags&elf.SHF_ALLOC != 0 {
			at[key{s.Name, count[s.Name]}] = s
			count[s.Name]++
		}
	}
	clear(count)
	moved := make([]uint64, len(f.sections)) // by how much, modulo 2^64
	free := other.free
	f.code = nil
	for i := range f.sections {
		s := &f.sections[i]
		if s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		to, ok := free, false
		if o := at[key{s.Name, count[s.Name]}]; o != nil {
			if to, ok = o.Addr, true; o.Size != s.Size {
				return fmt.Errorf("section %s has %#x bytes, in %s %#x", s.Name, s.Size, other.path, o.Size)
			}
		}
		count[s.Name]++
		if !ok {
			free += s.Size
		}
		moved[i] = to - s.Addr
		s.Addr = to
	}
	for i := range f.symbols {
		if s := &f.symbols[i]; s.Defined() && uint64(s.Section) < uint64(len(moved)) {
			s.Value += moved[s.Section]
		}
	}
	f.free = free
	f.noteCode()
	return nil
}
