package elfbin

import (
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"sort"
)

// relocation is what the dynamic linker stores at an address, with the file
// loaded at its own addresses (base 0).
type relocation struct {
	where  uint64 // virtual address
	value  uint64 // valid if known
	symbol int32  // index in File.symbols, -1 without one
	kind   relocKind
}

type relocKind uint8

const (
	relocOther    relocKind = iota // not a pointer, or one only known when running
	relocPointer                   // value is what will be stored
	relocImport                    // address of an undefined symbol
	relocResolver                  // IRELATIVE: value is the address of a resolver
)

// relocations are sorted by address; the last one of an address counts.
type relocations []relocation

func (r relocations) at(addr uint64) (relocation, bool) {
	i := sort.Search(len(r), func(i int) bool { return r[i].where > addr })
	if i == 0 || r[i-1].where != addr {
		return relocation{}, false
	}
	return r[i-1], true
}

// readRelocations reads the SHT_RELA sections that the dynamic linker (or the
// start-up code of a static program) applies. Packed relative relocations
// (SHT_RELR) need no reading: they add the load base to what is stored.
func (f *File) readRelocations() relocations {
	var out relocations
	if f.typ == elf.ET_REL {
		return nil // applied by Section and Bytes
	}
	for _, s := range f.sections {
		if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		b, err := f.read(s.Name, s.Offset, s.Size)
		if err != nil {
			continue // New checked the place; the file has changed under us
		}
		for ; len(b) >= relaSize; b = b[relaSize:] {
			out = append(out, f.relocation(b, s.Link))
		}
	}
	slices.SortStableFunc(out, func(a, b relocation) int { return cmp.Compare(a.where, b.where) })
	return out
}

// relocation reads an Elf64_Rela whose symbols are in section number symtab.
func (f *File) relocation(b []byte, symtab uint32) relocation {
	le := binary.LittleEndian
	info, addend := le.Uint64(b[8:]), le.Uint64(b[16:])
	r := relocation{where: le.Uint64(b), symbol: f.symbolNumber(symtab, info>>32)}
	switch f.relocClass(uint32(info)) {
	case classRelative:
		r.kind, r.value, r.symbol = relocPointer, addend, -1
	case classResolver:
		r.kind, r.value, r.symbol = relocResolver, addend, -1
	case classSymbol:
		switch {
		case r.symbol < 0:
			r.kind, r.value = relocPointer, addend // symbol 0: absolute
			if info>>32 != 0 {
				r.kind = relocOther
			}
		case !f.symbols[r.symbol].Defined():
			r.kind = relocImport
		case f.symbols[r.symbol].IFunc():
			r.kind, r.value = relocResolver, f.symbols[r.symbol].Value+addend
		default:
			r.kind, r.value = relocPointer, f.symbols[r.symbol].Value+addend
		}
	}
	return r
}

// symbolNumber is the index in File.symbols of an entry of the symbol table
// in section number symtab, -1 for the null entry and what does not exist.
func (f *File) symbolNumber(symtab uint32, entry uint64) int32 {
	if entry == 0 || uint64(symtab) >= uint64(len(f.sections)) {
		return -1
	}
	if f.typ != elf.ET_REL { // else they are read, or being read
		f.Symbols()
	}
	first, end := f.first[Symtab], f.first[Dynsym]
	switch f.sections[symtab].Type {
	case elf.SHT_SYMTAB:
	case elf.SHT_DYNSYM:
		first, end = end, f.first[MiniDebug]
	default:
		return -1
	}
	if entry > uint64(end-first) {
		return -1
	}
	return int32(first + int(entry) - 1)
}

// relocClass is what a dynamic relocation type computes.
type relocClass uint8

const (
	classOther    relocClass = iota
	classRelative            // base + addend
	classResolver            // what the function at base + addend returns
	classSymbol              // symbol + addend
)

func (f *File) relocClass(typ uint32) relocClass {
	if f.arch == ARM64 {
		switch elf.R_AARCH64(typ) {
		case elf.R_AARCH64_RELATIVE:
			return classRelative
		case elf.R_AARCH64_IRELATIVE:
			return classResolver
		case elf.R_AARCH64_ABS64, elf.R_AARCH64_GLOB_DAT, elf.R_AARCH64_JUMP_SLOT:
			return classSymbol
		}
		return classOther
	}
	switch elf.R_X86_64(typ) {
	case elf.R_X86_64_RELATIVE:
		return classRelative
	case elf.R_X86_64_IRELATIVE:
		return classResolver
	case elf.R_X86_64_64, elf.R_X86_64_GLOB_DAT, elf.R_X86_64_JMP_SLOT:
		return classSymbol
	}
	return classOther
}

// Pointer gives the 8-byte pointer stored at a virtual address as it is when
// the file runs at its own addresses: relocations applied. It is false when
// the address is not in the file, or what is stored there is only known when
// it runs (an imported symbol, an IFUNC).
func (f *File) Pointer(addr uint64) (uint64, bool) {
	if r, ok := f.relocs().at(addr); ok {
		return r.value, r.kind == relocPointer
	}
	b := f.Bytes(addr, 8)
	if len(b) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}
