package flow

import "math/bits"

// sizeOf gives the operand size by the sf bit.
func arm64Size(w uint32) uint8 { return 32 << (w >> 31) }

// immediate follows "data processing (immediate)".
func (s *arm64Stepper) immediate(st *state, i int32, w uint32) {
	v, rd, rn, size := s.a.values, w&31, w>>5&31, arm64Size(w)
	switch w >> 23 & 7 {
	case 0, 1: // adr, adrp
		imm := signExtend(uint64(w>>5&0x7ffff)<<2|uint64(w>>29&3), 21)
		addr := s.a.g.Insns[i].Addr
		if w>>31 == 1 {
			addr, imm = addr&^0xfff, imm<<12
		}
		s.write(st, i, rd, v.constant(addr+uint64(imm)), 64)
	case 2: // add, sub
		s.addImmediate(st, i, w)
	case 4: // and, orr, eor, ands
		mask := arm64BitMask(w>>22&1, w>>10&63, w>>16&63, size)
		n := s.read(st, rn, size)
		switch opc := w >> 29 & 3; {
		case opc == 0:
			s.writeSP(st, i, rd, v.and(n, mask), size)
		case opc == 1 && rn == 31:
			s.writeSP(st, i, rd, v.constant(mask), size)
		case opc == 3:
			s.write(st, i, rd, v.and(n, mask), size)
			st.flags = compare{}
		default:
			s.writeSP(st, i, rd, 0, size)
		}
	case 5:
		s.moveWide(st, i, w)
	case 6:
		s.bitfield(st, i, w)
	default: // extr, tagged addresses
		s.write(st, i, rd, 0, size)
	}
}

func (s *arm64Stepper) addImmediate(st *state, i int32, w uint32) {
	v, rd, size := s.a.values, w&31, arm64Size(w)
	imm := uint64(w >> 10 & 0xfff)
	if w>>22&1 == 1 {
		imm <<= 12
	}
	n := s.readSP(st, w>>5&31, size)
	sub, sets := w>>30&1 == 1, w>>29&1 == 1
	if sets {
		st.flags = compare{}
		if sub {
			st.flags = compare{n, v.constant(imm), size}
		}
	}
	if sub {
		imm = -imm
	}
	if sets {
		s.write(st, i, rd, v.zext(v.add(n, imm), size), size)
	} else {
		s.writeSP(st, i, rd, v.zext(v.add(n, imm), size), size)
	}
}

func (s *arm64Stepper) moveWide(st *state, i int32, w uint32) {
	v, rd, size := s.a.values, w&31, arm64Size(w)
	shift := w >> 21 & 3 * 16
	imm := uint64(w>>5&0xffff) << shift
	var value nodeID
	switch w >> 29 & 3 {
	case 0:
		value = v.constant(^imm & ones(size))
	case 2:
		value = v.constant(imm)
	case 3:
		if k, ok := v.isConst(s.read(st, rd, 64)); ok {
			value = v.constant(k&^(0xffff<<shift) | imm)
		}
	}
	s.write(st, i, rd, value, size)
}

// bitfield follows the extensions and shifts by a constant.
func (s *arm64Stepper) bitfield(st *state, i int32, w uint32) {
	v, rd, size := s.a.values, w&31, arm64Size(w)
	n := s.read(st, w>>5&31, size)
	r, top := uint8(w>>16&63), uint8(w>>10&63)
	opc := w >> 29 & 3
	var value nodeID
	switch {
	case opc == 1 || r >= size || top >= size: // bfm keeps bits of the old value
	case r == 0:
		value = s.extend(n, top+1, opc == 0)
	case top < r: // shifted left
		value = v.shl(s.extend(n, top+1, opc == 0), uint64(size-r))
	case opc == 2: // shifted right: only the width is known
		value = v.zext(v.opaque(i, place(rd)), top-r+1)
	}
	s.write(st, i, rd, v.zext(value, size), size)
}

func (s *arm64Stepper) extend(n nodeID, size uint8, signed bool) nodeID {
	if signed {
		return s.a.values.sext(n, size)
	}
	return s.a.values.zext(n, size)
}

