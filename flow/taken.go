package flow

import (
	"encoding/binary"
	"slices"

	"github.com/surehook/surehook/elfbin"
)

// Addresses are the virtual addresses that instructions make: lea and
// immediates on x86-64, adr and adrp+add on arm64.
type Addresses struct {
	Code map[uint64]struct{} // in executable memory
	Data []uint64            // in the file's other memory, sorted
}

// AddressesTaken collects the addresses that the code in the given ranges
// makes. Pointers in data are not looked at. There may be a few addresses too
// many (a number that looks like an address): this can tell that nobody takes
// an address, not that somebody does.
func AddressesTaken(img Image, arch elfbin.Arch, code []elfbin.Range) (Addresses, error) {
	taken := Addresses{Code: map[uint64]struct{}{}}
	add := func(addr uint64) {
		switch {
		case img.Executable(addr):
			taken.Code[addr] = struct{}{}
		case len(img.Bytes(addr, 1)) == 1:
			taken.Data = append(taken.Data, addr)
		}
	}
	var pages adrpPages
	err := sweepCode(img, arch, code, func(_ elfbin.Range, in *Insn, b []byte) {
		if arch == elfbin.AMD64 {
			x86AddressMade(in, b, func(addr uint64, relative bool) {
				if relative || addr >= lowestFixed {
					add(addr)
				}
			})
		} else {
			pages.next(in, binary.LittleEndian.Uint32(b), add)
		}
	})
	slices.Sort(taken.Data)
	taken.Data = slices.Compact(taken.Data)
	return taken, err
}

// AddressTaken gives the code addresses of AddressesTaken.
func AddressTaken(img Image, arch elfbin.Arch, code []elfbin.Range) (map[uint64]struct{}, error) {
	taken, err := AddressesTaken(img, arch, code)
	return taken.Code, err
}

// x86AddressMade reports the address that an instruction makes, and whether
// relative to itself: else it may be any number.
func x86AddressMade(in *Insn, b []byte, add func(addr uint64, relative bool)) {
	if in.Kind != Plain || in.Nop || in.Len < 5 {
		return
	}
	f, ok := readX86Form(b)
	if !ok || f.vector || f.omap != mapOne {
		return
	}
	switch {
	case f.opcode == 0x8d && f.rip():
		add(in.End()+uint64(int32(binary.LittleEndian.Uint32(b[f.disp:]))), true)
	case f.immLen == 8 && f.opcode&0xf8 == 0xb8:
		add(binary.LittleEndian.Uint64(b[f.imm:]), false)
	case f.immLen == 4 && (f.opcode&0xf8 == 0xb8 || f.opcode == 0xc7 || f.opcode == 0x68 || f.opcode == 0x81):
		add(uint64(int32(binary.LittleEndian.Uint32(b[f.imm:]))), false)
	}
}

// adrpPages follows adrp to the add that completes the address.
type adrpPages struct {
	page  [32]uint64
	valid [32]bool
}

func (p *adrpPages) next(in *Insn, w uint32, add func(uint64)) {
	rd, rn := w&31, w>>5&31
	switch {
	case w&0x1f000000 == 0x10000000:
		imm := signExtend(uint64(w>>5&0x7ffff)<<2|uint64(w>>29&3), 21)
		if w>>31 == 0 {
			add(in.Addr + uint64(imm))
			p.valid[rd] = false
			return
		}
		p.page[rd], p.valid[rd] = in.Addr&^0xfff+uint64(imm<<12), true
	case w&0xffc00000 == 0x91000000 && p.valid[rn]: // add xd, xn, #imm12
		// The page stays known: compilers share one adrp among several adds.
		add(p.page[rn] + uint64(w>>10&0xfff))
		if rd != rn {
			p.valid[rd] = false
		}
	}
}
