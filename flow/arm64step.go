package flow

import "encoding/binary"

// Registers that the analysis names, by DWARF number.
const (
	arm64X0 place = 0
	arm64X1 place = 1
	arm64FP place = 29
	arm64LR place = 30
	arm64SP place = 31
)

// arm64Stepper follows values through arm64 instructions. It reads the
// encodings itself (Arm ARM, C4.1): the handful that address computations are
// made of; of all others only which register they write.
type arm64Stepper struct{ a *analysis }

func newARM64Stepper(a *analysis) *arm64Stepper {
	var pages adrpPages
	for i := range a.g.Insns {
		in := &a.g.Insns[i]
		if in.Len == arm64Len {
			pages.next(in, binary.LittleEndian.Uint32(a.b.bytes(in)), func(addr uint64) { a.made[addr] = true })
		}
	}
	return &arm64Stepper{a}
}

func (s *arm64Stepper) stackPointer() place { return arm64SP }

func (s *arm64Stepper) frameRegister(r place) bool { return r == arm64SP || r == arm64FP }

// called follows a call; see x86Stepper.called.
func (s *arm64Stepper) called(st *state, i int32) {
	s.a.set(st, i, arm64X0, 0)
	s.a.set(st, i, arm64X1, 0)
	s.a.set(st, i, arm64LR, 0)
	st.memory = s.a.values.opaque(i, placeMemory)
	st.flags = compare{}
	s.a.spoilFrame(st)
}

func (s *arm64Stepper) target(st *state, i int32) nodeID {
	if c := s.a.g.Insns[i].Cond; c.Op == RegTarget {
		return s.read(st, uint32(c.Reg), 64)
	}
	w := binary.LittleEndian.Uint32(s.a.b.bytes(&s.a.g.Insns[i]))
	return s.read(st, w>>5&31, 64) // signed: the address in it is the same
}

// relation says what a conditional branch compares.
func (s *arm64Stepper) relation(st *state, i int32) (x, y nodeID, size uint8, rel relation) {
	c := s.a.g.Insns[i].Cond
	zero := s.a.values.constant(0)
	switch c.Op {
	case ARM64CC:
		return st.flags.x, st.flags.y, st.flags.size, s.codeRelation(st, c.Code)
	case ARM64CBZ:
		x, y, size, rel = s.read(st, uint32(c.Reg), 64), zero, c.Width, relEQ
	case ARM64TBZ: // the sign bit
		if c.Bit != 31 && c.Bit != 63 {
			return 0, 0, 0, relNone
		}
		x, y, size, rel = s.read(st, uint32(c.Reg), 64), zero, c.Bit+1, relSGE
	}
	if c.Negate {
		rel = rel.not()
	}
	return x, y, size, rel
}

// codeRelation reads a condition code after a comparison.
func (s *arm64Stepper) codeRelation(st *state, code uint8) relation {
	switch code {
	case 0:
		return relEQ
	case 1:
		return relNE
	case 2:
		return relUGE
	case 3:
		return relULT
	case 8:
		return relUGT
	case 9:
		return relULE
	case 10:
		return relSGE
	case 11:
		return relSLT
	case 12:
		return relSGT
	case 13:
		return relSLE
	case 4, 5:
		if k, ok := s.a.values.isConst(st.flags.y); ok && k == 0 {
			return relSLT + relation(code-4)
		}
	}
	return relNone
}

// read gives a register's low bits; 31 is the zero register.
func (s *arm64Stepper) read(st *state, r uint32, size uint8) nodeID {
	if r == 31 {
		return s.a.values.constant(0)
	}
	return s.a.values.zext(st.regs[r], size)
}

// readSP gives a register's low bits; 31 is the stack pointer.
func (s *arm64Stepper) readSP(st *state, r uint32, size uint8) nodeID {
	return s.a.values.zext(st.regs[r&31], size)
}

// write sets a register; 31 is the zero register. Value 0 is an unknown one.
func (s *arm64Stepper) write(st *state, i int32, r uint32, value nodeID, size uint8) {
	if r != 31 {
		s.writeSP(st, i, r, value, size)
	}
}

// writeSP sets a register; 31 is the stack pointer.
func (s *arm64Stepper) writeSP(st *state, i int32, r uint32, value nodeID, size uint8) {
	if value == 0 {
		value = s.a.values.opaque(i, place(r))
	}
	s.a.set(st, i, place(r), s.a.values.zext(value, size))
}

func (s *arm64Stepper) step(st *state, i int32) {
	in := &s.a.g.Insns[i]
	if in.Nop || in.Kind == CondJump || in.Len != arm64Len {
		return
	}
	w := binary.LittleEndian.Uint32(s.a.b.bytes(in))
	switch {
	case w>>26&7 == 4:
		s.immediate(st, i, w)
	case w>>26&7 == 5:
		s.system(st, i, w)
	case w>>25&7 == 5:
		s.register(st, i, w)
	case w>>25&5 == 4:
		s.memory(st, i, w)
	case w>>25&7 == 7:
		s.float(st, i, w)
	default: // SVE, SME: some write a general register
		s.write(st, i, w&31, 0, 64)
		st.memory = s.a.values.opaque(i, placeMemory)
		st.flags = compare{}
	}
}

// system follows what is left of the branch and system class.
func (s *arm64Stepper) system(st *state, i int32, w uint32) {
	switch {
	case w&0xfff00000 == 0xd5300000: // mrs
		s.write(st, i, w&31, 0, 64)
	case w&0xfff00000 == 0xd5100000: // msr
		st.flags = compare{}
	case w&0xff000000 == 0xd4000000: // svc
		s.write(st, i, 0, 0, 64)
		st.memory = s.a.values.opaque(i, placeMemory)
	}
}

// float follows the vector instructions that write a general register or
// the flags.
func (s *arm64Stepper) float(st *state, i int32, w uint32) {
	op := w >> 16 & 7
	switch {
	case w&0x5f20fc00 == 0x1e200000: // conversions and fmov
		if op != 2 && op != 3 && op != 7 {
			s.write(st, i, w&31, 0, 64)
		}
	case w&0x5f200000 == 0x1e000000: // fixed-point conversions
		if op < 2 {
			s.write(st, i, w&31, 0, 64)
		}
	case w&0xbfe0fc00 == 0x0e003c00, w&0xbfe0fc00 == 0x0e002c00: // umov, smov
		s.write(st, i, w&31, 0, 64)
	case w&0xff20fc07 == 0x1e202000, w&0xff200c00 == 0x1e200400: // fcmp, fccmp
		st.flags = compare{}
	}
}
