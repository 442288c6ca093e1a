#include "textflag.h"

// func Call(fn uintptr, r *Regs) uint64
TEXT ·Call(SB), NOSPLIT, $16-24
	MOVD fn+0(FP), R16
	MOVD r+8(FP), R17
	MOVD 0(R17), R0
	MSR  R0, NZCV
	MOVD 8(R17), R0
	MOVD 16(R17), R1
	MOVD 24(R17), R2
	MOVD 32(R17), R3
	MOVD 40(R17), R4
	MOVD 48(R17), R5
	MOVD 56(R17), R6
	MOVD 64(R17), R7
	MOVD 72(R17), R8
	MOVD 80(R17), R9
	MOVD 88(R17), R10
	MOVD 96(R17), R11
	MOVD 104(R17), R12
	MOVD 112(R17), R13
	MOVD 120(R17), R14
	MOVD 128(R17), R15
	CALL (R16)
	MOVD R0, ret+16(FP)
	RET

// 0 when it falls through, 1 when the branch (over 3 instructions) is taken.
#define ARMS WORD $0xd2800000; WORD $0xd65f03c0; WORD $0xd503201f; WORD $0xd2800020; WORD $0xd65f03c0
#define PAD WORD $0xd503201f; WORD $0xd503201f
#define BRANCH(insn) WORD $insn; ARMS; PAD

// The order is that of the constants in branches_arm64.go.
TEXT ·code(SB), NOSPLIT|NOFRAME, $0-0
	BRANCH(0x54000080) // b.cond
	BRANCH(0x54000081)
	BRANCH(0x54000082)
	BRANCH(0x54000083)
	BRANCH(0x54000084)
	BRANCH(0x54000085)
	BRANCH(0x54000086)
	BRANCH(0x54000087)
	BRANCH(0x54000088)
	BRANCH(0x54000089)
	BRANCH(0x5400008a)
	BRANCH(0x5400008b)
	BRANCH(0x5400008c)
	BRANCH(0x5400008d)
	BRANCH(0x5400008e)
	BRANCH(0x5400008f)
	BRANCH(0xb4000083) // cbz x3
	BRANCH(0x34000083) // cbz w3
	BRANCH(0x36280083) // tbz w3, #5
	BRANCH(0xb6480083) // tbz x3, #41
	BRANCH(0xb400009f) // cbz xzr
	// br x3
	WORD $0xd61f0060; WORD $0xd503201f; PAD; PAD; PAD
	// where it leads: mov x0, #0; ret and mov x0, #1; ret
	WORD $0xd2800000; WORD $0xd65f03c0; PAD; PAD; PAD
	WORD $0xd2800020; WORD $0xd65f03c0; PAD; PAD; PAD
	// ldxr x0, [x0]: the kernel refuses to probe it
	WORD $0xc85f7c00; WORD $0xd65f03c0; PAD; PAD; PAD

// func stubs() uintptr
TEXT ·stubs(SB), NOSPLIT, $0-8
	MOVD $·code(SB), R0
	MOVD R0, ret+0(FP)
	RET
