package flow

// shape tells whether the opcode has a ModRM byte and how many bytes of
// immediate follow (Intel SDM vol. 2, appendix A).
func (f *x86Form) shape() (modrm bool, imm uint8, ok bool) {
	if f.vector {
		return f.vectorShape()
	}
	switch f.omap {
	case mapOne:
		return f.oneByteShape()
	case map0F:
		return f.twoByteShape()
	case map0F38:
		return true, 0, true
	case map0F3A, map3DN:
		return true, 1, true
	}
	return false, 0, false
}

// immZ is the size of an immediate that follows the operand size: 16 or 32 bits.
func (f *x86Form) immZ() uint8 {
	if f.opsize && f.rex&8 == 0 {
		return 2
	}
	return 4
}

func (f *x86Form) oneByteShape() (modrm bool, imm uint8, ok bool) {
	op := f.opcode
	if op < 0x40 {
		switch op & 7 {
		case 4:
			return false, 1, true
		case 5:
			return false, f.immZ(), true
		case 6, 7: // push/pop segment and BCD: not in 64-bit mode
			return false, 0, false
		}
		return true, 0, true
	}
	switch op {
	case 0x60, 0x61, 0x82, 0x9a, 0xce, 0xd4, 0xd6, 0xea:
		return false, 0, false
	case 0x63, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a, 0x8b, 0x8c, 0x8d, 0x8e, 0x8f,
		0xd0, 0xd1, 0xd2, 0xd3, 0xd8, 0xd9, 0xda, 0xdb, 0xdc, 0xdd, 0xde, 0xdf,
		0xf6, 0xf7, 0xfe, 0xff:
		return true, 0, true
	case 0x69, 0x81, 0xc7:
		return true, f.immZ(), true
	case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0xc6:
		return true, 1, true
	case 0x68, 0xa9:
		return false, f.immZ(), true
	case 0xe8, 0xe9: // 66 does not shorten it on Intel, and no compiler emits it
		return false, 4, true
	case 0x6a, 0xa8, 0xcd, 0xeb:
		return false, 1, true
	case 0xa0, 0xa1, 0xa2, 0xa3:
		if f.addrsize {
			return false, 4, true
		}
		return false, 8, true
	case 0xc2, 0xca:
		return false, 2, true
	case 0xc8:
		return false, 3, true
	}
	switch op & 0xf8 {
	case 0x70, 0x78, 0xb0:
		return false, 1, true
	case 0xb8:
		if f.rex&8 != 0 {
			return false, 8, true
		}
		return false, f.immZ(), true
	case 0xe0: // loop*, jrcxz, in and out with immediate; e8 and above are done
		return false, 1, true
	}
	return false, 0, true
}

func (f *x86Form) twoByteShape() (modrm bool, imm uint8, ok bool) {
	op := f.opcode
	switch op {
	case 0x04, 0x0a, 0x0c, 0x24, 0x25, 0x26, 0x27, 0x36, 0x39, 0x3b, 0x3c, 0x3d, 0x3e, 0x3f, 0x7a, 0x7b:
		return false, 0, false
	case 0x05, 0x06, 0x07, 0x08, 0x09, 0x0b, 0x0e, 0x30, 0x31, 0x32, 0x33, 0x34, 0x35, 0x37,
		0x77, 0xa0, 0xa1, 0xa2, 0xa8, 0xa9, 0xaa:
		return false, 0, true
	case 0x70, 0x71, 0x72, 0x73, 0xa4, 0xac, 0xba, 0xc2, 0xc4, 0xc5, 0xc6:
		return true, 1, true
	case 0x78: // SSE4a extrq and insertq; else vmread
		if f.opsize || f.repne {
			return true, 2, true
		}
	}
	switch {
	case op >= 0x80 && op < 0x90:
		return false, 4, true
	case op >= 0xc8 && op < 0xd0:
		return false, 0, true
	}
	return true, 0, true
}

func (f *x86Form) vectorShape() (modrm bool, imm uint8, ok bool) {
	switch f.omap {
	case map0F:
		switch f.opcode {
		case 0x77:
			return false, 0, true
		case 0x70, 0x71, 0x72, 0x73, 0xc2, 0xc4, 0xc5, 0xc6:
			return true, 1, true
		}
		return true, 0, true
	case map0F38, 5, 6, 9: // 5 and 6: AVX512-FP16; 9: XOP
		return true, 0, true
	case map0F3A, 8: // 8: XOP
		return true, 1, true
	case 7, 10: // 7: urdmsr; 10: XOP
		return true, 4, true
	case 4: // APX: one-byte and 0f opcodes with EVEX
		switch f.opcode {
		case 0x69, 0x81:
			return true, 4, true
		case 0x6b, 0x80, 0x83, 0xc0, 0xc1, 0x24, 0x2c, 0xa4, 0xac:
			return true, 1, true
		}
		return true, 0, true
	}
	return false, 0, false
}

// immOfModRM corrects the immediate where it depends on the /digit.
func (f *x86Form) immOfModRM(imm uint8) uint8 {
	if f.omap == mapOne || f.vector && f.omap == 4 {
		if f.reg() < 2 {
			switch f.opcode {
			case 0xf6:
				return 1
			case 0xf7:
				return f.immZ()
			}
		}
	}
	return imm
}

// valid refuses the undefined encodings that data read as code hits most.
func (f *x86Form) valid() bool {
	if f.omap != mapOne || f.vector {
		return true
	}
	switch f.opcode {
	case 0xfe:
		return f.reg() < 2
	case 0xff:
		return f.reg() != 7 && !(f.register() && (f.reg() == 3 || f.reg() == 5))
	case 0x8d:
		return !f.register()
	case 0x8f:
		return f.reg() == 0
	case 0xc6, 0xc7: // f8: xabort, xbegin
		return f.reg() == 0 || f.modrm == 0xf8
	}
	return true
}
