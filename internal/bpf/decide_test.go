//go:build linux && (amd64 || arm64)

package bpf

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/cilium/ebpf"

	"github.com/surehook/surehook/flow"
)

// arch is a compiled program and what its conditions can be.
type arch struct {
	name, object string
	ops          []flow.CondOp
	regs         int // numbers below are registers everywhere
	context      func(r *flow.Regs) []uint64
}

var arches = []arch{
	{
		"amd64", "surehook_x86_bpfel.o",
		[]flow.CondOp{flow.Always, flow.X86CC, flow.X86RCXZ, flow.X86Loop, flow.X86LoopE, flow.X86LoopNE, flow.RegTarget, flow.MemTarget},
		16,
		func(r *flow.Regs) []uint64 {
			g := r.GPR // ax 0, dx 1, cx 2, bx 3, si 4, di 5, bp 6, sp 7
			return []uint64{g[15], g[14], g[13], g[12], g[6], g[3], g[11], g[10], g[9], g[8],
				g[0], g[2], g[1], g[4], g[5], 0, r.PC, 0, r.Flags, g[7], 0}
		},
	},
	{
		"arm64", "surehook_arm64_bpfel.o",
		[]flow.CondOp{flow.Always, flow.ARM64CC, flow.ARM64CBZ, flow.ARM64TBZ, flow.RegTarget, flow.MemTarget},
		31,
		func(r *flow.Regs) []uint64 {
			return append(r.GPR[:31:31], r.GPR[31], r.PC, r.Flags)
		},
	},
}

func (a arch) machine(tb testing.TB) *machine {
	tb.Helper()
	spec, err := ebpf.LoadCollectionSpec(a.object)
	if err != nil {
		tb.Fatal(err)
	}
	return newMachine(spec)
}

// bpfDecides gives what the program counted for a condition.
func bpfDecides(tb testing.TB, a arch, m *machine, c flow.Cond, r *flow.Regs) counter {
	tb.Helper()
	m.entries = [][]byte{encoded(tb, Encode(c))}
	m.counter = [][]byte{make([]byte, 16)}
	m.cookie = Cookie(0, 1)
	m.user = r.Mem
	if err := m.run(encoded(tb, a.context(r))); err != nil {
		tb.Fatalf("%s: %+v: %v", a.name, c, err)
	}
	var n counter
	if _, err := binary.Decode(m.counter[0], binary.LittleEndian, &n); err != nil {
		tb.Fatal(err)
	}
	return n
}

