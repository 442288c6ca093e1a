package flow

import (
	"encoding/binary"

	"github.com/surehook/surehook/elfbin"
)

// Effect tells whether the instruction does what a compiler may not move
// across a branch or leave out: a call, a write to memory that is not an
// operand of the stack pointer (spills are), or anything unusual. False is a
// statement about common instructions only: what is not recognised has an
// effect.
func Effect(arch elfbin.Arch, in *Insn, code []byte) bool {
	switch in.Kind {
	case Plain:
	case Jump, CondJump, IndirectJump, Return:
		return false
	default:
		return true
	}
	if in.Nop {
		return false
	}
	if arch == elfbin.AMD64 {
		f, ok := readX86Form(code)
		return !ok || f.effect(code)
	}
	if len(code) < 4 {
		return true
	}
	return arm64Effect(binary.LittleEndian.Uint32(code))
}

// effect judges a Plain instruction by its opcode (Intel SDM vol. 2, appendix A).
func (f *x86Form) effect(b []byte) bool {
	if f.omap == mapOne {
		switch f.opcode {
		case 0xa4, 0xa5, 0xaa, 0xab, 0x6c, 0x6d, 0x6e, 0x6f, 0xe4, 0xe5, 0xe6, 0xe7, 0xec, 0xed, 0xee, 0xef, 0xcd, 0xf4, 0xa2, 0xa3:
			return true // string stores, ports, interrupts, mov to a fixed address
		}
	}
	if !f.hasModRM || f.register() || f.onStack(b) {
		return f.omap == map0F && (f.opcode == 0x05 || f.opcode == 0xa2 || f.opcode == 0x31 || f.opcode == 0x01) // syscall, cpuid, rdtsc
	}
	switch f.omap {
	case mapOne:
		return f.effectOneByte()
	case map0F:
		return f.effectTwoByte()
	}
	if f.omap == map0F38 {
		return f.opcode == 0xf1 || f.vector && f.opcode >= 0x8a // movbe, masked and scattered stores
	}
	return true // vextract and the like may store
}

// onStack tells whether the memory operand is relative to the stack pointer.
func (f *x86Form) onStack(b []byte) bool {
	sib := int(f.len) - int(f.immLen) - int(f.dspLen) - 1
	return !f.vector && f.modrm&7 == 4 && f.rex&1 == 0 && sib > 0 && sib < len(b) && b[sib]&7 == 4
}

func (f *x86Form) effectOneByte() bool {
	op, digit := f.opcode, f.reg()
	switch {
	case op < 0x40:
		return op&6 == 0 && op&0xf8 != 0x38 // op r/m, r; not cmp
	case op == 0x80 || op == 0x81 || op == 0x83:
		return digit != 7
	case op == 0x63 || op == 0x69 || op == 0x6b || op == 0x84 || op == 0x85 || op == 0x8a || op == 0x8b || op == 0x8d:
		return false
	case op == 0xf6 || op == 0xf7:
		return digit == 2 || digit == 3
	case op == 0xfe || op == 0xff:
		return digit < 2
	}
	return true
}

func (f *x86Form) effectTwoByte() bool {
	switch op := f.opcode; {
	case op == 0x10 || op == 0x12 || op == 0x14 || op == 0x15 || op == 0x16 || op == 0x28:
		return false
	case op >= 0x2a && op <= 0x2f && op != 0x2b, op >= 0x40 && op < 0x7e, op >= 0xb6 && op <= 0xb9, op == 0xbc, op == 0xbd, op == 0xbe, op == 0xbf:
		return false
	case op == 0x7e:
		return !f.rep // f3 0f 7e loads
	case op == 0xa3, op == 0xaf, op == 0xb2, op == 0xc2, op == 0xc4, op == 0xc6:
		return false
	case op == 0xba:
		return f.reg() != 4 // bt
	case op >= 0xd0 && op != 0xd6 && op != 0xe7:
		return false
	case op == 0x18, op == 0x0d:
		return false // prefetch
	}
	return true
}

// arm64Effect judges a Plain instruction: stores off the stack pointer,
// exclusives and system instructions.
func arm64Effect(w uint32) bool {
	switch {
	case w>>25&5 == 4 && w>>25&0xf&5 == 4: // loads and stores (Arm ARM C4.1.94)
		if w>>5&31 == 31 {
			return false
		}
		pair := w>>27&7 == 5
		if pair {
			return w>>22&1 == 0
		}
		return w>>24&0x3f == 0x08 || w>>22&3 == 0 || w>>26&1 == 1 && w>>22&1 == 0
	case w>>22 == 0x354: // msr, mrs, barriers, sys
		return true
	}
	return false
}

// Opcode identifies what an instruction does, without its operands: equal
// numbers are equal instructions. 0 where it cannot be read.
func Opcode(arch elfbin.Arch, code []byte) uint32 {
	if arch != elfbin.AMD64 {
		if len(code) < 4 {
			return 0
		}
		return 1 + binary.LittleEndian.Uint32(code)>>21
	}
	f, ok := readX86Form(code)
	if !ok {
		return 0
	}
	op := 1<<24 | uint32(f.omap)<<16 | uint32(f.opcode)<<8
	if f.omap == mapOne && f.hasModRM && (f.opcode >= 0xc0 || f.opcode&0xfc == 0x80) && f.opcode != 0xc6 && f.opcode != 0xc7 {
		op |= uint32(f.reg()) // the opcode goes on in ModRM
	}
	return op
}
