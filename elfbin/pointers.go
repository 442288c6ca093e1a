package elfbin

import (
	"debug/elf"
	"encoding/binary"
	"math/bits"
	"slices"
)

// CodePointers gives the virtual addresses of code that data of this file
// points to, sorted, each once: functions that may be called without a direct
// call. In a file with a fixed address (ET_EXEC) every aligned word that could
// be such a pointer counts, as its linker leaves no relocation.
func (f *File) CodePointers() []uint64 {
	var out []uint64
	for _, r := range f.relocs() {
		if (r.kind == relocPointer || r.kind == relocResolver) && f.Executable(r.value) {
			out = append(out, r.value)
		}
	}
	for i, s := range f.sections {
		switch {
		case f.typ == elf.ET_DYN && s.Type == shtRELR:
			out = f.packedPointers(s, out)
		case f.typ != elf.ET_DYN && s.Flags&(elf.SHF_ALLOC|elf.SHF_EXECINSTR) == elf.SHF_ALLOC && s.Type == elf.SHT_PROGBITS,
			f.typ != elf.ET_DYN && (s.Type == elf.SHT_INIT_ARRAY || s.Type == elf.SHT_FINI_ARRAY):
			out = f.words(i, out)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// shtRELR is SHT_RELR.
const shtRELR = elf.SectionType(19)

// words appends the aligned 8-byte words of a section that point to code.
func (f *File) words(section int, out []uint64) []uint64 {
	b, err := f.sectionData(section)
	if err != nil {
		return out
	}
	start := min(-f.sections[section].Addr&7, uint64(len(b)))
	for b = b[start:]; len(b) >= 8; b = b[8:] {
		if p := binary.LittleEndian.Uint64(b); f.Executable(p) {
			out = append(out, p)
		}
	}
	return out
}

// packedPointers appends the pointers to code at the places that an SHT_RELR
// section lists: an even word is an address, an odd one a bitmap of the 63
// words behind the last place (gABI, "Relative Relocation Table").
func (f *File) packedPointers(s SectionHeader, out []uint64) []uint64 {
	b, err := f.read(s.Name, s.Offset, s.Size)
	if err != nil {
		return out
	}
	take := func(addr uint64) {
		if p, ok := f.Pointer(addr); ok && f.Executable(p) {
			out = append(out, p)
		}
	}
	for next := uint64(0); len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		if w&1 == 0 {
			take(w)
			next = w + 8
			continue
		}
		for m := w >> 1; m != 0; m &= m - 1 {
			take(next + 8*uint64(bits.TrailingZeros64(m)))
		}
		next += 63 * 8
	}
	return out
}
