#include "textflag.h"

// func Call(fn uintptr, r *Regs) uint64
TEXT ·Call(SB), NOSPLIT, $24-24
	MOVQ fn+0(FP), AX
	MOVQ AX, 8(SP)
	MOVQ BP, 16(SP)
	MOVQ r+8(FP), R15
	MOVQ 0(R15), AX
	PUSHQ AX
	POPFQ
	MOVQ 8(R15), AX
	MOVQ 16(R15), DX
	MOVQ 24(R15), CX
	MOVQ 32(R15), BX
	MOVQ 40(R15), SI
	MOVQ 48(R15), DI
	MOVQ 56(R15), BP
	MOVQ 72(R15), R8
	MOVQ 80(R15), R9
	MOVQ 88(R15), R10
	MOVQ 96(R15), R11
	MOVQ 104(R15), R12
	MOVQ 112(R15), R13
	MOVQ 120(R15), R14
	MOVQ 128(R15), R15
	CALL 8(SP)
	MOVQ 16(SP), BP
	MOVQ AX, ret+16(FP)
	RET

#define NOP4 BYTE $0x90; BYTE $0x90; BYTE $0x90; BYTE $0x90
// 0 when it falls through, 1 when the branch (over 3 bytes) is taken.
#define ARMS BYTE $3; BYTE $0x31; BYTE $0xc0; BYTE $0xc3; BYTE $0xb8; LONG $1; BYTE $0xc3
#define SHORT(op) BYTE $op; ARMS; NOP4; BYTE $0x90
#define SHORT32(op) BYTE $0x67; BYTE $op; ARMS; NOP4
#define JMPREG(modrm) BYTE $0xff; BYTE $modrm; NOP4; NOP4; NOP4; BYTE $0x90; BYTE $0x90
#define JMPREX(modrm) BYTE $0x41; BYTE $0xff; BYTE $modrm; NOP4; NOP4; NOP4; BYTE $0x90

// The order is that of the constants in branches_amd64.go.
TEXT ·code(SB), NOSPLIT|NOFRAME, $0-0
	SHORT(0x70)
	SHORT(0x71)
	SHORT(0x72)
	SHORT(0x73)
	SHORT(0x74)
	SHORT(0x75)
	SHORT(0x76)
	SHORT(0x77)
	SHORT(0x78)
	SHORT(0x79)
	SHORT(0x7a)
	SHORT(0x7b)
	SHORT(0x7c)
	SHORT(0x7d)
	SHORT(0x7e)
	SHORT(0x7f)
	SHORT(0xe3)   // jrcxz
	SHORT32(0xe3) // jecxz
	SHORT(0xe2)   // loop
	SHORT32(0xe2)
	SHORT(0xe1)   // loope
	SHORT(0xe0)   // loopne
	// jmp *reg, by DWARF number
	JMPREG(0xe0)
	JMPREG(0xe2)
	JMPREG(0xe1)
	JMPREG(0xe3)
	JMPREG(0xe6)
	JMPREG(0xe7)
	JMPREG(0xe5)
	JMPREG(0xe4)  // rsp: never called
	JMPREX(0xe0)
	JMPREX(0xe1)
	JMPREX(0xe2)
	JMPREX(0xe3)
	JMPREX(0xe4)
	JMPREX(0xe5)
	JMPREX(0xe6)
	JMPREX(0xe7)
	// jmp *16(%rbx,%rsi,8)
	BYTE $0xff; BYTE $0x64; BYTE $0xf3; BYTE $0x10; NOP4; NOP4; NOP4
	// where the jumps lead: xor %eax,%eax; ret and mov $1,%eax; ret
	BYTE $0x31; BYTE $0xc0; BYTE $0xc3; BYTE $0x90; NOP4; NOP4; NOP4
	BYTE $0xb8; LONG $1; BYTE $0xc3; BYTE $0x90; BYTE $0x90; NOP4; NOP4
	// hlt: the kernel refuses to probe it
	BYTE $0xf4; BYTE $0xc3; BYTE $0x90; BYTE $0x90; NOP4; NOP4; NOP4

// func stubs() uintptr
TEXT ·stubs(SB), NOSPLIT, $0-8
	LEAQ ·code(SB), AX
	MOVQ AX, ret+0(FP)
	RET
