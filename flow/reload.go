package flow

import (
	"encoding/binary"

	"github.com/surehook/surehook/elfbin"
)

// Reload tells whether the instruction that code begins with does nothing but
// load a register from the stack, relative to the stack pointer: what a register
// allocator puts where it pleases, for a value spilled before.
func Reload(arch elfbin.Arch, code []byte) bool {
	switch {
	case arch == elfbin.AMD64:
		return reloadX86(code)
	case arch == elfbin.ARM64 && len(code) >= arm64Len:
		return reloadARM64(binary.LittleEndian.Uint32(code))
	}
	return false
}

// reloadX86 knows mov, movzx, movsx, movsxd and the moves to vector registers.
func reloadX86(code []byte) bool {
	f, ok := readX86Form(code)
	if !ok || f.vector || !f.hasModRM || f.register() || f.segment || f.modrm&7 != 4 || f.disp == 0 {
		return false
	}
	sib := code[f.disp-1]
	if base, index := sib&7, sib>>3&7; base != 4 || index != 4 || f.rex&3 != 0 {
		return false // not the stack pointer alone
	}
	switch f.omap {
	case mapOne:
		return f.opcode == 0x8a || f.opcode == 0x8b || f.opcode == 0x63
	case map0F:
		switch f.opcode {
		case 0x10, 0x28, 0x6f, 0xb6, 0xb7, 0xbe, 0xbf:
			return true
		}
	}
	return false
}

// reloadARM64 knows ldr with an immediate and ldp without writeback (Arm ARM,
// "Loads and Stores").
func reloadARM64(w uint32) bool {
	const sp = 31
	if w>>5&31 != sp {
		return false
	}
	switch {
	case w&0x3b000000 == 0x39000000, w&0x3b200c00 == 0x38000000: // unsigned, unscaled offset
		return w>>22&3 != 0 && !(w>>26&1 == 1 && w>>22&3 == 2) // 2 is a 128-bit store there
	case w&0x3bc00000 == 0x29400000: // ldp, ldpsw, signed offset
		return true
	}
	return false
}
