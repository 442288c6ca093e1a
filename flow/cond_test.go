package flow

import "testing"

func TestCondHolds(t *testing.T) {
	const (
		cf, pf, zf, sf, of = 1, 4, 0x40, 0x80, 0x800
		n, z, c, v         = 1 << 31, 1 << 30, 1 << 29, 1 << 28
	)
	x86 := func(code uint8) Cond { return Cond{Op: X86CC, Code: code} }
	arm := func(code uint8) Cond { return Cond{Op: ARM64CC, Code: code} }
	rcx := func(x uint64) Regs { return Regs{GPR: [32]uint64{2: x}} }
	for _, c := range []struct {
		cond Cond
		regs Regs
		want bool
	}{
		{Cond{}, Regs{}, true},
		{Cond{Negate: true}, Regs{}, false},
		{x86(0), Regs{Flags: of}, true}, {x86(1), Regs{Flags: of}, false},
		{x86(2), Regs{Flags: cf}, true}, {x86(3), Regs{Flags: cf}, false},
		{x86(4), Regs{Flags: zf}, true}, {x86(5), Regs{Flags: zf}, false}, {x86(5), Regs{}, true},
		{x86(6), Regs{Flags: cf}, true}, {x86(6), Regs{Flags: zf}, true}, {x86(6), Regs{}, false}, {x86(7), Regs{}, true},
		{x86(8), Regs{Flags: sf}, true}, {x86(9), Regs{Flags: sf}, false},
		{x86(10), Regs{Flags: pf}, true}, {x86(11), Regs{Flags: pf}, false},
		{x86(12), Regs{Flags: sf}, true}, {x86(12), Regs{Flags: sf | of}, false}, {x86(12), Regs{Flags: of}, true},
		{x86(13), Regs{Flags: sf | of}, true}, {x86(13), Regs{Flags: of}, false},
		{x86(14), Regs{Flags: zf}, true}, {x86(14), Regs{Flags: sf}, true}, {x86(14), Regs{}, false},
		{x86(15), Regs{}, true}, {x86(15), Regs{Flags: zf | sf | of}, false}, {x86(15), Regs{Flags: sf | of}, true},
		{x86(4).Not(), Regs{Flags: zf}, false},
		{Cond{Op: X86RCXZ, Width: 64}, rcx(0), true},
		{Cond{Op: X86RCXZ, Width: 64}, rcx(1 << 32), false},
		{Cond{Op: X86RCXZ, Width: 32}, rcx(1 << 32), true},
		{Cond{Op: X86Loop, Width: 64}, rcx(1), false},
		{Cond{Op: X86Loop, Width: 64}, rcx(0), true},
		{Cond{Op: X86Loop, Width: 64}, rcx(1<<32 + 1), true},
		{Cond{Op: X86Loop, Width: 32}, rcx(1<<32 + 1), false},
		{Cond{Op: X86LoopE, Width: 64}, Regs{GPR: [32]uint64{2: 5}, Flags: zf}, true},
		{Cond{Op: X86LoopE, Width: 64}, rcx(5), false},
		{Cond{Op: X86LoopE, Width: 64}, Regs{GPR: [32]uint64{2: 1}, Flags: zf}, false},
		{Cond{Op: X86LoopNE, Width: 64}, rcx(5), true},
		{Cond{Op: X86LoopNE, Width: 64}, Regs{GPR: [32]uint64{2: 5}, Flags: zf}, false},
		{arm(0), Regs{Flags: z}, true}, {arm(1), Regs{Flags: z}, false},
		{arm(2), Regs{Flags: c}, true}, {arm(3), Regs{Flags: c}, false},
		{arm(4), Regs{Flags: n}, true}, {arm(5), Regs{Flags: n}, false},
		{arm(6), Regs{Flags: v}, true}, {arm(7), Regs{Flags: v}, false},
		{arm(8), Regs{Flags: c}, true}, {arm(8), Regs{Flags: c | z}, false}, {arm(9), Regs{}, true}, {arm(9), Regs{Flags: c | z}, true},
		{arm(10), Regs{Flags: n | v}, true}, {arm(10), Regs{Flags: n}, false}, {arm(11), Regs{Flags: v}, true},
		{arm(12), Regs{}, true}, {arm(12), Regs{Flags: z}, false}, {arm(13), Regs{Flags: z}, true}, {arm(13), Regs{Flags: n}, true},
		{arm(14), Regs{}, true}, {arm(15), Regs{}, true},
		{Cond{Op: ARM64CBZ, Reg: 3, Width: 32}, Regs{GPR: [32]uint64{3: 1 << 32}}, true},
		{Cond{Op: ARM64CBZ, Reg: 3, Width: 64}, Regs{GPR: [32]uint64{3: 1 << 32}}, false},
		{Cond{Op: ARM64CBZ, Reg: 3, Width: 64, Negate: true}, Regs{GPR: [32]uint64{3: 1}}, true},
		{Cond{Op: ARM64CBZ, Reg: 31, Width: 64}, Regs{GPR: [32]uint64{31: 9}}, true}, // xzr, not sp
		{Cond{Op: ARM64TBZ, Reg: 4, Bit: 63}, Regs{GPR: [32]uint64{4: 1 << 63}}, false},
		{Cond{Op: ARM64TBZ, Reg: 4, Bit: 62}, Regs{GPR: [32]uint64{4: 1 << 63}}, true},
		{Cond{Op: RegTarget, Reg: 0, Delta: -16}, Regs{GPR: [32]uint64{0x5000}, PC: 0x5010}, true},
		{Cond{Op: RegTarget, Reg: 0, Delta: 16}, Regs{GPR: [32]uint64{0x5000}, PC: 0x5010}, false},
		{Cond{Op: 99}, Regs{}, false},
		{Cond{Op: 99, Negate: true}, Regs{}, false},
	} {
		if got := c.cond.Holds(c.regs); got != c.want {
			t.Errorf("%#v (%s) with %+v: %v", c.cond, c.cond, c.regs, got)
		}
		if c.cond.Op < 99 && c.cond.Op != Always && c.cond.Holds(c.regs) == c.cond.Not().Holds(c.regs) {
			t.Errorf("%s and its opposite agree", c.cond)
		}
	}
}

