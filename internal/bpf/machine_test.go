//go:build linux && (amd64 || arm64)

package bpf

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
	"github.com/cilium/ebpf/asm"
)

// machine runs the compiled program without a kernel: what it decides on one
// architecture can so be tested on another.
type machine struct {
	insns   asm.Instructions
	at      map[int]int // instruction index by raw offset
	offset  []int       // and back
	vars    []byte      // .rodata
	entries [][]byte
	counter [][]byte
	user    func(addr uint64) (uint64, bool)
	cookie  uint64
	steps   int
	depth   int64 // of the stack, in bytes

	memory map[uint64][]byte // by base address
	next   uint64
	regs   [11]uint64
}

// The stack and what a machine may do.
const (
	stackBase = 1 << 40
	maxSteps  = 100_000
)

func newMachine(spec *ebpf.CollectionSpec) *machine {
	m := &machine{insns: spec.Programs[surehookProgHit].Instructions, at: map[int]int{}}
	raw := 0
	for i, in := range m.insns {
		m.at[raw] = i
		m.offset = append(m.offset, raw)
		raw += int(in.Size() / asm.InstructionSize)
	}
	m.vars = spec.Maps[rodata].Contents[0].Value.([]byte)
	return m
}

// place puts bytes into the address space.
func (m *machine) place(b []byte) uint64 {
	m.next += 1 << 41
	m.memory[m.next] = b
	return m.next
}

func (m *machine) slice(addr uint64, n int) ([]byte, error) {
	base := addr &^ (1<<41 - 1)
	off := addr - base
	if base == 0 { // the stack grows down from stackBase
		if addr > stackBase || addr+uint64(n) > stackBase || stackBase-addr > 512 {
			return nil, fmt.Errorf("access of %d bytes at %#x", n, addr)
		}
		m.depth = max(m.depth, int64(stackBase-addr))
		off = addr - (stackBase - 512)
	}
	b := m.memory[base]
	if off+uint64(n) > uint64(len(b)) {
		return nil, fmt.Errorf("access of %d bytes at %#x", n, addr)
	}
	return b[off : off+uint64(n)], nil
}

func (m *machine) load(addr uint64, n int) (uint64, error) {
	b, err := m.slice(addr, n)
	if err != nil {
		return 0, err
	}
	var w [8]byte
	copy(w[:], b)
	return binary.LittleEndian.Uint64(w[:]), nil
}

func (m *machine) store(addr uint64, n int, v uint64) error {
	b, err := m.slice(addr, n)
	if err != nil {
		return err
	}
	var w [8]byte
	binary.LittleEndian.PutUint64(w[:], v)
	copy(b, w[:n])
	return nil
}

// run runs the program on the saved registers.
func (m *machine) run(ctx []byte) error {
	m.memory, m.next, m.steps = map[uint64][]byte{0: make([]byte, 512)}, 0, 0
	m.regs = [11]uint64{asm.R1: m.place(ctx), asm.R10: stackBase}
	for pc := 0; ; {
		if m.steps++; m.steps > maxSteps {
			return errors.New("does not end")
		}
		in := m.insns[pc]
		next, done, err := m.step(pc, in)
		if err != nil {
			return fmt.Errorf("instruction %d, %v: %w", pc, in, err)
		}
		if done {
			return nil
		}
		pc = next
	}
}

func (m *machine) step(pc int, in asm.Instruction) (next int, done bool, err error) {
	dst, src := &m.regs[in.Dst], uint64(in.Constant)
	if in.OpCode.Class().IsALU() || in.OpCode.Class().IsJump() {
		if in.OpCode.Source() == asm.RegSource {
			src = m.regs[in.Src]
		}
	}
	next = pc + 1
	switch class := in.OpCode.Class(); {
	case class.IsALU():
		*dst, err = alu(in.OpCode, *dst, src)
	case class == asm.LdClass:
		*dst, err = m.constant(in)
	case class == asm.LdXClass:
		*dst, err = m.load(m.regs[in.Src]+uint64(in.Offset), in.OpCode.Size().Sizeof())
	case class == asm.StXClass && in.OpCode.Mode() == asm.AtomicMode:
		at := *dst + uint64(in.Offset)
		var v uint64
		if v, err = m.load(at, 8); err == nil {
			err = m.store(at, 8, v+m.regs[in.Src])
		}
	case class == asm.StXClass:
		err = m.store(*dst+uint64(in.Offset), in.OpCode.Size().Sizeof(), m.regs[in.Src])
	case class == asm.StClass:
		err = m.store(*dst+uint64(in.Offset), in.OpCode.Size().Sizeof(), src)
	case in.OpCode.JumpOp() == asm.Exit:
		return 0, true, nil
	case in.OpCode.JumpOp() == asm.Call:
		err = m.call(asm.BuiltinFunc(in.Constant))
	default:
		var taken bool
		if taken, err = jump(in.OpCode, *dst, src); taken {
			next = m.at[m.offset[pc]+1+int(in.Offset)]
		}
	}
	return next, false, err
}

