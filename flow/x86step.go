package flow

import (
	"encoding/binary"

	"golang.org/x/arch/x86/x86asm"
)

// Registers that the analysis names, by DWARF number.
const (
	x86RAX place = 0
	x86RDX place = 1
	x86RCX place = 2
	x86RBX place = 3
	x86RSI place = 4
	x86RDI place = 5
	x86RBP place = 6
	x86RSP place = 7
	x86R11 place = 11
)

// choicePlace plus a register is where a conditional move's result is born:
// its two values are alternatives, but not ones of a merge of ways.
const choicePlace place = 33

// unsizedStore stands for the bits that xsave and its kin write.
const unsizedStore = 8 * 512

// lowestFixed is where the linkers place programs that are not
// position-independent; a smaller number in an instruction is a number.
const lowestFixed = 0x400000

// x86Stepper follows values through x86-64 instructions.
type x86Stepper struct {
	a     *analysis
	insts []*x86asm.Inst // read on first use
	tried []bool
}

func newX86Stepper(a *analysis) *x86Stepper {
	n := len(a.g.Insns)
	s := &x86Stepper{a: a, insts: make([]*x86asm.Inst, n), tried: make([]bool, n)}
	for i := range a.g.Insns {
		in := &a.g.Insns[i]
		code := a.b.bytes(in)
		x86AddressMade(in, code, func(addr uint64, relative bool) {
			if relative || addr >= lowestFixed {
				a.made[addr] = true
			}
		})
		if addr, ok := x86FixedTable(code); ok && addr >= lowestFixed {
			a.made[addr] = true
		}
	}
	return s
}

// x86FixedTable gives the displacement of a memory operand that has an index
// but no base register: a table of code that is not position-independent.
func x86FixedTable(code []byte) (uint64, bool) {
	f, ok := readX86Form(code)
	if !ok || !f.hasModRM || f.modrm&0xc7 != 4 || f.dspLen != 4 || code[f.disp-1]>>3&7 == 4 {
		return 0, false
	}
	return uint64(int32(binary.LittleEndian.Uint32(code[f.disp:]))), true
}

// bytes gives an instruction's code.
func (b *builder) bytes(in *Insn) []byte {
	i, _ := b.inside(in.Addr)
	off := in.Addr - b.ranges[i].Low
	return b.code[i][off : off+uint64(in.Len)]
}

func (s *x86Stepper) stackPointer() place { return x86RSP }

func (s *x86Stepper) frameRegister(r place) bool { return r == x86RSP || r == x86RBP }

// inst reads an instruction with operands; nil if x86asm cannot, or reads
// another length.
func (s *x86Stepper) inst(i int32) *x86asm.Inst {
	if !s.tried[i] {
		s.tried[i] = true
		in := &s.a.g.Insns[i]
		x, err := x86asm.Decode(s.a.b.bytes(in), 64)
		if err == nil && x.Op != 0 && x.Len == int(in.Len) {
			s.insts[i] = &x
		}
	}
	return s.insts[i]
}

// gpr gives place and size in bits of a general register; high is ah to bh.
func gpr(r x86asm.Reg) (p place, size uint8, high, ok bool) {
	n := uint8(0)
	switch {
	case r >= x86asm.AL && r <= x86asm.BL:
		n, size = uint8(r-x86asm.AL), 8
	case r >= x86asm.AH && r <= x86asm.BH:
		n, size, high = uint8(r-x86asm.AH), 8, true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		n, size = uint8(r-x86asm.SPB)+4, 8
	case r >= x86asm.AX && r <= x86asm.R15W:
		n, size = uint8(r-x86asm.AX), 16
	case r >= x86asm.EAX && r <= x86asm.R15L:
		n, size = uint8(r-x86asm.EAX), 32
	case r >= x86asm.RAX && r <= x86asm.R15:
		n, size = uint8(r-x86asm.RAX), 64
	default:
		return 0, 0, false, false
	}
	return place(x86DWARF(n)), size, high, true
}

// size gives the bits of an operand, 0 if it is neither a general register
// nor memory.
func (s *x86Stepper) size(x *x86asm.Inst, arg x86asm.Arg) uint8 {
	switch arg := arg.(type) {
	case x86asm.Reg:
		_, size, _, _ := gpr(arg)
		return size
	case x86asm.Mem:
		if x.MemBytes <= 8 {
			return uint8(x.MemBytes * 8)
		}
	}
	return 0
}