func TestCondMemory(t *testing.T) {
	mem := func(want uint64) func(uint64) (uint64, bool) {
		return func(addr uint64) (uint64, bool) { return 0x5020, addr == want }
	}
	regs := Regs{GPR: [32]uint64{0: 3, 3: 0x1000}, PC: 0x5010}
	table := Cond{Op: MemTarget, Reg: 3, Index: 0, Scale: 8, Disp: -8, Delta: 16}
	fixed := Cond{Op: MemTarget, Reg: NoReg, Index: NoReg, PCRel: true, Disp: 0x100, Delta: 16}
	for _, c := range []struct {
		cond Cond
		addr uint64
		want bool
	}{{table, 0x1010, true}, {table, 0x1018, false}, {fixed, 0x5110, true}} {
		regs.Mem = mem(c.addr)
		if got := c.cond.Holds(regs); got != c.want {
			t.Errorf("%#v: %v", c.cond, got)
		}
		if !c.want && c.cond.Not().Holds(regs) {
			t.Errorf("%#v: memory that cannot be read decides", c.cond)
		}
	}
	regs.Mem = nil
	if table.Holds(regs) || table.Not().Holds(regs) {
		t.Error("decided without memory")
	}
}

func TestCondString(t *testing.T) {
	for want, c := range map[string]Cond{
		"always":                   {},
		"ZF=0":                     {Op: X86CC, Code: 5},
		"not (CF=1)":               {Op: X86CC, Code: 2, Negate: true},
		"rcx == 0":                 {Op: X86RCXZ, Width: 64},
		"cx == 0":                  {Op: X86RCXZ, Width: 16},
		"w3 == 0":                  {Op: ARM64CBZ, Reg: 3, Width: 32},
		"bit 33 of x3 is 0":        {Op: ARM64TBZ, Reg: 3, Bit: 33},
		"C=0 or Z=1":               {Op: ARM64CC, Code: 9},
		"jumps to pc-0x10":         {Op: RegTarget, Delta: -16},
		"not (jumps to pc+0x1234)": {Op: MemTarget, Delta: 0x1234, Negate: true},
		"unknown condition 77":     {Op: 77},
	} {
		if got := c.String(); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}
