package loader

import "golang.org/x/arch/x86/x86asm"

// kind of what a register holds.
type kind uint8

const (
	nothing kind = iota // not set since the function began, or the last call
	other               // something
	pointer             // what was loaded from offset value of a struct
	text                // the address value in the data
	number              // value
)

type operand struct {
	kind  kind
	base  uint8 // register that pointed to the struct
	value int64
}

// call is a call, or a jump to a function, with its arguments.
type call struct {
	at, to     uint64
	a1, a2, a3 operand // rdi, rsi, rdx
}

// Registers of arguments by their number.
const (
	rax = 0
	rcx = 1
	rdx = 2
	rsp = 4
	rsi = 6
	rdi = 7
)

// registers are what the general registers hold, by their number.
type registers [16]operand

// join is what is known where two ways meet.
func (r *registers) join(o *registers) {
	for i := range r {
		if r[i] != o[i] {
			r[i] = operand{kind: other}
		}
	}
}

// maxAhead bounds the branches whose ends have not been reached yet.
const maxAhead = 4096

// sweeper decodes code from its beginning on, one instruction after the other.
type sweeper struct {
	p     *program
	end   uint64
	calls []call
	regs  registers
	dead  bool                  // control does not get here from before
	ahead map[uint64]*registers // what branches to a later place bring there
	moves []move
}

// move is an instruction that adds to a register.
type move struct {
	at       uint64
	register uint8
}

// sweep gives the calls up to an address. Loops are not followed: what they
// bring to their beginning is taken for what was there the first time.
func (p *program) sweep(end uint64) []call {
	s := sweeper{p: p, end: end, ahead: map[uint64]*registers{}}
	for pc := p.base; pc < end; {
		if regs, ok := s.ahead[pc]; ok {
			if s.dead {
				s.regs = *regs
			} else {
				s.regs.join(regs)
			}
			s.dead = false
			delete(s.ahead, pc)
		}
		i, err := x86asm.Decode(p.at(pc), 64)
		if err != nil || i.Len == 0 {
			s.stop()
			pc++
			continue
		}
		s.instruction(&i, pc)
		pc += uint64(i.Len)
	}
	return s.calls
}

// stop is where control does not go on.
func (s *sweeper) stop() { s.regs, s.dead = registers{}, true }

func (s *sweeper) instruction(i *x86asm.Inst, pc uint64) {
	next := pc + uint64(i.Len)
	rel, direct := i.Args[0].(x86asm.Rel)
	to := next + uint64(int64(rel))
	switch {
	case i.Op == x86asm.CALL:
		if direct {
			s.called(pc, to)
		}
		for _, r := range []int{rax, rcx, rdx, rsi, rdi, 8, 9, 10, 11} {
			s.regs[r] = operand{}
		}
	case i.Op == x86asm.JMP && direct && to >= s.end: // the last call of a function
		s.called(pc, to)
		s.stop()
	case i.Op == x86asm.JMP || i.Op == x86asm.RET:
		if direct {
			s.branch(pc, to)
		}
		s.stop()
	case direct && to <= pc:
		s.loop(pc, to)
	case direct:
		s.branch(pc, to)
	default:
		if r, ok := walks(i); ok {
			s.moves = append(s.moves, move{pc, uint8(r)})
		}
		step(&s.regs, i, next)
	}
}

// walks gives the register that an instruction adds to.
func walks(i *x86asm.Inst) (int, bool) {
	switch i.Op {
	case x86asm.LEA:
		if m, ok := i.Args[1].(x86asm.Mem); !ok || x86asm.Arg(m.Base) != i.Args[0] {
			return 0, false
		}
	case x86asm.ADD, x86asm.SUB, x86asm.INC:
	default:
		return 0, false
	}
	return register(i.Args[0])
}

// maxLoop bounds the loops, in bytes, that are looked at for pointers that walk.
// Longer ones contain other loops, whose counters are in the same registers.
const maxLoop = 256

// loop is a conditional branch back: what is loaded from a register that the
// loop adds to is another pointer each time.
func (s *sweeper) loop(pc, to uint64) {
	if pc-to > maxLoop {
		return
	}
	var walked [16]bool
	for i := len(s.moves) - 1; i >= 0 && s.moves[i].at >= to; i-- {
		walked[s.moves[i].register] = true
	}
	for i := len(s.calls) - 1; i >= 0 && s.calls[i].at >= to; i-- {
		if c := &s.calls[i]; c.a1.kind == pointer && walked[c.a1.base] {
			c.a1 = operand{kind: other}
		}
	}
}

func (s *sweeper) called(at, to uint64) {
	s.calls = append(s.calls, call{at, to, s.regs[rdi], s.regs[rsi], s.regs[rdx]})
}

// branch takes what is known to a later place.
func (s *sweeper) branch(pc, to uint64) {
	if to <= pc || to >= s.end {
		return
	}
	if there, ok := s.ahead[to]; ok {
		there.join(&s.regs)
	} else if len(s.ahead) < maxAhead {
		regs := s.regs
		s.ahead[to] = &regs
	}
}

// step does what an instruction does to the registers.
func step(regs *registers, i *x86asm.Inst, next uint64) {
	switch i.Op {
	case x86asm.CMP, x86asm.TEST, x86asm.PUSH, x86asm.NOP, x86asm.UD2:
		return
	}
	to, ok := register(i.Args[0])
	if !ok {
		return
	}
	out := operand{kind: other}
	from, isRegister := register(i.Args[1])
	memory, isMemory := i.Args[1].(x86asm.Mem)
	imm, isNumber := i.Args[1].(x86asm.Imm)
	switch {
	case i.Op == x86asm.MOV && isRegister && regs[from].kind != nothing:
		out = regs[from]
	case i.Op == x86asm.MOV && isNumber:
		out = operand{kind: number, value: int64(imm)}
	case i.Op == x86asm.XOR && isRegister && from == to:
		out = operand{kind: number}
	case i.Op == x86asm.MOV && isMemory && i.DataSize == 64 && memory.Index == 0 && memory.Base != x86asm.RIP && memory.Base != x86asm.RSP && memory.Base != 0:
		if base, ok := register(memory.Base); ok {
			out = operand{pointer, uint8(base), memory.Disp}
		}
	case i.Op == x86asm.LEA && isMemory && memory.Base == x86asm.RIP:
		out = operand{kind: text, value: int64(next) + memory.Disp}
	}
	regs[to] = out
}

// register numbers a general register, of whatever width.
func register(a x86asm.Arg) (int, bool) {
	r, ok := a.(x86asm.Reg)
	switch {
	case !ok:
	case r >= x86asm.RAX && r <= x86asm.R15:
		return int(r - x86asm.RAX), true
	case r >= x86asm.EAX && r <= x86asm.R15L:
		return int(r - x86asm.EAX), true
	case r >= x86asm.AX && r <= x86asm.R15W:
		return int(r - x86asm.AX), true
	case r >= x86asm.SPB && r <= x86asm.R15B:
		return int(r-x86asm.SPB) + rsp, true
	case r >= x86asm.AL && r <= x86asm.BH:
		return int(r-x86asm.AL) % 4, true
	}
	return 0, false
}
