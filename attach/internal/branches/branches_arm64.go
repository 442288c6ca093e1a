package branches

import (
	"fmt"

	"github.com/surehook/surehook/flow"
)

// The stubs, in the order of the assembly.
const (
	spacing = 32

	bcond   = 0
	zero    = 16
	br      = 21
	arm0    = 22
	arm1    = 23
	refused = 24
)

// Plain is a stub that returns Taken, Other one that does not: no branches.
func Plain() (taken, other uintptr) { return at(arm1), at(arm0) }

// Refused is an instruction that the kernel does not let be probed.
func Refused() uintptr { return at(refused) }

// Stubs gives all branches. The instruction set has no jumps through memory:
// table is only filled.
func Stubs(table *[2]uintptr) []Stub {
	table[0], table[1] = at(arm0), at(arm1)
	var stubs []Stub
	for code := range uint8(16) {
		s := Stub{Name: fmt.Sprintf("b.cond %d", code), Addr: at(bcond + int(code))}
		s.Cond = flow.Cond{Op: flow.ARM64CC, Code: code, Reg: flow.NoReg, Index: flow.NoReg}
		for f := range uint64(16) {
			s.Sets = append(s.Sets, Regs{Flags: f << 28})
		}
		stubs = append(stubs, s)
	}
	conds := []flow.Cond{
		{Op: flow.ARM64CBZ, Reg: 3, Width: 64},
		{Op: flow.ARM64CBZ, Reg: 3, Width: 32},
		{Op: flow.ARM64TBZ, Reg: 3, Bit: 5, Width: 32},
		{Op: flow.ARM64TBZ, Reg: 3, Bit: 41, Width: 64},
		{Op: flow.ARM64CBZ, Reg: 31, Width: 64},
		{Op: flow.RegTarget, Reg: 3, Delta: int64(at(arm1) - at(br))},
	}
	values := []uint64{0, 1, 1 << 5, 1 << 32, 1 << 41, ^uint64(0)}
	for i, c := range conds {
		c.Index = flow.NoReg
		s := Stub{Name: fmt.Sprintf("condition %d", i), Addr: at(zero + i), Cond: c}
		if c.Op == flow.RegTarget {
			values = []uint64{uint64(table[0]), uint64(table[1]), uint64(table[1])}
		}
		for _, v := range values {
			var r Regs
			r.R[3] = v
			s.Sets = append(s.Sets, r)
		}
		stubs = append(stubs, s)
	}
	return stubs
}
