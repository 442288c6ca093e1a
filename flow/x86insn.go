package flow

import "encoding/binary"

// decodeX86 reads the instruction at addr; false if the bytes are none.
func decodeX86(b []byte, addr uint64) (Insn, bool) {
	f, ok := readX86Form(b)
	if !ok {
		return Insn{}, false
	}
	in := Insn{Addr: addr, Len: f.len}
	in.Cond.Reg, in.Cond.Index = NoReg, NoReg
	if f.vector {
		return in, true
	}
	switch f.omap {
	case mapOne:
		f.classifyOneByte(b, &in)
	case map0F:
		f.classifyTwoByte(b, &in)
	}
	return in, true
}

// relative gives the target of a direct branch.
func (f *x86Form) relative(b []byte, in *Insn) uint64 {
	if f.immLen == 1 {
		return in.End() + uint64(int8(b[f.imm]))
	}
	return in.End() + uint64(int32(binary.LittleEndian.Uint32(b[f.imm:])))
}

func (f *x86Form) classifyOneByte(b []byte, in *Insn) {
	switch op := f.opcode; op {
	case 0xe8:
		in.Kind, in.Target = Call, f.relative(b, in)
	case 0xe9, 0xeb:
		in.Kind, in.Target = Jump, f.relative(b, in)
	case 0xe0, 0xe1, 0xe2, 0xe3:
		in.Kind, in.Target = CondJump, f.relative(b, in)
		in.Cond.Op = [...]CondOp{X86LoopNE, X86LoopE, X86Loop, X86RCXZ}[op-0xe0]
		in.Cond.Width = 64
		if f.addrsize {
			in.Cond.Width = 32
		}
	case 0xc2, 0xc3, 0xca, 0xcb, 0xcf:
		in.Kind = Return
	case 0xcc, 0xf4:
		in.Kind = Trap
	case 0xff:
		f.classifyFF(b, in)
	case 0x90:
		in.Nop = !f.rep && f.rex&1 == 0 // f3 90 is pause, rex.b xchg r8
	case 0x8d:
		in.Nop = f.leaNop(b)
	case 0xa4, 0xa5, 0xa6, 0xa7, 0xaa, 0xab, 0xac, 0xad, 0xae, 0xaf, 0x6c, 0x6d, 0x6e, 0x6f:
		in.Rep = f.rep || f.repne
	default:
		if op&0xf0 == 0x70 {
			in.Kind, in.Target = CondJump, f.relative(b, in)
			in.Cond.Op, in.Cond.Code = X86CC, op&15
		}
	}
}

func (f *x86Form) classifyTwoByte(b []byte, in *Insn) {
	switch op := f.opcode; op {
	case 0x0b, 0xb9, 0xff: // ud2, ud1, ud0
		in.Kind = Trap
	case 0x07, 0x35: // sysret, sysexit
		in.Kind = Return
	case 0x1e: // endbr64 and endbr32; f3 with a register is else rdssp
		in.Nop = !f.rep || !f.register() || f.modrm == 0xfa || f.modrm == 0xfb
	case 0x1f, 0x19, 0x1d:
		in.Nop = true
		in.Nop5 = f.len == 5 && op == 0x1f && b[2] == 0x44 && b[3] == 0 && b[4] == 0
	default:
		if op&0xf0 == 0x80 {
			in.Kind, in.Target = CondJump, f.relative(b, in)
			in.Cond.Op, in.Cond.Code = X86CC, op&15
		}
	}
}

func (f *x86Form) classifyFF(b []byte, in *Insn) {
	switch f.reg() {
	case 2, 3:
		in.Kind = IndirectCall
	case 4, 5:
		in.Kind = IndirectJump
		in.Cond = f.jumpOperand(b, in)
	}
}

// x86DWARF gives the DWARF number of a general register (System V ABI AMD64,
// figure 3.36): rax rcx rdx rbx rsp rbp rsi rdi in the encoding's order.
func x86DWARF(r uint8) uint8 {
	if r < 8 {
		return [...]uint8{0, 2, 1, 3, 7, 6, 4, 5}[r]
	}
	return r
}

// jumpOperand gives where an indirect jump takes its target from: RegTarget
// or MemTarget without Delta. A segment base or a narrow address cannot be
// said in a Cond: Always is left, which TableCond refuses.
func (f *x86Form) jumpOperand(b []byte, in *Insn) Cond {
	c := Cond{Reg: NoReg, Index: NoReg}
	if f.register() {
		c.Op, c.Reg = RegTarget, x86DWARF(f.modrm&7|f.rex&1<<3)
		return c
	}
	if f.segment || f.addrsize || f.reg() == 5 {
		return c
	}
	c.Op = MemTarget
	switch f.dspLen {
	case 1:
		c.Disp = int64(int8(b[f.disp]))
	case 4:
		c.Disp = int64(int32(binary.LittleEndian.Uint32(b[f.disp:])))
	}
	mod, rm := f.modrm>>6, f.modrm&7
	switch {
	case f.rip():
		c.PCRel = true
		c.Disp += int64(in.Len)
	case rm == 4:
		sib := b[f.disp-1]
		if base := sib & 7; mod != 0 || base != 5 {
			c.Reg = x86DWARF(base | f.rex&1<<3)
		}
		if index := sib>>3&7 | f.rex&2<<2; index != 4 {
			c.Index, c.Scale = x86DWARF(index), 1<<(sib>>6)
		}
	default:
		c.Reg = x86DWARF(rm | f.rex&1<<3)
	}
	return c
}

// leaNop recognises lea 0(%r),%r of 64 bits, the padding of old assemblers.
func (f *x86Form) leaNop(b []byte) bool {
	if f.rex&8 == 0 || f.addrsize || f.rip() {
		return false
	}
	for i := uint8(0); i < f.dspLen; i++ {
		if b[f.disp+i] != 0 {
			return false
		}
	}
	dst := f.reg() | f.rex&4<<1
	if f.modrm&7 != 4 {
		return dst == f.modrm&7|f.rex&1<<3
	}
	sib := b[f.disp-1]
	base := sib&7 | f.rex&1<<3
	noIndex := sib>>3&7|f.rex&2<<2 == 4
	return noIndex && base == dst && !(f.modrm>>6 == 0 && sib&7 == 5)
}
