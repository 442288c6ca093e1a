package flow

import "github.com/surehook/surehook/elfbin"

// Kind says what an instruction does to the flow of control.
type Kind uint8

// The kinds.
const (
	Plain        Kind = iota
	Jump              // unconditional, direct
	CondJump          // conditional, direct: Taken edge and Fall edge
	IndirectJump      // through a register or memory
	Call              // direct
	IndirectCall
	Return
	Trap    // ud2, hlt, brk: never goes on
	Unknown // bytes the disassembler cannot read
)

// Insn is one instruction.
type Insn struct {
	Addr     uint64
	Target   uint64 // of a direct Jump, CondJump or Call
	Cond     Cond   // of a CondJump: holds when it is taken; of an IndirectJump: see Graph.TableCond
	Len      uint8  // bytes
	Kind     Kind
	Nop      bool // does nothing (any nop, endbr64, bti)
	Nop5     bool // exactly 0f 1f 44 00 00: unsafe to probe on Linux 6.18 to 7.1
	Rep      bool // x86 rep-prefixed string instruction: a uprobe on it fires once an iteration
	NoReturn bool // a call that does not come back
}

// End is the address after the instruction.
func (i Insn) End() uint64 { return i.Addr + uint64(i.Len) }

// CondOp is how a branch condition is decided from the registers saved at a probe.
type CondOp uint8

// The condition operations. The BPF side decides them too: keep
// internal/bpf/surehook.bpf.c in step.
const (
	Always    CondOp = iota
	X86CC            // Code 0..15 (the low nibble of Jcc) on EFLAGS
	X86RCXZ          // RCX == 0, Width bits wide
	X86Loop          // LOOP: --RCX != 0
	X86LoopE         // LOOPE: --RCX != 0 && ZF
	X86LoopNE        // LOOPNE: --RCX != 0 && !ZF
	ARM64CC          // Code 0..15 (B.cond) on PSTATE.NZCV
	ARM64CBZ         // Xn/Wn == 0, Width bits wide
	ARM64TBZ         // bit Bit of Xn is 0
	RegTarget        // indirect jump: register Reg minus the probe's own pc equals Delta
	MemTarget        // indirect jump: 8 bytes at Base+Index*Scale+Disp minus the probe's own pc equal Delta
)

// Cond is a branch condition over the registers saved at the branch.
// Registers are numbered as in DWARF (x86-64: rax 0, rdx 1, rcx 2, rbx 3,
// rsi 4, rdi 5, rbp 6, rsp 7, r8..r15; arm64: x0..x30, 31 is zero/sp);
// NoReg means none.
type Cond struct {
	Op     CondOp
	Negate bool  // the condition holds when the operation does not
	Code   uint8 // condition code of X86CC, ARM64CC
	Width  uint8 // bits: 16, 32 or 64
	Bit    uint8
	Reg    uint8 // also the base register of MemTarget
	Index  uint8
	Scale  uint8 // 0, 1, 2, 4, 8
	PCRel  bool  // MemTarget: Disp is relative to the probe's own pc
	Disp   int64
	Delta  int64 // target address minus branch address
}

// NoReg is the register number of "no register".
const NoReg uint8 = 0xff

// Not is the condition of the other arm.
func (c Cond) Not() Cond { c.Negate = !c.Negate; return c }

// EdgeKind says how control passes along an edge.
type EdgeKind uint8

// The edge kinds.
const (
	Fall   EdgeKind = iota // to the next instruction; also after a call that returns
	Taken                  // a direct jump
	Table                  // an indirect jump, its target found in a jump table or among labels
	Unwind                 // from a call that throws to its landing pad
)

// Edge goes from one instruction to another of the same graph; From and To
// are indices in Graph.Insns.
type Edge struct {
	From, To int32
	Kind     EdgeKind
}

// Image is the memory image of a file, by virtual address.
type Image interface {
	// Bytes gives n bytes at addr, or fewer where the segment ends; nil when
	// addr is not in the file.
	Bytes(addr uint64, n int) []byte
	// Pointer gives the 8-byte pointer stored at addr, relocations applied.
	Pointer(addr uint64) (uint64, bool)
	// Executable tells whether addr lies in code.
	Executable(addr uint64) bool
}

// Options say what is to be disassembled.
type Options struct {
	Arch   elfbin.Arch
	Image  Image
	Entry  uint64         // where the function begins
	Ranges []elfbin.Range // all its code, cold parts too
	// NoReturn tells whether a direct call to addr never returns. May be nil.
	NoReturn func(addr uint64) bool
	// Labels are further addresses in Ranges whose address may be taken
	// (DW_TAG_label): roots of reachability. May be nil.
	Labels []uint64
	// Pad gives where control goes when the call at an address throws. May be nil.
	Pad func(call uint64) (pad uint64, ok bool)
	// Jumps gives where else control may go from an instruction than it says:
	// to code that is patched in, or after a fault. May be nil.
	Jumps func(in *Insn) []uint64
	// Data are addresses, sorted, where data begins or ends: what code of the
	// whole file makes (Addresses.Data), data symbols and sections. A jump
	// table whose length is not known ends there at the latest. May be nil;
	// then jumps through such tables of distances stay unresolved on arm64.
	Data []uint64
}

// Graph is the control flow of one function, instruction by instruction.
type Graph struct {
	Insns []Insn // by address
	Entry int32  // index of the entry instruction, -1 if it is not in Ranges

	// Unresolved are the indirect jumps (indices) whose targets are not
	// known: edges may be missing.
	Unresolved []int32
	// Labels are instructions (indices) that are entered from outside the
	// graph by other ways than the entry: landing pads, taken addresses.
	Labels []int32
	// Bad are addresses where disassembly failed.
	Bad []uint64
	// Out are the direct jumps (indices) that leave Ranges: tail calls.
	Out []int32
	// Tails are the indirect jumps (indices) that are known to leave the
	// function: tail calls through a pointer. They are not in Unresolved.
	Tails []int32

	succ, pred         []Edge
	succIndex, predIdx []int32
}
