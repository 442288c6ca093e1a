package bpfobj

import "encoding/binary"

// insnSize is the size of an instruction slot in bytes; a load of 64 bits
// takes two (Documentation/bpf/standardization/instruction-set.rst).
const insnSize = 8

// insn is one instruction slot.
type insn struct {
	code     uint8
	dst, src uint8
	off      int16
	imm      int32
}

func decode(b []byte) insn {
	le := binary.LittleEndian
	return insn{code: b[0], dst: b[1] & 15, src: b[1] >> 4, off: int16(le.Uint16(b[2:])), imm: int32(le.Uint32(b[4:]))}
}

// Classes of instructions, the low three bits of the code.
const (
	classLD = iota
	classLDX
	classST
	classSTX
	classALU
	classJMP
	classJMP32
	classALU64
)

func (i insn) class() uint8 { return i.code & 7 }

// Operations of ALU and JMP, the high four bits.
const (
	opAdd  = 0x00
	opSub  = 0x10
	opMul  = 0x20
	opOr   = 0x40
	opAnd  = 0x50
	opLsh  = 0x60
	opRsh  = 0x70
	opXor  = 0xa0
	opMov  = 0xb0
	opArsh = 0xc0

	opJA   = 0x00
	opJEQ  = 0x10
	opJGT  = 0x20
	opJGE  = 0x30
	opJSET = 0x40
	opJNE  = 0x50
	opJSGT = 0x60
	opJSGE = 0x70
	opCall = 0x80
	opExit = 0x90
	opJLT  = 0xa0
	opJLE  = 0xb0
	opJSLT = 0xc0
	opJSLE = 0xd0
)

func (i insn) op() uint8 { return i.code & 0xf0 }

// register tells whether an ALU or JMP instruction takes a register as source.
func (i insn) register() bool { return i.code&8 != 0 }

// loads64 tells whether it is the first slot of a load of 64 bits.
func (i insn) loads64() bool { return i.code == 0x18 }

// What the source field of a load of 64 bits, or a call, says.
const (
	srcFunction = 4 // BPF_PSEUDO_FUNC: the address of a function
	srcCall     = 1 // BPF_PSEUDO_CALL: a function of the program
	srcKfunc    = 2 // BPF_PSEUDO_KFUNC_CALL
)

// Modes of loads and stores.
const (
	modeMem    = 0x60
	modeMemSX  = 0x80
	modeAtomic = 0xc0
)

func (i insn) mode() uint8 { return i.code & 0xe0 }

// width is how many bytes a load or store moves.
func (i insn) width() int {
	return [4]int{4, 2, 1, 8}[i.code>>3&3]
}
