package flow

import (
	"math"
	"slices"

	"github.com/surehook/surehook/elfbin"
)

// Succeeds tells whether every way from the entry to an end executes one of the
// instructions at the given addresses, but for ways on which the function
// returns an error: a number from -4095 to -1, which it has from a constant, or
// which branches on the way show to be negative or an error pointer. If there is
// no other end it is false. What is Certain Succeeds too.
func (w *Ways) Succeeds(addrs []uint64) bool {
	if w.opts.Replaced != nil {
		addrs = slices.DeleteFunc(slices.Clone(addrs), w.opts.Replaced)
	}
	return len(addrs) > 0 && !w.endsWell(addrs) && w.endsWell(nil)
}

// known is what a way tells of registers: which hold an error, and what the flags
// were last set from.
type known struct {
	errors uint32 // by DWARF number
	test   test
	same   [2]uint8 // registers with one value, since one was copied to the other
}

// test is a comparison of a register.
type test struct {
	kind testKind
	reg  uint8
}

type testKind uint8

const (
	untested testKind = iota
	withZero          // as test %eax,%eax: its sign is that of the register
	withErr           // with an error number
	pointer           // above this value, unsigned, it is an error (IS_ERR)
	fromHere          // from this value on it is
)

// maxErr is the largest error number, MAX_ERRNO of include/linux/err.h.
const maxErr = 4095

// isErr tells whether the low bits of a number are an error's.
func isErr(v uint64, size uint8) bool {
	return v&ones(size) >= (math.MaxUint64-maxErr+1)&ones(size)
}

// effect is what an instruction does to what is known.
type effect struct {
	kind effectKind
	to   uint8
	from uint8
	also uint8 // a second register that is written with to; else to again
	test test
	// keeps are the registers that a call preserves.
	keeps uint32
}

// preserved are the registers that a callee must preserve (psABI x86-64 3.2.1;
// AAPCS64 6.1.1): rbx, rbp, r12 to r15; x19 to x29.
func preserved(arch elfbin.Arch) uint32 {
	if arch == elfbin.AMD64 {
		return 1<<3 | 1<<x86Frame | 0xf<<12
	}
	return 0x7ff << 19
}

// wrote is the effect of writing a register, or two, without the flags.
func wrote(to, also uint8) effect { return effect{kind: writesTo, to: to, also: also} }

type effectKind uint8

const (
	forgets   effectKind = iota // all: what it does is not known
	leaves                      // nothing
	writes                      // to, and the flags
	writesTo                    // to, not the flags
	copies                      // from to to
	makesErr                    // an error in to
	tests                       // sets the flags
	forgetsIt                   // the flags
	calls                       // registers that calls need not preserve, and the flags
)

// after is what is known behind an instruction.
func (k known) after(e effect) known {
	switch e.kind {
	case forgets:
		return known{}
	case forgetsIt:
		k.test = test{}
	case calls:
		k.errors &= e.keeps
		k.test = test{}
		if e.keeps>>k.same[0]&e.keeps>>k.same[1]&1 == 0 {
			k.same = [2]uint8{}
		}
	case tests:
		k.test = e.test
	case writes:
		k = k.written(e.to)
		k.test = test{}
	case writesTo:
		k = k.written(e.to).written(e.also)
	case copies:
		if e.from == e.to {
			return k
		}
		isErr := k.errors>>e.from&1 != 0
		k = k.written(e.to)
		k.same = [2]uint8{e.from, e.to}
		if isErr {
			k.errors |= 1 << e.to
		}
	case makesErr:
		k = k.written(e.to).hasErr(e.to)
	}
	return k
}

// written forgets what was known of a register.
func (k known) written(reg uint8) known {
	k.errors &^= 1 << reg
	if k.test.reg == reg {
		k.test = test{}
	}
	if k.same[0] == reg || k.same[1] == reg {
		k.same = [2]uint8{}
	}
	return k
}

// hasErr adds that a register holds an error.
func (k known) hasErr(reg uint8) known {
	k.errors |= 1 << reg
	if k.same[0] == reg || k.same[1] == reg {
		k.errors |= 1<<k.same[0] | 1<<k.same[1]
	}
	return k
}