// value reads an operand.
func (s *x86Stepper) value(st *state, i int32, x *x86asm.Inst, arg x86asm.Arg) nodeID {
	v := s.a.values
	switch arg := arg.(type) {
	case x86asm.Reg:
		if p, size, high, ok := gpr(arg); ok && !high {
			return v.zext(st.regs[p], size)
		}
	case x86asm.Imm:
		return v.constant(uint64(arg))
	case x86asm.Mem:
		if size := s.size(x, arg); size > 0 {
			return s.a.load(st, s.address(st, i, x, arg), size)
		}
	}
	return 0
}

// address is the value of a memory operand's address.
func (s *x86Stepper) address(st *state, i int32, x *x86asm.Inst, m x86asm.Mem) nodeID {
	v := s.a.values
	if m.Segment == x86asm.FS || m.Segment == x86asm.GS || x.AddrSize != 64 {
		return 0
	}
	// x86asm leaves displacements relative to RIP unsigned.
	addr := v.constant(uint64(int64(int32(m.Disp))))
	if m.Base == x86asm.RIP {
		return v.add(addr, s.a.g.Insns[i].End())
	}
	if p, _, _, ok := gpr(m.Base); ok {
		addr = v.sum(addr, st.regs[p])
	}
	if p, _, _, ok := gpr(m.Index); ok {
		shift := uint64(0)
		for m.Scale>>shift > 1 {
			shift++
		}
		addr = v.sum(addr, v.shl(st.regs[p], shift))
	}
	return addr
}

// assign writes an operand; value 0 is an unknown one.
func (s *x86Stepper) assign(st *state, i int32, x *x86asm.Inst, arg x86asm.Arg, value nodeID) {
	v := s.a.values
	switch arg := arg.(type) {
	case x86asm.Reg:
		p, size, _, ok := gpr(arg)
		switch {
		case !ok:
		case size == 64:
			s.a.set(st, i, p, value)
		case size == 32: // the upper half becomes zero
			if value == 0 {
				value = v.opaque(i, p)
			}
			s.a.set(st, i, p, v.zext(value, 32))
		default: // the rest of the register stays
			s.a.set(st, i, p, 0)
		}
	case x86asm.Mem:
		size := x.MemBytes * 8
		if size == 0 { // fxsave and the like
			size = unsizedStore
		}
		s.a.store(st, i, s.address(st, i, x, arg), value, size)
	}
}

// called follows a call. Registers that the callee may change keep their
// values here: no compiler reads one before writing it, unless it knows that
// this callee leaves it alone (GCC's -fipa-ra).
func (s *x86Stepper) called(st *state, i int32) {
	s.a.set(st, i, x86RAX, 0)
	s.a.set(st, i, x86RDX, 0)
	st.memory = s.a.values.opaque(i, placeMemory)
	st.flags = compare{}
	s.a.spoilFrame(st)
}

// target reads the operand of an indirect jump from its condition, which
// holds it already.
func (s *x86Stepper) target(st *state, i int32) nodeID {
	in, v := &s.a.g.Insns[i], s.a.values
	c := in.Cond
	switch c.Op {
	case RegTarget:
		return st.regs[c.Reg]
	case MemTarget:
		addr := v.constant(uint64(c.Disp))
		if c.PCRel {
			addr = v.add(addr, in.Addr)
		}
		if c.Reg != NoReg {
			addr = v.sum(addr, st.regs[c.Reg])
		}
		if c.Index != NoReg {
			shift := uint64(0)
			for c.Scale>>shift > 1 {
				shift++
			}
			addr = v.sum(addr, v.shl(st.regs[c.Index], shift))
		}
		return s.a.load(st, addr, 64)
	}
	return 0
}

// relation says what a conditional jump compares.
func (s *x86Stepper) relation(st *state, i int32) (x, y nodeID, size uint8, rel relation) {
	c := s.a.g.Insns[i].Cond
	switch c.Op {
	case X86RCXZ:
		return st.regs[x86RCX], s.a.values.constant(0), c.Width, relEQ
	case X86CC:
		rel = s.codeRelation(st, c.Code)
		return st.flags.x, st.flags.y, st.flags.size, rel
	}
	return 0, 0, 0, relNone
}

// codeRelation reads a condition code after a comparison.
func (s *x86Stepper) codeRelation(st *state, code uint8) relation {
	switch code {
	case 2:
		return relULT
	case 3:
		return relUGE
	case 4:
		return relEQ
	case 5:
		return relNE
	case 6:
		return relULE
	case 7:
		return relUGT
	case 12:
		return relSLT
	case 13:
		return relSGE
	case 14:
		return relSLE
	case 15:
		return relSGT
	case 8, 9: // the sign is that of the difference: a relation to zero only
		if k, ok := s.a.values.isConst(st.flags.y); ok && k == 0 {
			return relSLT + relation(code-8)
		}
	}
	return relNone
}
