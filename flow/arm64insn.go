package flow

// arm64Len is the length of every instruction.
const arm64Len = 4

// signExtend widens the low bits of v.
func signExtend(v uint64, bits uint) int64 {
	return int64(v<<(64-bits)) >> (64 - bits)
}

// decodeARM64 classifies the word at addr by the branch encodings alone (Arm
// ARM, C4.1.66): arm64asm does not know the newer instructions, and what is
// no branch needs no name.
func decodeARM64(w uint32, addr uint64) Insn {
	in := Insn{Addr: addr, Len: arm64Len}
	in.Cond.Reg, in.Cond.Index = NoReg, NoReg
	switch {
	case w&0x7c000000 == 0x14000000:
		in.Kind = Jump
		if w>>31 == 1 {
			in.Kind = Call
		}
		in.Target = addr + uint64(signExtend(uint64(w&0x3ffffff), 26)*4)
	case w&0xff000000 == 0x54000000: // b.cond, bc.cond
		in.Kind = CondJump
		in.Target = addr + uint64(signExtend(uint64(w>>5&0x7ffff), 19)*4)
		in.Cond.Op, in.Cond.Code = ARM64CC, uint8(w&15)
	case w&0x7e000000 == 0x34000000: // cbz, cbnz
		in.Kind = CondJump
		in.Target = addr + uint64(signExtend(uint64(w>>5&0x7ffff), 19)*4)
		in.Cond = Cond{Op: ARM64CBZ, Negate: w>>24&1 == 1, Width: 32 << (w >> 31), Reg: uint8(w & 31), Index: NoReg}
	case w&0x7e000000 == 0x36000000: // tbz, tbnz
		in.Kind = CondJump
		in.Target = addr + uint64(signExtend(uint64(w>>5&0x3fff), 14)*4)
		in.Cond = Cond{Op: ARM64TBZ, Negate: w>>24&1 == 1, Bit: uint8(w>>31<<5 | w>>19&31), Reg: uint8(w & 31), Index: NoReg}
	case w&0xfe000000 == 0xd6000000:
		classifyARM64Register(w, &in)
	case w&0xff000000 == 0xd4000000:
		if w&0xffe0001f == 0xd4200000 || w&0xffe0001f == 0xd4400000 { // brk, hlt
			in.Kind = Trap
		}
	case w&0xffff0000 == 0: // udf
		in.Kind = Trap
	case w&0xfffff01f == 0xd503201f:
		in.Nop = arm64HintNop(w >> 5 & 0x7f)
	case w&0xff00001f == 0x55000000 || w&0xff00001f == 0x5500001f: // retaasppc, retabsppc
		in.Kind = Return
	}
	return in
}

// classifyARM64Register reads "unconditional branch (register)".
func classifyARM64Register(w uint32, in *Insn) {
	auth := w>>11&1 == 1
	switch w >> 21 & 0xf {
	case 0, 8: // br, braaz, braa
		in.Kind = IndirectJump
		if !auth {
			// A signed pointer in the register is not the target's address.
			in.Cond.Op, in.Cond.Reg = RegTarget, uint8(w>>5&31)
		}
	case 1, 9: // blr, blraaz, blraa
		in.Kind = IndirectCall
	case 2, 4, 5: // ret, retaa, eret, drps
		in.Kind = Return
	default:
		in.Kind = Unknown
	}
}

// arm64HintNop tells which hints do nothing to the program's own state. The
// pointer authentication hints change x30, the waits (wfe, wfi) wait.
func arm64HintNop(hint uint32) bool {
	switch hint {
	case 0, // nop
		4, 5, // sev, sevl
		32, 34, 36, 38: // bti
		return true
	}
	return false
}