// arms are what is known where a conditional jump is taken, and where it is not.
func (k known) arms(c Cond) (taken, not known) {
	taken, not = k, k
	yes, no := &taken, &not
	if c.Negate {
		yes, no = no, yes
	}
	switch t := k.test; c.Op {
	case X86CC:
		switch {
		case t.kind == withZero && (c.Code == 8 || c.Code == 12), t.kind == withErr && c.Code == 4, // s, l; e
			t.kind == pointer && c.Code == 7, t.kind == fromHere && c.Code == 3: // a; ae
			*yes = k.hasErr(t.reg)
		case t.kind == withZero && (c.Code == 9 || c.Code == 13), t.kind == withErr && c.Code == 5,
			t.kind == pointer && c.Code == 6, t.kind == fromHere && c.Code == 2:
			*no = k.hasErr(t.reg)
		}
	case ARM64CC:
		switch {
		case t.kind == withZero && (c.Code == 4 || c.Code == 11), t.kind == withErr && c.Code == 0, // mi, lt; eq
			t.kind == pointer && c.Code == 8, t.kind == fromHere && c.Code == 2: // hi; cs
			*yes = k.hasErr(t.reg)
		case t.kind == withZero && (c.Code == 5 || c.Code == 10), t.kind == withErr && c.Code == 1,
			t.kind == pointer && c.Code == 9, t.kind == fromHere && c.Code == 3:
			*no = k.hasErr(t.reg)
		}
	case ARM64TBZ:
		if c.Reg < 31 && (c.Bit == 31 || c.Bit == 63) {
			*no = k.hasErr(c.Reg)
		}
	}
	return taken, not
}

// standing is a place on a way.
type standing struct {
	at int32
	known
}

// maxStandings bounds a search; beyond it ways that do not fail are taken to be there.
const maxStandings = 1 << 16

// wellSearch is a search for an end that is no failure.
type wellSearch struct {
	w     *Ways
	avoid []uint64
	seen  map[standing]bool
	work  []standing
}

// endsWell looks for a way from the entry to an end past the instructions at
// avoid, on which the function does not fail.
func (w *Ways) endsWell(avoid []uint64) bool {
	s := &wellSearch{w: w, avoid: avoid, seen: map[standing]bool{}}
	if s.visit(w.entry, known{}) {
		return true
	}
	for len(s.work) > 0 {
		p := s.work[len(s.work)-1]
		s.work = s.work[:len(s.work)-1]
		if len(s.seen) > maxStandings || !slices.Contains(avoid, w.insns[p.at].Addr) && s.step(p) {
			return true
		}
	}
	return false
}

// visit takes up an instruction; true if it is not in the function.
func (s *wellSearch) visit(i int32, k known) (end bool) {
	if i < 0 {
		return true
	}
	if p := (standing{i, k}); !s.seen[p] {
		s.seen[p] = true
		s.work = append(s.work, p)
	}
	return false
}

// step is Ways.step with what is known.
func (s *wellSearch) step(p standing) (end bool) {
	w, in := s.w, &s.w.insns[p.at]
	after := p.after(w.effect(p.at))
	for _, addr := range w.more[p.at] {
		end = s.visit(w.at(addr), known{}) || end
	}
	taken, not := after, after
	if in.Kind == CondJump {
		taken, not = p.arms(in.Cond)
	}
	switch in.Kind {
	case Jump, CondJump:
		switch {
		case w.to[p.at] >= 0:
			s.visit(w.to[p.at], taken)
		case w.opts.Thunk != nil && w.opts.Thunk(in.Target):
			end = end || !w.fails(taken)
		default:
			end = end || !w.never(p.at)
		}
	case Call:
		if w.to[p.at] >= 0 {
			s.visit(w.to[p.at], known{})
		}
	case Return:
		end = end || !w.fails(p.known)
	case IndirectJump, Unknown:
		end = true
	}
	if w.falls(p.at, w.never) {
		end = s.visit(w.behind(p.at), not) || end
	}
	return end
}

// fails tells whether a function that returns now returns an error. Both
// architectures return numbers in the register that DWARF has as 0.
func (w *Ways) fails(k known) bool { return k.errors&1 != 0 }

// effect gives what an instruction does, which is looked up once.
func (w *Ways) effect(i int32) effect {
	if w.effects == nil {
		w.effects = make([]*effect, len(w.insns))
	}
	if w.effects[i] == nil {
		e := w.look(&w.insns[i])
		w.effects[i] = &e
	}
	return *w.effects[i]
}

func (w *Ways) look(in *Insn) effect {
	switch {
	case in.Kind == CondJump || in.Kind == Jump || in.Nop:
		return effect{kind: leaves}
	case in.Kind == Call || in.Kind == IndirectCall:
		return effect{kind: calls, keeps: preserved(w.opts.Arch)}
	case in.Kind != Plain || w.opts.Replaced != nil && w.opts.Replaced(in.Addr):
		return effect{kind: forgets}
	case w.opts.Arch == elfbin.AMD64:
		return x86Knows(w.opts.Image.Bytes(in.Addr, int(in.Len)))
	}
	return arm64Knows(w.opts.Image.Bytes(in.Addr, arm64Len))
}

// compares is the effect of comparing a register with a number.
func compares(reg uint8, with uint64, size uint8) effect {
	t := test{reg: reg}
	switch with &= ones(size); {
	case with == 0:
		t.kind = withZero
	case size == 64 && with == math.MaxUint64-maxErr:
		t.kind = pointer
	case size == 64 && with == math.MaxUint64-maxErr+1:
		t.kind = fromHere
	case isErr(with, size):
		t.kind = withErr
	default:
		return effect{kind: forgetsIt}
	}
	return effect{kind: tests, test: t}
}
