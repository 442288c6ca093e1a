package flow

// memory follows loads and stores.
func (s *arm64Stepper) memory(st *state, i int32, w uint32) {
	vector := w>>26&1 == 1
	switch {
	case w&0x3b000000 == 0x18000000:
		s.loadLiteral(st, i, w, vector)
	case w&0x3a000000 == 0x28000000:
		s.pair(st, i, w, vector)
	case w&0x3b000000 == 0x39000000: // unsigned offset
		scale := s.scale(w, vector)
		s.transfer(st, i, w, vector, s.a.values.add(st.regs[w>>5&31], uint64(w>>10&0xfff)<<scale))
	case w&0x3b200000 == 0x38000000: // 9-bit offset
		s.unscaled(st, i, w, vector)
	case w&0x3b200c00 == 0x38200800: // register offset
		v := s.a.values
		index := s.extendOption(st, w>>16&31, w>>13&7)
		if w>>12&1 == 1 {
			index = v.shl(index, uint64(s.scale(w, vector)))
		}
		s.transfer(st, i, w, vector, v.sum(st.regs[w>>5&31], index))
	default:
		s.exclusive(st, i, w, vector)
	}
}

// scale is the logarithm of the bytes that a single-register form moves.
func (s *arm64Stepper) scale(w uint32, vector bool) uint32 {
	if vector && w>>23&1 == 1 {
		return 4
	}
	return w >> 30
}

// loadLiteral reads a constant from the literal pool in the code.
func (s *arm64Stepper) loadLiteral(st *state, i int32, w uint32, vector bool) {
	if vector || w>>30 == 3 { // prfm
		return
	}
	addr := s.a.g.Insns[i].Addr + uint64(signExtend(uint64(w>>5&0x7ffff), 19)*4)
	var value nodeID
	if w>>30 == 1 {
		if p, ok := s.a.b.opts.Image.Pointer(addr); ok {
			value = s.a.values.constant(p)
		}
	}
	s.write(st, i, w&31, value, 64)
}

// pair follows ldp, stp and their kin.
func (s *arm64Stepper) pair(st *state, i int32, w uint32, vector bool) {
	v, opc, rn := s.a.values, w>>30, w>>5&31
	size := uint8(32) // bits
	switch {
	case vector:
		size = 32 << (opc & 3)
	case opc == 2:
		size = 64
	}
	off := uint64(signExtend(uint64(w>>15&0x7f), 7) * int64(size/8))
	base := st.regs[rn]
	addr := v.add(base, off)
	mode := w >> 23 & 3
	if mode == 1 {
		addr = base
	}
	for k, r := range [...]uint32{w & 31, w >> 10 & 31} {
		at := v.add(addr, uint64(k)*uint64(size/8))
		if w>>22&1 == 0 {
			value := nodeID(0)
			if !vector {
				value = s.read(st, r, size)
			}
			s.a.store(st, i, at, value, int(size))
		} else if !vector {
			value := s.a.load(st, at, size)
			if opc == 1 {
				value = v.sext(value, 32)
			}
			s.write(st, i, r, value, 64)
		}
	}
	if mode == 1 || mode == 3 {
		s.writeSP(st, i, rn, v.add(base, off), 64)
	}
}

// unscaled follows the forms with a 9-bit offset, before, after or without
// writing the base back.
func (s *arm64Stepper) unscaled(st *state, i int32, w uint32, vector bool) {
	v, rn := s.a.values, w>>5&31
	base := st.regs[rn]
	moved := v.add(base, uint64(signExtend(uint64(w>>12&0x1ff), 9)))
	mode := w >> 10 & 3
	addr := moved
	if mode == 1 {
		addr = base
	}
	s.transfer(st, i, w, vector, addr)
	if mode&1 == 1 {
		s.writeSP(st, i, rn, moved, 64)
	}
}

// transfer loads or stores one register.
func (s *arm64Stepper) transfer(st *state, i int32, w uint32, vector bool, addr nodeID) {
	v, rt := s.a.values, w&31
	size := uint8(8) << s.scale(w, vector)
	opc := w >> 22 & 3
	switch {
	case vector:
		if opc&1 == 0 {
			s.a.store(st, i, addr, 0, int(size))
		}
	case opc == 0:
		s.a.store(st, i, addr, s.read(st, rt, size), int(size))
	case w>>30 == 3 && opc == 2: // prfm
	case opc == 1:
		s.write(st, i, rt, s.a.load(st, addr, size), 64)
	case opc == 2:
		s.write(st, i, rt, v.sext(s.a.load(st, addr, size), size), 64)
	case opc == 3:
		s.write(st, i, rt, v.sext(s.a.load(st, addr, size), size), 32)
	}
}

// exclusive stands for all other forms: exclusives, atomics, ordered and
// structure accesses. What they name may be written.
func (s *arm64Stepper) exclusive(st *state, i int32, w uint32, vector bool) {
	st.memory = s.a.values.opaque(i, placeMemory)
	s.a.spoilFrame(st)
	if vector {
		if w>>23&1 == 1 { // written back
			s.writeSP(st, i, w>>5&31, 0, 64)
		}
		return
	}
	for _, r := range [...]uint32{w & 31, w >> 10 & 31, w >> 16 & 31} {
		s.write(st, i, r, 0, 64)
	}
}
