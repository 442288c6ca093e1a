package image

import (
	"encoding/binary"

	"github.com/surehook/surehook/elfbin"
)

// unprobed tells where arm64 refuses a kprobe because of what the instructions
// are (arch/arm64/kernel/probes/decode-insn.c); nil on other machines, which
// refuse none. The address is virtual.
func (s *source) unprobed() func(addr uint64) bool {
	if s.arch != elfbin.ARM64 {
		return nil
	}
	return func(addr uint64) bool {
		y, ok := s.around(addr)
		if !ok || addr < y.addr || addr-y.addr > maxCode {
			return false
		}
		from := max(y.addr, addr-min(addr, 4*atomicContext))
		code := s.mem.Bytes(from, int(addr-from)+4)
		if len(code) < int(addr-from)+4 {
			return false
		}
		words := make([]uint32, len(code)/4)
		for i := range words {
			words[i] = binary.LittleEndian.Uint32(code[4*i:])
		}
		last := len(words) - 1
		return refusedWord(words[last]) || inExclusive(words[:last])
	}
}

// atomicContext is how many instructions the kernel looks back for an
// exclusive load (MAX_ATOMIC_CONTEXT_SIZE).
const atomicContext = 32

// inExclusive tells whether the kernel takes what follows for a part of a loop
// from an exclusive load to its store, which a breakpoint would never let end.
//
// Kernels before the masks were mended take compare-and-swap and load-acquire
// for exclusive loads (AARCH64_INSN_FUNCS(load_ex) without bit 23), and these are
// most. Later ones allow some places that are refused here.
func inExclusive(before []uint32) bool {
	for i := len(before) - 1; i >= 0; i-- {
		switch before[i] & 0x3f400000 {
		case 0x08000000:
			return false
		case 0x08400000:
			return true
		}
	}
	return false
}

// refusedWord tells of instructions that the kernel neither steps through nor
// simulates (aarch64_insn_is_steppable).
func refusedWord(w uint32) bool {
	switch {
	case w&0x3f800000 == 0x08000000: // exclusive loads and stores
		return true
	case w&0xff000000 == 0xd8000000: // prfm of a literal
		return true
	case w&0xff000000 == 0xd4000000, w == 0xd69f03e0: // svc, brk and their like; eret
		return true
	case w&0xfff8f01f == 0xd500401f, w&0xfff00000 == 0xd5100000: // msr
		return true
	case w&0xfff00000 == 0xd5300000: // mrs, of the interrupt mask only
		return w>>5&0xffff == 0xda11
	case w&0xfffff01f == 0xd503201f:
		return !stepsHint(w >> 5 & 0x7f)
	}
	return false
}

// stepsHint tells which hints are stepped through.
func stepsHint(op uint32) bool {
	switch op {
	case 0, // nop
		0x07, 0x08, 0x0a, 0x18, 0x19, 0x1a, 0x1b, // xpaclri and those that sign
		0x20, 0x22, 0x24, 0x26: // bti
		return true
	}
	return false
}
