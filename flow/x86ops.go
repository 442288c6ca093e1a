package flow

import (
	"strings"

	"golang.org/x/arch/x86/x86asm"
)

func (s *x86Stepper) step(st *state, i int32) {
	in := &s.a.g.Insns[i]
	if in.Nop {
		return
	}
	if in.Kind == CondJump {
		if in.Cond.Op >= X86Loop && in.Cond.Op <= X86LoopNE {
			s.a.set(st, i, x86RCX, 0)
		}
		return
	}
	x := s.inst(i)
	if x == nil {
		s.unread(st, i)
		return
	}
	flags := s.flagsAfter(st, i, x)
	if !s.move(st, i, x) && !s.arithmetic(st, i, x) && !s.stack(st, i, x) {
		s.other(st, i, x)
	}
	st.flags = flags
}

// move follows the instructions that copy or extend a value.
func (s *x86Stepper) move(st *state, i int32, x *x86asm.Inst) bool {
	v, dst, src := s.a.values, x.Args[0], x.Args[1]
	switch x.Op {
	case x86asm.MOV, x86asm.MOVZX:
		s.assign(st, i, x, dst, s.value(st, i, x, src))
	case x86asm.MOVSX, x86asm.MOVSXD:
		if size := s.size(x, src); size > 0 {
			s.assign(st, i, x, dst, v.sext(s.value(st, i, x, src), size))
		} else {
			s.assign(st, i, x, dst, 0)
		}
	case x86asm.CDQE:
		s.a.set(st, i, x86RAX, v.sext(st.regs[x86RAX], 32))
	case x86asm.LEA:
		if m, ok := src.(x86asm.Mem); ok {
			s.assign(st, i, x, dst, s.address(st, i, x, m))
		}
	case x86asm.XCHG:
		a, b := s.value(st, i, x, dst), s.value(st, i, x, src)
		s.assign(st, i, x, dst, b)
		s.assign(st, i, x, src, a)
	default:
		if x.Op >= x86asm.CMOVA && x.Op <= x86asm.CMOVS {
			s.conditionalMove(st, i, x)
			return true
		}
		return false
	}
	return true
}

// conditionalMove makes the old and the new value alternatives of each other.
func (s *x86Stepper) conditionalMove(st *state, i int32, x *x86asm.Inst) {
	v := s.a.values
	dst, _ := x.Args[0].(x86asm.Reg)
	p, size, _, ok := gpr(dst)
	if !ok || size < 32 {
		s.assign(st, i, x, x.Args[0], 0)
		return
	}
	old, fresh := s.value(st, i, x, dst), s.value(st, i, x, x.Args[1])
	choice := v.phi(i, choicePlace+p)
	v.merged(choice, old)
	v.merged(choice, fresh)
	f, ok := readX86Form(s.a.b.bytes(&s.a.g.Insns[i]))
	moved, kept := st.clone(), st.clone()
	if ok && f.omap == map0F {
		rel := s.codeRelation(st, f.opcode&15)
		s.a.learn(moved, st.flags, rel)
		s.a.learn(kept, st.flags, rel.not())
	}
	setBounds(st, choice, v.bounds(moved, fresh).hull(v.bounds(kept, old)))
	s.a.set(st, i, p, choice)
}

// arithmetic follows what address computations are made of.
func (s *x86Stepper) arithmetic(st *state, i int32, x *x86asm.Inst) bool {
	v, dst := s.a.values, x.Args[0]
	size := s.size(x, dst)
	if size == 0 {
		return false
	}
	var a, b nodeID
	a = s.value(st, i, x, dst)
	if x.Args[1] != nil {
		b = s.value(st, i, x, x.Args[1])
	}
	same := x.Args[1] == dst
	k, immediate := v.isConst(b)
	var result nodeID
	switch x.Op {
	case x86asm.ADD:
		result = v.sum(a, b)
	case x86asm.INC:
		result = v.add(a, 1)
	case x86asm.DEC:
		result = v.add(a, ^uint64(0))
	case x86asm.SUB:
		switch {
		case same:
			result = v.constant(0)
		case immediate && b != 0:
			result = v.add(a, -k)
		}
	case x86asm.XOR:
		if same {
			result = v.constant(0)
		}
	case x86asm.AND:
		if same {
			result = a
		} else if immediate && b != 0 {
			result = v.and(a, k&ones(size))
		}
	case x86asm.OR:
		if same {
			result = a
		}
	case x86asm.SHL:
		if immediate && b != 0 {
			result = v.shl(a, k&63)
		}
	default:
		return false
	}
	s.assign(st, i, x, dst, v.zext(result, size))
	return true
}

