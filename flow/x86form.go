package flow

// x86MaxLen is the longest instruction a processor accepts (Intel SDM vol. 2,
// section 2.3.11).
const x86MaxLen = 15

// Opcode maps, numbered as VEX and EVEX do; legacy opcodes share the numbers.
const (
	mapOne  = 0 // one-byte opcodes
	map0F   = 1
	map0F38 = 2
	map0F3A = 3
	map3DN  = 15 // 0f 0f: the opcode is the immediate
)

// x86Form is the layout of one instruction: where its parts are, not what it
// does. Lengths come from here and not from x86asm, which misreads endbr64,
// vzeroupper and whatever is newer than its tables: an unknown opcode of a
// known map still has a known length.
type x86Form struct {
	len    uint8
	omap   uint8
	opcode uint8
	modrm  uint8 // valid if hasModRM
	rex    uint8 // 0 if there is none
	imm    uint8 // offset of the immediate or relative displacement
	immLen uint8
	disp   uint8 // offset of the memory displacement
	dspLen uint8

	hasModRM bool
	vector   bool // VEX, EVEX or XOP
	opsize   bool // 66
	addrsize bool // 67
	repne    bool // f2
	rep      bool // f3
	segment  bool // fs or gs
}

// rip tells whether the memory operand is relative to the end of the
// instruction.
func (f *x86Form) rip() bool { return f.hasModRM && f.modrm&0xc7 == 5 }

// reg is the /digit of the ModRM byte.
func (f *x86Form) reg() uint8 { return f.modrm >> 3 & 7 }

// register tells whether the r/m operand is a register.
func (f *x86Form) register() bool { return f.modrm >= 0xc0 }

// readX86Form reads one instruction in 64-bit mode; false if the bytes are
// no instruction or end too early.
func readX86Form(b []byte) (f x86Form, ok bool) {
	if len(b) > x86MaxLen {
		b = b[:x86MaxLen]
	}
	p := f.readPrefixes(b)
	if p >= len(b) {
		return f, false
	}
	op := b[p]
	p++
	switch {
	case op == 0xc4 || op == 0xc5 || op == 0x62 || op == 0x8f && p < len(b) && b[p]&0x1f >= 8:
		p = f.readVector(b, p, op)
	case op == 0xd5: // REX2 (Intel APX): bit 7 selects the map, bit 3 is W
		if p+1 >= len(b) {
			return f, false
		}
		f.rex = 0x40 | b[p]&0x0f
		f.omap = b[p] >> 7
		f.opcode = b[p+1]
		p += 2
	case op == 0x0f:
		p = f.readEscape(b, p)
	default:
		f.opcode = op
	}
	if p == 0 || p > len(b) {
		return f, false
	}
	return f, f.readOperands(b, p)
}

// readPrefixes skips legacy prefixes and REX and gives the opcode's offset.
func (f *x86Form) readPrefixes(b []byte) int {
	for p, c := range b {
		switch c {
		case 0x66:
			f.opsize = true
		case 0x67:
			f.addrsize = true
		case 0xf2:
			f.repne = true
		case 0xf3:
			f.rep = true
		case 0x64, 0x65:
			f.segment = true
		case 0x2e, 0x36, 0x3e, 0x26, 0xf0:
		default:
			if c&0xf0 == 0x40 {
				f.rex = c
				continue
			}
			return p
		}
		f.rex = 0 // REX counts only right before the opcode
	}
	return len(b)
}

// readEscape reads the opcode behind 0f; gives 0 on failure.
func (f *x86Form) readEscape(b []byte, p int) int {
	if p >= len(b) {
		return 0
	}
	f.omap, f.opcode = map0F, b[p]
	p++
	switch f.opcode {
	case 0x0f:
		f.omap = map3DN
		return p
	case 0x38:
		f.omap = map0F38
	case 0x3a:
		f.omap = map0F3A
	default:
		return p
	}
	if p >= len(b) {
		return 0
	}
	f.opcode = b[p]
	return p + 1
}

// readVector reads VEX, EVEX and XOP prefixes and the opcode; gives 0 on
// failure.
func (f *x86Form) readVector(b []byte, p int, op byte) int {
	n := vectorPrefixLen(op)
	if p+n >= len(b) {
		return 0
	}
	f.vector = true
	f.omap = map0F
	switch op {
	case 0xc4, 0x8f:
		f.omap = b[p] & 0x1f
	case 0x62:
		f.omap = b[p] & 7
	}
	if f.omap == 0 {
		return 0
	}
	f.opcode = b[p+n]
	return p + n + 1
}

// readOperands reads ModRM, SIB, displacement and immediate, from offset p.
func (f *x86Form) readOperands(b []byte, p int) bool {
	modrm, imm, ok := f.shape()
	if !ok {
		return false
	}
	if modrm {
		if p >= len(b) {
			return false
		}
		f.hasModRM, f.modrm = true, b[p]
		p++
		p = f.readMemory(b, p)
		imm = f.immOfModRM(imm)
	}
	f.imm, f.immLen = uint8(p), imm
	p += int(imm)
	if p > len(b) {
		return false
	}
	f.len = uint8(p)
	return f.valid()
}

// readMemory skips SIB and displacement.
func (f *x86Form) readMemory(b []byte, p int) int {
	if f.omap == map0F && !f.vector && f.opcode >= 0x20 && f.opcode <= 0x23 {
		return p // mov to and from control registers ignores mod
	}
	mod, rm := f.modrm>>6, f.modrm&7
	if mod == 3 {
		return p
	}
	disp := uint8(0)
	switch {
	case mod == 1:
		disp = 1
	case mod == 2:
		disp = 4
	}
	if rm == 4 {
		if p < len(b) && mod == 0 && b[p]&7 == 5 {
			disp = 4
		}
		p++
	} else if mod == 0 && rm == 5 {
		disp = 4
	}
	f.disp, f.dspLen = uint8(p), disp
	return p + int(disp)
}

// vectorPrefixLen is the number of bytes between the escape and the opcode.
func vectorPrefixLen(op byte) int {
	switch op {
	case 0xc5:
		return 1
	case 0x62:
		return 3
	}
	return 2
}
