package bpfobj

// Recent is a kind of instruction that not every kernel has. The verifier looks
// at all instructions of a program for those, whether control gets there or not.
type Recent struct {
	Name  string // "atomic operations that fetch"
	Since uint64 // the first kernel that has it, as LINUX_KERNEL_VERSION
	Where string
	Line  string
}

// version is LINUX_KERNEL_VERSION of a release.
func version(major, minor uint64) uint64 { return major<<16 | minor<<8 }

// What the immediate of an atomic operation says beside the operation.
const (
	atomicAcquire = 0x100
	atomicRelease = 0x110
)

// recent tells which kernels have an instruction; since is 0 if all with BTF do
// (Documentation/bpf/standardization/instruction-set.rst, "Conformance groups").
func (i insn) recent() (name string, since uint64) {
	switch class := i.class(); {
	case class == classSTX && i.mode() == modeAtomic && (i.imm == atomicAcquire || i.imm == atomicRelease):
		return "load-acquire and store-release", version(6, 15)
	case class == classSTX && i.mode() == modeAtomic && i.imm != 0: // 0 is an addition without a result
		return "atomic operations other than addition, or with a result", version(5, 12)
	case class == classLDX && i.mode() == modeMemSX:
		return "loads with sign extension", version(6, 6)
	case class == classJMP32 && i.op() == opJA:
		return "jumps over more than 32767 instructions", version(6, 6)
	case class == classJMP && i.op() == 0xe0: // BPF_JCOND
		return "may_goto", version(6, 10)
	case class == classALU64 && i.op() == 0xd0: // byte swap
		return "unconditional byte swaps", version(6, 6)
	case (class == classALU64 || class == classALU) && (i.op() == 0x30 || i.op() == 0x90) && i.off == 1:
		return "signed division", version(6, 6)
	case class == classALU64 && i.op() == opMov && i.register() && i.off == 1: // BPF_ADDR_SPACE_CAST
		return "casts between address spaces", version(6, 9)
	case (class == classALU64 || class == classALU) && i.op() == opMov && i.register() && i.off != 0:
		return "moves with sign extension", version(6, 6)
	}
	return "", 0
}

// Recent gives the instructions of the program, and of the functions that it
// can call, that not every kernel has: one of each kind.
func (p *Program) Recent() []Recent {
	if p.code == nil {
		return nil
	}
	var out []Recent
	seen := map[string]bool{}
	p.each(func(at place, i insn) {
		if name, since := i.recent(); since > 0 && !seen[name] {
			seen[name] = true
			out = append(out, Recent{name, since, p.code.where(at), p.code.line(at)})
		}
	})
	return out
}

// each visits the instructions of the program and of the functions that it can
// call, in the order in which they are met.
func (p *Program) each(visit func(place, insn)) {
	c := p.code
	seen := map[place]bool{p.entry: true}
	for queue := []place{p.entry}; len(queue) > 0; queue = queue[1:] {
		f := queue[0]
		for at, end := f, c.end(f); at.slot < end; at.slot++ {
			i, ok := c.insn(at)
			if !ok {
				break
			}
			visit(at, i)
			if to, ok := c.callee(at); ok && !seen[to] {
				seen[to] = true
				queue = append(queue, to)
			}
			if i.loads64() {
				at.slot++ // whose second slot is no instruction
			}
		}
	}
}
