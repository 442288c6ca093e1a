package flow

import "fmt"

// Regs are the registers saved at a probe: what a condition is decided from.
type Regs struct {
	GPR   [32]uint64 // by DWARF number; arm64: 31 is the stack pointer
	Flags uint64     // EFLAGS, or PSTATE with N Z C V in bits 31 to 28
	PC    uint64     // address of the probed instruction
	// Mem reads 8 bytes at a virtual address of the process; nil where
	// memory cannot be read.
	Mem func(addr uint64) (uint64, bool)
}

// Bits of EFLAGS (Intel SDM vol. 1, section 3.4.3.1).
const (
	flagCF = 1 << 0
	flagPF = 1 << 2
	flagZF = 1 << 6
	flagSF = 1 << 7
	flagOF = 1 << 11
)

// Holds decides the condition. Where memory it needs cannot be read it does
// not hold, negated or not.
func (c Cond) Holds(r Regs) bool {
	holds, known := c.decide(&r)
	return known && holds != c.Negate
}

func (c Cond) decide(r *Regs) (holds, known bool) {
	switch c.Op {
	case Always:
		return true, true
	case X86CC:
		return x86Condition(c.Code, r.Flags), true
	case X86RCXZ:
		return narrow(r.GPR[2], c.Width) == 0, true
	case X86Loop:
		return narrow(r.GPR[2]-1, c.Width) != 0, true
	case X86LoopE:
		return narrow(r.GPR[2]-1, c.Width) != 0 && r.Flags&flagZF != 0, true
	case X86LoopNE:
		return narrow(r.GPR[2]-1, c.Width) != 0 && r.Flags&flagZF == 0, true
	case ARM64CC:
		return arm64Condition(c.Code, r.Flags), true
	case ARM64CBZ:
		return narrow(r.zeroReg(c.Reg), c.Width) == 0, true
	case ARM64TBZ:
		return r.zeroReg(c.Reg)>>(c.Bit&63)&1 == 0, true
	case RegTarget:
		return int64(r.reg(c.Reg)-r.PC) == c.Delta, true
	case MemTarget:
		if r.Mem == nil {
			return false, false
		}
		v, ok := r.Mem(c.address(r))
		return int64(v-r.PC) == c.Delta, ok
	}
	return false, false
}

// address is where a MemTarget reads.
func (c Cond) address(r *Regs) uint64 {
	addr := uint64(c.Disp) + r.reg(c.Reg) + r.reg(c.Index)*uint64(c.Scale)
	if c.PCRel {
		addr += r.PC
	}
	return addr
}

// reg reads a register by DWARF number, 0 for NoReg.
func (r *Regs) reg(n uint8) uint64 {
	if int(n) >= len(r.GPR) {
		return 0
	}
	return r.GPR[n]
}

// zeroReg reads an arm64 register where 31 is the zero register.
func (r *Regs) zeroReg(n uint8) uint64 {
	if n >= 31 {
		return 0
	}
	return r.GPR[n]
}

// narrow keeps the low width bits.
func narrow(v uint64, width uint8) uint64 {
	if width == 0 || width >= 64 {
		return v
	}
	return v & (1<<width - 1)
}

// x86Condition decides a Jcc (Intel SDM vol. 2, Jcc).
func x86Condition(code uint8, flags uint64) bool {
	less := flags&flagSF != 0 != (flags&flagOF != 0)
	var v bool
	switch code >> 1 & 7 {
	case 0:
		v = flags&flagOF != 0
	case 1:
		v = flags&flagCF != 0
	case 2:
		v = flags&flagZF != 0
	case 3:
		v = flags&(flagCF|flagZF) != 0
	case 4:
		v = flags&flagSF != 0
	case 5:
		v = flags&flagPF != 0
	case 6:
		v = less
	case 7:
		v = less || flags&flagZF != 0
	}
	return v != (code&1 == 1)
}

// arm64Condition decides a B.cond (Arm ARM, ConditionHolds).
func arm64Condition(code uint8, pstate uint64) bool {
	n, z, c, o := pstate>>31&1 == 1, pstate>>30&1 == 1, pstate>>29&1 == 1, pstate>>28&1 == 1
	var v bool
	switch code >> 1 & 7 {
	case 0:
		v = z
	case 1:
		v = c
	case 2:
		v = n
	case 3:
		v = o
	case 4:
		v = c && !z
	case 5:
		v = n == o
	case 6:
		v = n == o && !z
	case 7:
		return true // al, and nv means the same
	}
	return v != (code&1 == 1)
}

// String says the condition in the words of the processor's manual.
func (c Cond) String() string {
	s := c.words()
	if c.Negate {
		return "not (" + s + ")"
	}
	return s
}

func (c Cond) words() string {
	switch c.Op {
	case Always:
		return "always"
	case X86CC:
		return x86CCWords[c.Code&15]
	case X86RCXZ:
		return c.counter() + " == 0"
	case X86Loop:
		return c.counter() + " != 1"
	case X86LoopE:
		return c.counter() + " != 1 and ZF=1"
	case X86LoopNE:
		return c.counter() + " != 1 and ZF=0"
	case ARM64CC:
		return arm64CCWords[c.Code&15]
	case ARM64CBZ:
		return fmt.Sprintf("%s == 0", arm64RegName(c.Reg, c.Width))
	case ARM64TBZ:
		return fmt.Sprintf("bit %d of %s is 0", c.Bit, arm64RegName(c.Reg, 64))
	case RegTarget, MemTarget:
		return fmt.Sprintf("jumps to pc%+#x", c.Delta)
	}
	return fmt.Sprintf("unknown condition %d", c.Op)
}

func (c Cond) counter() string {
	switch c.Width {
	case 16:
		return "cx"
	case 32:
		return "ecx"
	}
	return "rcx"
}
