package unix

import "runtime"

// Breakpoint is the instruction that the kernel puts where a uprobe is: int3 on
// x86, BRK #5 on arm64 (UPROBES_BRK_IMM). Since Linux 6.18 a probe on a long nop
// of x86 becomes a call at its first hit.
func Breakpoint() []byte {
	if runtime.GOARCH == "arm64" {
		return []byte{0xa0, 0x00, 0x20, 0xd4}
	}
	return []byte{0xcc}
}