// constant is a wide load: a number or a map.
func (m *machine) constant(in asm.Instruction) (uint64, error) {
	if !in.IsLoadFromMap() {
		return uint64(in.Constant), nil
	}
	if in.Src == asm.PseudoMapValue {
		return m.place(m.vars) + uint64(in.Constant)>>32, nil
	}
	maps := map[string]uint64{surehookMapEntries: 1, surehookMapCounters: 2, surehookMapLost: 3, surehookMapRing: 4}
	if id := maps[in.Reference()]; id != 0 {
		return id, nil
	}
	return 0, fmt.Errorf("unknown map %q", in.Reference())
}

func (m *machine) call(f asm.BuiltinFunc) error {
	switch f {
	case asm.FnGetAttachCookie:
		m.regs[0] = m.cookie
	case asm.FnMapLookupElem:
		key, err := m.load(m.regs[2], 4)
		if err != nil {
			return err
		}
		values := map[uint64][][]byte{1: m.entries, 2: m.counter}[m.regs[1]]
		m.regs[0] = 0
		if key < uint64(len(values)) {
			m.regs[0] = m.place(values[key])
		}
	case asm.FnProbeReadUser:
		v, ok := m.user(m.regs[3])
		m.regs[0] = ^uint64(13) // -EFAULT
		if ok && m.regs[2] == 8 {
			m.regs[0] = 0
			return m.store(m.regs[1], 8, v)
		}
	default:
		return fmt.Errorf("unexpected helper %v", f)
	}
	return nil
}

func alu(op asm.OpCode, a, b uint64) (uint64, error) {
	wide := op.Class() == asm.ALU64Class
	bits := uint64(63)
	if !wide {
		a, b, bits = a&0xffffffff, b&0xffffffff, 31
	}
	switch op.ALUOp() {
	case asm.Mov:
		a = b
	case asm.Add:
		a += b
	case asm.Sub:
		a -= b
	case asm.Mul:
		a *= b
	case asm.And:
		a &= b
	case asm.Or:
		a |= b
	case asm.Xor:
		a ^= b
	case asm.LSh:
		a <<= b & bits
	case asm.RSh:
		a >>= b & bits
	case asm.ArSh:
		if wide {
			a = uint64(int64(a) >> (b & bits))
		} else {
			a = uint64(int32(a) >> (b & bits))
		}
	case asm.Neg:
		a = -a
	default:
		return 0, errors.New("unknown arithmetic")
	}
	if !wide {
		a &= 0xffffffff
	}
	return a, nil
}

func jump(op asm.OpCode, a, b uint64) (bool, error) {
	if op.Class() == asm.Jump32Class {
		return false, errors.New("32-bit jump")
	}
	switch op.JumpOp() {
	case asm.Ja:
		return true, nil
	case asm.JEq:
		return a == b, nil
	case asm.JNE:
		return a != b, nil
	case asm.JGT:
		return a > b, nil
	case asm.JGE:
		return a >= b, nil
	case asm.JLT:
		return a < b, nil
	case asm.JLE:
		return a <= b, nil
	case asm.JSet:
		return a&b != 0, nil
	case asm.JSGT:
		return int64(a) > int64(b), nil
	case asm.JSGE:
		return int64(a) >= int64(b), nil
	case asm.JSLT:
		return int64(a) < int64(b), nil
	case asm.JSLE:
		return int64(a) <= int64(b), nil
	}
	return false, errors.New("unknown jump")
}