// stack follows push, pop and leave.
func (s *x86Stepper) stack(st *state, i int32, x *x86asm.Inst) bool {
	v := s.a.values
	switch x.Op {
	case x86asm.PUSH:
		value := s.value(st, i, x, x.Args[0])
		s.a.set(st, i, x86RSP, v.add(st.regs[x86RSP], ^uint64(7)))
		s.a.store(st, i, st.regs[x86RSP], value, 64)
	case x86asm.POP:
		value := s.a.load(st, st.regs[x86RSP], 64)
		s.a.set(st, i, x86RSP, v.add(st.regs[x86RSP], 8))
		s.assign(st, i, x, x.Args[0], value)
	case x86asm.LEAVE:
		value := s.a.load(st, st.regs[x86RBP], 64)
		s.a.set(st, i, x86RSP, v.add(st.regs[x86RBP], 8))
		s.a.set(st, i, x86RBP, value)
	default:
		return false
	}
	return true
}

// other follows any instruction by what it overwrites.
func (s *x86Stepper) other(st *state, i int32, x *x86asm.Inst) {
	switch x.Op {
	case x86asm.CMP, x86asm.TEST, x86asm.BT, x86asm.NOP:
		return
	}
	for _, p := range x86Implicit(x) {
		s.a.set(st, i, p, 0)
	}
	s.assign(st, i, x, x.Args[0], 0)
	switch x.Op {
	case x86asm.XADD, x86asm.CMPXCHG:
		s.assign(st, i, x, x.Args[1], 0)
	default:
		if strings.HasPrefix(x.Op.String(), "MULX") {
			s.assign(st, i, x, x.Args[1], 0)
		}
	}
}

// x86Implicit gives the registers that an instruction writes without naming them.
func x86Implicit(x *x86asm.Inst) []place {
	switch x.Op {
	case x86asm.MUL, x86asm.DIV, x86asm.IDIV, x86asm.RDMSR, x86asm.RDPMC, x86asm.RDTSC, x86asm.XGETBV,
		x86asm.CMPXCHG8B, x86asm.CMPXCHG16B:
		return []place{x86RAX, x86RDX}
	case x86asm.IMUL:
		if x.Args[1] == nil {
			return []place{x86RAX, x86RDX}
		}
	case x86asm.CDQ, x86asm.CQO, x86asm.CWD:
		return []place{x86RDX}
	case x86asm.CBW, x86asm.CWDE, x86asm.CMPXCHG, x86asm.XLATB, x86asm.LAHF, x86asm.FNSTSW:
		return []place{x86RAX}
	case x86asm.CPUID:
		return []place{x86RAX, x86RBX, x86RCX, x86RDX}
	case x86asm.RDTSCP:
		return []place{x86RAX, x86RCX, x86RDX}
	case x86asm.SYSCALL:
		return []place{x86RAX, x86RCX, x86R11}
	case x86asm.PCMPESTRI, x86asm.PCMPISTRI:
		return []place{x86RCX}
	case x86asm.LODSB, x86asm.LODSW, x86asm.LODSD, x86asm.LODSQ:
		return []place{x86RAX, x86RSI, x86RCX}
	case x86asm.MOVSB, x86asm.MOVSW, x86asm.MOVSQ, x86asm.STOSB, x86asm.STOSW, x86asm.STOSD, x86asm.STOSQ,
		x86asm.CMPSB, x86asm.CMPSW, x86asm.CMPSQ, x86asm.SCASB, x86asm.SCASW, x86asm.SCASD, x86asm.SCASQ,
		x86asm.INSB, x86asm.INSW, x86asm.INSD, x86asm.OUTSB, x86asm.OUTSW, x86asm.OUTSD:
		return []place{x86RDI, x86RSI, x86RCX}
	case x86asm.MOVSD, x86asm.CMPSD: // the string forms have memory on both sides
		if _, ok := x.Args[1].(x86asm.Mem); ok {
			if _, ok := x.Args[0].(x86asm.Mem); ok {
				return []place{x86RDI, x86RSI, x86RCX}
			}
		}
	case x86asm.INT, x86asm.SYSENTER:
		return []place{x86RAX}
	case x86asm.ENTER:
		return []place{x86RSP, x86RBP}
	}
	return nil
}

