package flow

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/arch/arm64/arm64asm"
	"golang.org/x/arch/x86/x86asm"

	"github.com/surehook/surehook/elfbin"
)

// How far Tested looks back for the comparison that a branch depends on, and
// for the moves that brought its operands: compilers put them close by.
const (
	maxToCompare = 8
	maxToMove    = 24
)

// Tested lists what decides a conditional jump (an index in g.Insns): the
// registers and places in memory that the comparison before it reads, and what
// was moved there just before. The spellings say the same operand within one function; that
// an operand has kept its value between two tests they do not say. It is empty
// where the comparison is not found.
func (g *Graph) Tested(img Image, arch elfbin.Arch, jump int32) []string {
	if int(jump) >= len(g.Insns) || g.Insns[jump].Kind != CondJump {
		return nil
	}
	t := tested{g: g, img: img, arch: arch, seen: map[string]bool{}}
	at := jump
	if c := g.Insns[jump].Cond; c.Op == ARM64CBZ || c.Op == ARM64TBZ {
		t.add(register(c.Reg))
	} else {
		for n := 0; len(t.out) == 0; n++ {
			var ok bool
			if at, ok = t.before(at); !ok || n == maxToCompare {
				return nil
			}
			args, compares := t.compared(at)
			if compares {
				t.add(args...)
				break
			}
		}
	}
	for n := 0; n < maxToMove; n++ {
		var ok bool
		if at, ok = t.before(at); !ok {
			break
		}
		if to, from, ok := t.moved(at); ok && t.seen[to] {
			t.add(from)
		}
	}
	return t.out
}

// tested gathers operands, each once.
type tested struct {
	g    *Graph
	img  Image
	arch elfbin.Arch
	seen map[string]bool
	out  []string
}

func (t *tested) add(operands ...string) {
	for _, o := range operands {
		if o != "" && !t.seen[o] {
			t.seen[o] = true
			t.out = append(t.out, o)
		}
	}
}

// before gives the one instruction that leads to another and nowhere else.
func (t *tested) before(i int32) (int32, bool) {
	pred := t.g.Pred(i)
	if len(pred) != 1 || len(t.g.Succ(pred[0].From)) != 1 {
		return 0, false
	}
	return pred[0].From, true
}

// compared gives the operands of an instruction that sets the flags.
func (t *tested) compared(i int32) (args []string, ok bool) {
	if t.arch == elfbin.ARM64 {
		x, ok := t.arm64(i)
		if !ok {
			return nil, false
		}
		switch x.Op {
		case arm64asm.CMP, arm64asm.CMN, arm64asm.TST:
			return []string{arm64Operand(x.Args[0]), arm64Operand(x.Args[1])}, true
		case arm64asm.SUBS, arm64asm.ADDS, arm64asm.ANDS:
			return []string{arm64Operand(x.Args[0]), arm64Operand(x.Args[1]), arm64Operand(x.Args[2])}, true
		}
		return nil, false
	}
	x, ok := t.x86(i)
	if !ok {
		return nil, false
	}
	switch x.Op {
	case x86asm.CMP, x86asm.TEST, x86asm.SUB, x86asm.ADD, x86asm.AND, x86asm.OR, x86asm.XOR, x86asm.BT,
		x86asm.INC, x86asm.DEC, x86asm.NEG, x86asm.COMISS, x86asm.COMISD, x86asm.UCOMISS, x86asm.UCOMISD:
		return []string{x86Operand(x.Args[0]), x86Operand(x.Args[1])}, true
	}
	return nil, false
}

// moved gives the operands of an instruction that only moves a value.
func (t *tested) moved(i int32) (to, from string, ok bool) {
	if t.arch == elfbin.ARM64 {
		x, ok := t.arm64(i)
		if !ok {
			return "", "", false
		}
		switch x.Op {
		case arm64asm.MOV, arm64asm.LDR, arm64asm.LDRB, arm64asm.LDRH, arm64asm.LDRSW, arm64asm.LDRSB, arm64asm.LDRSH, arm64asm.LDUR:
			return arm64Operand(x.Args[0]), arm64Operand(x.Args[1]), true
		}
		return "", "", false
	}
	x, ok := t.x86(i)
	if !ok {
		return "", "", false
	}
	switch x.Op {
	case x86asm.MOV, x86asm.MOVZX, x86asm.MOVSX, x86asm.MOVSXD:
		return x86Operand(x.Args[0]), x86Operand(x.Args[1]), true
	}
	return "", "", false
}

func (t *tested) x86(i int32) (x86asm.Inst, bool) {
	in := &t.g.Insns[i]
	x, err := x86asm.Decode(t.img.Bytes(in.Addr, int(in.Len)), 64)
	return x, err == nil && x.Op != 0 && x.Len == int(in.Len)
}

func (t *tested) arm64(i int32) (arm64asm.Inst, bool) {
	code := t.img.Bytes(t.g.Insns[i].Addr, arm64Len)
	if len(code) < arm64Len || !arm64Known(binary.LittleEndian.Uint32(code)) {
		return arm64asm.Inst{}, false
	}
	x, err := arm64asm.Decode(code)
	return x, err == nil
}

// arm64Known keeps from the disassembler what it is not needed for: only data
// processing and loads are looked at (Arm ARM C4.1, op0).
func arm64Known(w uint32) bool {
	op := w >> 25 & 15
	return op == 8 || op == 9 || op&5 == 4 || op&7 == 5
}

func register(n uint8) string { return fmt.Sprintf("r%d", n) }

// x86Operand spells a register, whatever its width, or a place in memory.
func x86Operand(arg x86asm.Arg) string {
	switch arg := arg.(type) {
	case x86asm.Reg:
		if p, _, high, ok := gpr(arg); ok && !high {
			return register(uint8(p))
		}
		return arg.String()
	case x86asm.Mem:
		return fmt.Sprintf("[%v %v+%v*%d+%d]", arg.Segment, arg.Base, arg.Index, arg.Scale, arg.Disp)
	}
	return ""
}

// arm64Operand spells a register, whatever its width, or a place in memory.
func arm64Operand(arg arm64asm.Arg) string {
	switch arg := arg.(type) {
	case arm64asm.Reg:
		return arm64Register(arg)
	case arm64asm.RegSP:
		return arm64Register(arm64asm.Reg(arg))
	case arm64asm.RegExtshiftAmount:
		return ""
	case arm64asm.MemImmediate, arm64asm.MemExtend:
		return arg.String()
	}
	return ""
}

func arm64Register(r arm64asm.Reg) string {
	switch {
	case r >= arm64asm.W0 && r <= arm64asm.W30:
		return register(uint8(r - arm64asm.W0))
	case r >= arm64asm.X0 && r <= arm64asm.X30:
		return register(uint8(r - arm64asm.X0))
	}
	return r.String()
}
