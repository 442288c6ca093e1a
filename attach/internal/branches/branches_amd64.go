package branches

import (
	"fmt"

	"github.com/surehook/surehook/flow"
)

// The stubs, in the order of the assembly.
const (
	spacing = 16

	jcc     = 0
	jrcxz   = 16
	jmpReg  = 22
	jmpMem  = 38
	arm0    = 39
	arm1    = 40
	refused = 41
)

// Plain is a stub that returns Taken, Other one that does not: no branches.
func Plain() (taken, other uintptr) { return at(arm1), at(arm0) }

// Refused is an instruction that the kernel does not let be probed.
func Refused() uintptr { return at(refused) }

// Stubs gives all branches. table[0] is where memory jumps find their target
// (not taken, taken).
func Stubs(table *[2]uintptr) []Stub {
	table[0], table[1] = at(arm0), at(arm1)
	stubs := counted()
	for code := range uint8(16) {
		s := Stub{Name: fmt.Sprintf("jcc %d", code), Addr: at(jcc + int(code))}
		s.Cond = flow.Cond{Op: flow.X86CC, Code: code, Reg: flow.NoReg, Index: flow.NoReg}
		for f := range uint64(32) {
			s.Sets = append(s.Sets, Regs{Flags: flags(f)})
		}
		stubs = append(stubs, s)
	}
	for reg := range uint8(16) {
		if reg == 7 {
			continue
		}
		s := Stub{Name: fmt.Sprintf("jmp *reg %d", reg), Addr: at(jmpReg + int(reg))}
		s.Cond = flow.Cond{Op: flow.RegTarget, Reg: reg, Index: flow.NoReg, Delta: int64(at(arm1) - s.Addr)}
		for i := range 5 {
			var r Regs
			r.R[reg] = uint64(table[i%2])
			s.Sets = append(s.Sets, r)
		}
		stubs = append(stubs, s)
	}
	return append(stubs, memory(table))
}

// flags spreads five bits over CF, PF, ZF, SF and OF.
func flags(f uint64) uint64 {
	return f&1 | f>>1&1<<2 | f>>2&1<<6 | f>>3&1<<7 | f>>4&1<<11
}

// counted are the branches on RCX.
func counted() []Stub {
	ops := []struct {
		name  string
		op    flow.CondOp
		width uint8
	}{
		{"jrcxz", flow.X86RCXZ, 64}, {"jecxz", flow.X86RCXZ, 32}, {"loop", flow.X86Loop, 64},
		{"loop 32", flow.X86Loop, 32}, {"loope", flow.X86LoopE, 64}, {"loopne", flow.X86LoopNE, 64},
	}
	var stubs []Stub
	for i, o := range ops {
		s := Stub{Name: o.name, Addr: at(jrcxz + i)}
		s.Cond = flow.Cond{Op: o.op, Width: o.width, Reg: flow.NoReg, Index: flow.NoReg}
		for _, cx := range []uint64{0, 1, 2, 1 << 32, 1<<32 + 1, 1<<32 + 2, ^uint64(0)} {
			for f := range uint64(32) {
				r := Regs{Flags: flags(f)}
				r.R[2] = cx
				s.Sets = append(s.Sets, r)
			}
		}
		stubs = append(stubs, s)
	}
	return stubs
}

// memory is jmp *16(%rbx,%rsi,8).
func memory(table *[2]uintptr) Stub {
	s := Stub{Name: "jmp *mem", Addr: at(jmpMem)}
	s.Cond = flow.Cond{
		Op: flow.MemTarget, Reg: 3, Index: 4, Scale: 8, Disp: 16,
		Delta: int64(at(arm1) - s.Addr),
	}
	for i := range 5 {
		var r Regs
		r.R[3], r.R[4] = Address(table)-16, uint64(i%2)
		s.Sets = append(s.Sets, r)
		r.R[3], r.R[4] = Address(table), uint64(i%2)-2 // a negative index
		s.Sets = append(s.Sets, r)
	}
	return s
}