func encoded(tb testing.TB, v any) []byte {
	var b bytes.Buffer
	if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

// compare runs one condition in BPF and in Go.
func compare(tb testing.TB, a arch, m *machine, c flow.Cond, r flow.Regs) {
	tb.Helper()
	got := bpfDecides(tb, a, m, c, &r)
	want := counter{}
	switch {
	case c.Holds(r):
		want.Hits = 1
	case !c.Not().Holds(r):
		want.Undecided = 1
	}
	if got != want {
		tb.Errorf("%s: %+v with %+v: BPF counts %+v, Go %+v", a.name, c, r, got, want)
	}
}

// state makes registers and a condition of random bits that are often equal
// to each other where it matters.
func state(a arch, rnd *rand.Rand) (flow.Cond, flow.Regs) {
	word := func() uint64 {
		v := []uint64{0, 1, 2, 1 << 32, 1<<32 + 1, 1 << 31, ^uint64(0), rnd.Uint64(), 1 << (rnd.Uint64() & 63)}
		return v[rnd.IntN(len(v))]
	}
	r := flow.Regs{Flags: rnd.Uint64(), PC: word()}
	for i := range r.GPR {
		r.GPR[i] = word()
	}
	reg := func() uint8 {
		if rnd.IntN(4) == 0 {
			return flow.NoReg
		}
		return uint8(rnd.IntN(a.regs))
	}
	c := flow.Cond{
		Op: a.ops[rnd.IntN(len(a.ops))], Negate: rnd.IntN(2) == 0, Code: uint8(rnd.IntN(16)),
		Width: []uint8{32, 64}[rnd.IntN(2)], Bit: uint8(rnd.IntN(64)), Reg: uint8(rnd.IntN(a.regs)),
		Index: flow.NoReg,
	}
	switch c.Op {
	case flow.RegTarget:
		c.Delta = int64(r.GPR[c.Reg] - r.PC)
	case flow.MemTarget:
		target := word()
		c.Reg, c.Index, c.Disp, c.PCRel = reg(), reg(), int64(word()), rnd.IntN(2) == 0
		c.Scale = []uint8{1, 2, 4, 8}[rnd.IntN(4)]
		c.Delta = int64(target - r.PC)
		r.Mem = memoryFor(c, r, target, rnd.IntN(4) != 0)
	case flow.ARM64CBZ, flow.ARM64TBZ:
		c.Reg = uint8(rnd.IntN(32)) // 31: the zero register
	}
	if rnd.IntN(3) == 0 {
		c.Delta += int64(word())
	}
	return c, r
}

// memoryFor has target where c reads, computed anew, and nothing elsewhere.
func memoryFor(c flow.Cond, r flow.Regs, target uint64, present bool) func(uint64) (uint64, bool) {
	at := uint64(c.Disp)
	if c.Reg != flow.NoReg {
		at += r.GPR[c.Reg]
	}
	if c.Index != flow.NoReg {
		at += r.GPR[c.Index] * uint64(c.Scale)
	}
	if c.PCRel {
		at += r.PC
	}
	return func(addr uint64) (uint64, bool) { return target, present && addr == at }
}

// What the BPF program decides is what flow.Cond.Holds says, for the program
// of either architecture.
func TestDecide(t *testing.T) {
	for _, a := range arches {
		t.Run(a.name, func(t *testing.T) {
			m := a.machine(t)
			rnd := rand.New(rand.NewPCG(1, 2))
			seen := map[counter]int{}
			for range 20_000 {
				c, r := state(a, rnd)
				compare(t, a, m, c, r)
				seen[bpfDecides(t, a, m, c, &r)]++
				if t.Failed() {
					return
				}
			}
			for _, n := range []counter{{}, {Hits: 1}, {Undecided: 1}} {
				if seen[n] < 100 {
					t.Errorf("%+v came %d times: the test tests nothing", n, seen[n])
				}
			}
			if m.depth >= 64 {
				t.Errorf("the program uses %d bytes of stack; 64 bring it a stack that preemption corrupts", m.depth)
			}
		})
	}
}

// A condition the program does not know, or a register that does not exist,
// is never a "no".
func TestDecideUnknown(t *testing.T) {
	for _, a := range arches {
		m := a.machine(t)
		for _, c := range []flow.Cond{
			{Op: 200}, {Op: flow.RegTarget, Reg: 77}, {Op: flow.RegTarget, Reg: 77, Negate: true},
			{Op: flow.MemTarget, Reg: 77, Index: flow.NoReg}, {Op: flow.MemTarget, Reg: flow.NoReg, Index: 99},
		} {
			r := flow.Regs{Mem: func(uint64) (uint64, bool) { return 0, true }}
			if got := bpfDecides(t, a, m, c, &r); got != (counter{Undecided: 1}) {
				t.Errorf("%s: %+v: counted %+v, want undecided", a.name, c, got)
			}
		}
	}
}

func FuzzDecide(f *testing.F) {
	f.Add(uint64(1), uint64(2))
	machines := []*machine{arches[0].machine(f), arches[1].machine(f)}
	f.Fuzz(func(t *testing.T, s1, s2 uint64) {
		for i, a := range arches {
			c, r := state(a, rand.New(rand.NewPCG(s1, s2)))
			compare(t, a, machines[i], c, r)
		}
	})
}
