// SPDX-License-Identifier: Apache-2.0
//
// Functions whose first instruction is what their name says, and loops that
// call them. On arm64 push, endbr64, nop5 and nop10 stand for stp, bti, and a
// nop: the names are those of x86, caller.go has the others. No function uses
// the red zone, so that a probe on nop5 cannot damage it (Linux 6.18 to 7.1).

// Without it the linker writes the name of a temporary file down.
.file "functions.S"

#if defined(__x86_64__)
.macro function name
	.p2align 6
	.type f_\name, @function
	.globl f_\name
f_\name:
.endm
.macro caller name
	ret
	.size f_\name, . - f_\name
	.p2align 6
	.type loop_\name, @function
	.globl loop_\name
loop_\name:
	push %rbx
	mov %rdi, %rbx
	test %rbx, %rbx
	jz 2f
1:	call f_\name
	dec %rbx
	jnz 1b
2:	pop %rbx
	ret
	.size loop_\name, . - loop_\name
.endm
	.text
	function nop
	nop
	caller nop
	function push
	push %rbp
	pop %rbp
	caller push
	function endbr64
	.byte 0xf3, 0x0f, 0x1e, 0xfa
	caller endbr64
	function ret
	caller ret
	function nop5
	.byte 0x0f, 0x1f, 0x44, 0x00, 0x00
	caller nop5
	function nop10
	.byte 0x66, 0x2e, 0x0f, 0x1f, 0x84, 0x00, 0x00, 0x00, 0x00, 0x00
	caller nop10
	function usdt
	cmpw $0, semaphore(%rip)
	je 3f
	.globl usdt
usdt:	nop
3:
	caller usdt
#elif defined(__aarch64__)
.macro function name
	.p2align 6
	.type f_\name, @function
	.globl f_\name
f_\name:
.endm
.macro caller name
	ret
	.size f_\name, . - f_\name
	.p2align 6
	.type loop_\name, @function
	.globl loop_\name
loop_\name:
	stp x29, x30, [sp, #-32]!
	str x19, [sp, #16]
	mov x19, x0
	cbz x19, 2f
1:	bl f_\name
	subs x19, x19, #1
	b.ne 1b
2:	ldr x19, [sp, #16]
	ldp x29, x30, [sp], #32
	ret
	.size loop_\name, . - loop_\name
.endm
	.text
	function nop
	nop
	caller nop
	function push
	stp x29, x30, [sp, #-16]!
	ldp x29, x30, [sp], #16
	caller push
	function endbr64
	hint #34
	caller endbr64
	function ret
	caller ret
	function nop5
	nop
	caller nop5
	function nop10
	nop
	caller nop10
	function usdt
	adrp x1, semaphore
	ldrh w1, [x1, :lo12:semaphore]
	cbz w1, 3f
	.globl usdt
usdt:	nop
3:
	caller usdt
#endif

// The probe surehook:call as <sys/sdt.h> describes one (version 3 of the
// note): address, base, semaphore, provider, name, arguments.
	.section .probes, "aw", "progbits"
	.p2align 1
	.globl semaphore
	.type semaphore, @object
	.size semaphore, 2
semaphore:
	.2byte 0
	.section .stapsdt.base, "a", "progbits"
	.globl _.stapsdt.base
_.stapsdt.base:
	.byte 0
	.section .note.stapsdt, "", "note"
	.p2align 2
	.4byte 8, 6f - 5f, 3
	.asciz "stapsdt"
5:	.8byte usdt, _.stapsdt.base, semaphore
	.asciz "surehook"
	.asciz "call"
	.asciz ""
6:	.p2align 2
	.section .note.GNU-stack, "", %progbits
