package flow

import "golang.org/x/arch/x86/x86asm"

// x86Knows is what an instruction of x86-64 does to what is known of errors.
func x86Knows(code []byte) effect {
	x, err := x86asm.Decode(code, 64)
	if err != nil || x.Len != len(code) {
		return effect{kind: forgets}
	}
	flags := forgetsIt
	switch x.Op {
	case x86asm.MOV, x86asm.MOVSXD, x86asm.MOVSX, x86asm.MOVZX, x86asm.LEA, x86asm.POP, x86asm.NOT, x86asm.SETE, x86asm.SETNE,
		x86asm.CMOVE, x86asm.CMOVNE, x86asm.CMOVS, x86asm.CMOVNS, x86asm.CMOVL, x86asm.CMOVGE, x86asm.CMOVLE, x86asm.CMOVG,
		x86asm.CMOVA, x86asm.CMOVAE, x86asm.CMOVB, x86asm.CMOVBE:
		flags = leaves
	case x86asm.PUSH, x86asm.NOP, x86asm.PAUSE, x86asm.LFENCE, x86asm.MFENCE, x86asm.SFENCE, x86asm.PREFETCHT0, x86asm.PREFETCHNTA, x86asm.PREFETCHW:
		return effect{kind: leaves}
	case x86asm.LEAVE:
		return wrote(x86Frame, x86Frame)
	case x86asm.CDQE: // eax to rax
		return effect{kind: leaves}
	case x86asm.CMP, x86asm.TEST:
		return x86Compared(&x)
	case x86asm.BT:
		return effect{kind: forgetsIt}
	case x86asm.ADD, x86asm.SUB, x86asm.AND, x86asm.OR, x86asm.XOR, x86asm.SHL, x86asm.SHR, x86asm.SAR, x86asm.INC, x86asm.DEC, x86asm.NEG,
		x86asm.BTS, x86asm.BTR, x86asm.SBB, x86asm.ADC:
	default:
		return effect{kind: forgets}
	}
	return x86Written(&x, flags)
}

// x86Frame is rbp.
const x86Frame = 6

// x86Written is the effect of an instruction that writes its first operand
// alone.
func x86Written(x *x86asm.Inst, flags effectKind) effect {
	switch to := x.Args[0].(type) {
	case x86asm.Mem:
		return effect{kind: flags}
	case x86asm.Reg:
		p, size, _, ok := gpr(to)
		if !ok {
			break // a segment, for one
		}
		e := effect{kind: writes, to: uint8(p)}
		if flags == leaves {
			e = wrote(uint8(p), uint8(p))
		}
		if size < 32 {
			return e
		}
		switch v := x.Args[1].(type) {
		case x86asm.Imm:
			if x.Op == x86asm.MOV && isErr(uint64(v), size) || x.Op == x86asm.OR && v == -1 {
				e.kind = makesErr
			}
		case x86asm.Reg:
			from, width, _, ok := gpr(v)
			if ok && width >= 32 && (x.Op == x86asm.MOV || x.Op == x86asm.MOVSXD) {
				e.kind, e.from = copies, uint8(from)
			}
		}
		return e
	}
	return effect{kind: forgets}
}

// x86Compared is the effect of a comparison.
func x86Compared(x *x86asm.Inst) effect {
	r, ok := x.Args[0].(x86asm.Reg)
	if !ok {
		return effect{kind: forgetsIt}
	}
	p, size, _, ok := gpr(r)
	if !ok || size < 32 {
		return effect{kind: forgetsIt}
	}
	if x.Op == x86asm.TEST {
		if x.Args[1] == x.Args[0] {
			return compares(uint8(p), 0, size)
		}
		return effect{kind: forgetsIt}
	}
	if v, ok := x.Args[1].(x86asm.Imm); ok {
		return compares(uint8(p), uint64(v), size)
	}
	return effect{kind: forgetsIt}
}
