package flow

import "encoding/binary"

// arm64Knows is what an instruction of arm64 does to what is known of errors
// (Arm ARM, C4.1). The register 31 is the zero register or the stack pointer,
// which nobody asks of.
func arm64Knows(code []byte) effect {
	if len(code) < arm64Len {
		return effect{kind: forgets}
	}
	w := binary.LittleEndian.Uint32(code)
	to, base := uint8(w&31), uint8(w>>5&31)
	size := uint8(32) << (w >> 31)
	switch {
	case w&0xfffff01f == 0xd503201f: // hints: authentication changes x30
		return effect{kind: leaves}
	case w&0x7f800000 == 0x12800000: // movn
		if v := ^(uint64(w>>5&0xffff) << (w >> 21 & 3 * 16)); isErr(v, size) {
			return effect{kind: makesErr, to: to}
		}
		return wrote(to, to)
	case w&0x7fe0ffe0 == 0x2a0003e0: // mov
		return arm64Moved(to, uint8(w>>16&31))
	case w&0xfffffc00 == 0x93407c00: // sxtw
		return arm64Moved(to, base)
	case w&0x1f000000 == 0x11000000 && w>>29&1 == 1: // adds, subs with a number
		return arm64Subtracted(w, size)
	case w&0x1f000000 == 0x0b000000 && w>>29&1 == 1, w&0x1f000000 == 0x0a000000 && w>>29&3 == 3, // adds, subs, ands, bics
		w&0x1f800000 == 0x12000000 && w>>29&3 == 3:
		return effect{kind: writes, to: to}
	case w&0x1fe00000 == 0x1a400000: // ccmp, ccmn
		return effect{kind: forgetsIt}
	case arm64Computes(w):
		return wrote(to, to)
	case w&0x3a000000 == 0x28000000, w&0x3b000000 == 0x39000000, w&0x3b200000 == 0x38000000, w&0x3b200c00 == 0x38200800:
		return arm64Accessed(w)
	}
	return effect{kind: forgets}
}

func arm64Moved(to, from uint8) effect {
	if from == 31 {
		return wrote(to, to)
	}
	return effect{kind: copies, to: to, from: from}
}

// arm64Computes tells whether an instruction does no more than write its
// register.
func arm64Computes(w uint32) bool {
	switch w & 0x1f000000 {
	case 0x10000000, 0x11000000, 0x13000000, 0x0b000000, 0x0a000000, 0x1b000000: // adr; add, bitfields; of registers; madd
		return true
	case 0x12000000: // and, orr, eor with a number; movz, movk
		return true
	case 0x1a000000: // csel; shifts, divisions; rev, clz
		return w&0x1fe00000 == 0x1a800000 || w&0x1fe00000 == 0x1ac00000
	}
	return w&0xfff00000 == 0xd5300000 // mrs
}

// arm64Accessed is the effect of loads and stores of one register or a pair.
// Base registers that change are forgotten with all, but for the stack pointer.
func arm64Accessed(w uint32) effect {
	to, also, base := uint8(w&31), uint8(w>>10&31), uint8(w>>5&31)
	pair := w&0x3a000000 == 0x28000000
	changes, loads := false, w>>22&3 != 0
	switch {
	case pair:
		changes, loads = w>>23&1 == 1, w>>22&1 == 1
	default:
		changes, also = w&0x3b200000 == 0x38000000 && w>>10&1 == 1, to
	}
	switch {
	case changes && base != 31:
		return effect{kind: forgets}
	case w>>26&1 == 1 || !loads: // of vectors; stores
		return effect{kind: leaves}
	}
	return wrote(to, also)
}

// arm64Subtracted is the effect of adds and subs with a number: cmp and cmn
// where the result goes nowhere.
func arm64Subtracted(w uint32, size uint8) effect {
	to, reg := uint8(w&31), uint8(w>>5&31)
	if to != 31 {
		return effect{kind: writes, to: to}
	}
	v := uint64(w >> 10 & 0xfff)
	if w>>22&1 == 1 {
		v <<= 12
	}
	if w>>30&1 == 0 { // cmn
		v = -v
	}
	if reg == 31 {
		return effect{kind: forgetsIt}
	}
	return compares(reg, v, size)
}