// unread follows an instruction that x86asm does not know: a vector
// instruction may write the general registers it names, anything else may
// write all.
func (s *x86Stepper) unread(st *state, i int32) {
	st.flags = compare{}
	f, ok := readX86Form(s.a.b.bytes(&s.a.g.Insns[i]))
	st.memory = s.a.values.opaque(i, placeMemory)
	s.a.spoilFrame(st)
	if !ok || f.vector || f.omap != mapOne {
		if f.vector && f.opcode == 0x77 { // vzeroupper, vzeroall
			return
		}
		s.spoil(st, i, f.reg())
		if f.register() {
			s.spoil(st, i, f.modrm&7)
		}
		return
	}
	for r := range uint8(8) {
		s.spoil(st, i, r)
	}
}

// spoil forgets a register of which only the low three bits are known, but
// never the stack pointer: nothing writes that in passing.
func (s *x86Stepper) spoil(st *state, i int32, r uint8) {
	for _, r := range [...]uint8{r & 7, r&7 | 8} {
		if p := place(x86DWARF(r)); p != x86RSP {
			s.a.set(st, i, p, 0)
		}
	}
}

// flagsAfter gives what the flags compare after an instruction.
func (s *x86Stepper) flagsAfter(st *state, i int32, x *x86asm.Inst) compare {
	v := s.a.values
	size := s.size(x, x.Args[0])
	switch x.Op {
	case x86asm.CMP, x86asm.SUB:
		if size > 0 {
			return compare{s.value(st, i, x, x.Args[0]), s.value(st, i, x, x.Args[1]), size}
		}
	case x86asm.TEST, x86asm.AND:
		if size > 0 && x.Args[0] == x.Args[1] {
			return compare{s.value(st, i, x, x.Args[0]), v.constant(0), size}
		}
	default:
		if x86KeepsFlags(x) {
			return st.flags
		}
	}
	return compare{}
}

// x86KeepsFlags tells whether an instruction leaves the flags alone. Vector
// instructions do, but for the comparisons.
func x86KeepsFlags(x *x86asm.Inst) bool {
	switch x.Op {
	case x86asm.MOV, x86asm.MOVZX, x86asm.MOVSX, x86asm.MOVSXD, x86asm.LEA, x86asm.PUSH, x86asm.POP, x86asm.LEAVE,
		x86asm.NOT, x86asm.XCHG, x86asm.CDQE, x86asm.CDQ, x86asm.CQO, x86asm.CWDE, x86asm.BSWAP, x86asm.NOP:
		return true
	}
	if x.Op >= x86asm.CMOVA && x.Op <= x86asm.CMOVS || x.Op >= x86asm.SETA && x.Op <= x86asm.SETS {
		return true
	}
	for _, arg := range x.Args {
		if r, ok := arg.(x86asm.Reg); ok && r >= x86asm.X0 && r <= x86asm.Z31 {
			name := x.Op.String()
			return !strings.Contains(name, "COMIS") && !strings.Contains(name, "TEST") && !strings.Contains(name, "STRI") && !strings.Contains(name, "STRM")
		}
	}
	return false
}