// register follows "data processing (register)".
func (s *arm64Stepper) register(st *state, i int32, w uint32) {
	v, rd, rn, rm, size := s.a.values, w&31, w>>5&31, w>>16&31, arm64Size(w)
	switch {
	case w&0x1f200000 == 0x0b000000: // add, sub (shifted register)
		m := s.read(st, rm, size)
		if w>>22&3 != 0 {
			m = 0
		}
		s.addRegister(st, i, w, s.read(st, rn, size), v.shl(m, uint64(w>>10&63)), false)
	case w&0x1fe00000 == 0x0b200000: // add, sub (extended register)
		m := v.shl(s.extendOption(st, rm, w>>13&7), uint64(w>>10&7))
		s.addRegister(st, i, w, s.readSP(st, rn, size), m, w>>29&1 == 0)
	case w&0x1f000000 == 0x0a000000: // logical (shifted register)
		value := nodeID(0)
		if w>>29&3 == 1 && w>>21&1 == 0 && rn == 31 && w>>10&63 == 0 { // mov
			value = s.read(st, rm, size)
		}
		if w>>29&3 == 3 {
			st.flags = compare{}
			if rn == rm && w>>21&1 == 0 && w>>10&63 == 0 { // tst of a register with itself
				st.flags = compare{s.read(st, rn, size), v.constant(0), size}
				value = s.read(st, rn, size)
			}
		}
		s.write(st, i, rd, value, size)
	case w&0x1fe00000 == 0x1a400000: // ccmp, ccmn
		st.flags = compare{}
	case w&0x1fe00c00 == 0x1a800000 && w>>29&3 == 0: // csel
		s.choose(st, i, w)
	default:
		if w>>29&1 == 1 { // adcs, sbcs, rmif
			st.flags = compare{}
		}
		s.write(st, i, rd, 0, size)
	}
}

// addRegister adds or subtracts values.
func (s *arm64Stepper) addRegister(st *state, i int32, w uint32, n, m nodeID, sp bool) {
	v, rd, size := s.a.values, w&31, arm64Size(w)
	m = v.zext(m, size)
	var value nodeID
	if w>>30&1 == 0 {
		value = v.sum(n, m)
	} else if k, ok := v.isConst(m); ok && m != 0 {
		value = v.add(n, -k)
	}
	if w>>29&1 == 1 {
		st.flags = compare{}
		if w>>30&1 == 1 {
			st.flags = compare{n, m, size}
		}
	}
	if sp {
		s.writeSP(st, i, rd, v.zext(value, size), size)
	} else {
		s.write(st, i, rd, v.zext(value, size), size)
	}
}

// extendOption reads a register as uxtb to sxtx do.
func (s *arm64Stepper) extendOption(st *state, rm, option uint32) nodeID {
	return s.extend(s.read(st, rm, 64), 8<<(option&3), option >= 4)
}

// choose follows csel: its two values are alternatives.
func (s *arm64Stepper) choose(st *state, i int32, w uint32) {
	v, rd, size := s.a.values, w&31, arm64Size(w)
	if rd == 31 {
		return
	}
	yes, no := s.read(st, w>>5&31, size), s.read(st, w>>16&31, size)
	choice := v.phi(i, choicePlace+place(rd))
	v.merged(choice, yes)
	v.merged(choice, no)
	rel := s.codeRelation(st, uint8(w>>12&15))
	taken, kept := st.clone(), st.clone()
	s.a.learn(taken, st.flags, rel)
	s.a.learn(kept, st.flags, rel.not())
	setBounds(st, choice, v.bounds(taken, yes).hull(v.bounds(kept, no)))
	s.a.set(st, i, place(rd), choice)
}

// arm64BitMask expands a logical immediate (Arm ARM, DecodeBitMasks); 0 if
// it is none.
func arm64BitMask(n, imms, immr uint32, size uint8) uint64 {
	length := bits.Len32(n<<6|^imms&63) - 1
	if length < 1 {
		return 0
	}
	esize := uint(1) << length
	levels := uint32(esize - 1)
	s, r := uint(imms&levels), uint(immr&levels)
	elem := ones(uint8(s + 1))
	elem = (elem>>r | elem<<(esize-r)) & ones(uint8(esize))
	for ; esize < 64; esize *= 2 {
		elem |= elem << esize
	}
	return elem & ones(size)
}
