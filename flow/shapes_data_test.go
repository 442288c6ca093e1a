package flow

import "github.com/surehook/surehook/elfbin"

// shapes are small functions at 0x401000: code, then data. Assembled once;
// the listing says from what.
var shapes = []shape64{
	{
		name: "a relative table, bounded", arch: elfbin.AMD64, want: "0x15: 0x18 0x1e",
		code: `
89 ff                      ; 000 mov %edi,%edi
83 ff 02                   ; 002 cmp $0x2,%edi
77 1d                      ; 005 ja 401024
48 8d 15 19 00 00 00       ; 007 lea 0x19(%rip),%rdx
48 63 04 ba                ; 00e movslq (%rdx,%rdi,4),%rax
48 01 d0                   ; 012 add %rdx,%rax
3e ff e0                   ; 015 notrack jmp *%rax
b8 01 00 00 00             ; 018 mov $0x1,%eax
c3                         ; 01d ret
b8 02 00 00 00             ; 01e mov $0x2,%eax
c3                         ; 023 ret
31 c0                      ; 024 xor %eax,%eax
c3                         ; 026 ret
`,
		data: "f1fffffff7fffffff1fffffffdffffff",
	},
	{
		name: "the base spilled across calls", arch: elfbin.AMD64, want: "0x34: 0x19 0x36",
		code: `
53                         ; 000 push %rbx
48 83 ec 10                ; 001 sub $0x10,%rsp
48 8d 05 37 00 00 00       ; 005 lea 0x37(%rip),%rax
48 89 44 24 08             ; 00c mov %rax,0x8(%rsp)
48 89 fb                   ; 011 mov %rdi,%rbx
e8 fb 0f 00 00             ; 014 call 402014
0f b6 03                   ; 019 movzbl (%rbx),%eax
48 ff c3                   ; 01c inc %rbx
3c 01                      ; 01f cmp $0x1,%al
77 1a                      ; 021 ja 40103d
0f b6 c0                   ; 023 movzbl %al,%eax
48 8b 4c 24 08             ; 026 mov 0x8(%rsp),%rcx
48 63 04 81                ; 02b movslq (%rcx,%rax,4),%rax
48 03 44 24 08             ; 02f add 0x8(%rsp),%rax
ff e0                      ; 034 jmp *%rax
e8 fb 0f 00 00             ; 036 call 402036
eb dc                      ; 03b jmp 401019
48 83 c4 10                ; 03d add $0x10,%rsp
5b                         ; 041 pop %rbx
c3                         ; 042 ret
`,
		data: "d6fffffff3fffffffaffffff",
	},
	{
		name: "an absolute table, the index masked", arch: elfbin.AMD64, want: "0x3: 0xa 0x10",
		code: `
83 e7 01                   ; 000 and $0x1,%edi
ff 24 fd 20 10 40 00       ; 003 jmp *0x401020(,%rdi,8)
b8 01 00 00 00             ; 00a mov $0x1,%eax
c3                         ; 00f ret
b8 02 00 00 00             ; 010 mov $0x2,%eax
c3                         ; 015 ret
b8 03 00 00 00             ; 016 mov $0x3,%eax
c3                         ; 01b ret
0f 1f 40 00                ; 01c nopl 0x0(%rax)
`,
		data: "0a1040000000000010104000000000001610400000000000",
	},
	{
		name: "two reads of a table share one jump", arch: elfbin.AMD64, want: "0x25: 0x7 0x15",
		code: `
48 8d 1d 21 00 00 00       ; 000 lea 0x21(%rip),%rbx
0f b6 06                   ; 007 movzbl (%rsi),%eax
83 f8 01                   ; 00a cmp $0x1,%eax
77 18                      ; 00d ja 401027
48 63 04 83                ; 00f movslq (%rbx,%rax,4),%rax
eb 0d                      ; 013 jmp 401022
0f b6 46 01                ; 015 movzbl 0x1(%rsi),%eax
83 f8 02                   ; 019 cmp $0x2,%eax
73 09                      ; 01c jae 401027
48 63 04 83                ; 01e movslq (%rbx,%rax,4),%rax
48 01 d8                   ; 022 add %rbx,%rax
ff e0                      ; 025 jmp *%rax
c3                         ; 027 ret
`,
		data: "dfffffffedffffffffffffff",
	},
	{
		name: "the index clamped by a conditional move", arch: elfbin.AMD64, want: "0x19: 0x1b 0x1c 0x1d",
		code: `
b8 02 00 00 00             ; 000 mov $0x2,%eax
83 ff 02                   ; 005 cmp $0x2,%edi
0f 42 c7                   ; 008 cmovb %edi,%eax
48 8d 15 0c 00 00 00       ; 00b lea 0xc(%rip),%rdx
48 63 04 82                ; 012 movslq (%rdx,%rax,4),%rax
48 01 d0                   ; 016 add %rdx,%rax
ff e0                      ; 019 jmp *%rax
c3                         ; 01b ret
c3                         ; 01c ret
c3                         ; 01d ret
`,
		data: "fdfffffffefffffffffffffffdffffff",
	},
	{
		name: "one of two tables", arch: elfbin.AMD64, want: "0x1c: 0x1e 0x1f 0x20",
		code: `
83 e6 01                   ; 000 and $0x1,%esi
85 ff                      ; 003 test %edi,%edi
48 8d 15 15 00 00 00       ; 005 lea 0x15(%rip),%rdx
74 07                      ; 00c je 401015
48 8d 15 14 00 00 00       ; 00e lea 0x14(%rip),%rdx
48 63 04 b2                ; 015 movslq (%rdx,%rsi,4),%rax
48 01 d0                   ; 019 add %rdx,%rax
ff e0                      ; 01c jmp *%rax
c3                         ; 01e ret
c3                         ; 01f ret
c3                         ; 020 ret
`,
		data: "fdfffffffefffffff7fffffff6ffffff",
	},
	{
		name: "bounded before the bias is taken off", arch: elfbin.AMD64, want: "0x1d: 0x1f 0x20",
		code: `
89 f9                      ; 000 mov %edi,%ecx
83 ff 05                   ; 002 cmp $0x5,%edi
72 1a                      ; 005 jb 401021
83 ff 06                   ; 007 cmp $0x6,%edi
77 15                      ; 00a ja 401021
8d 41 fb                   ; 00c lea -0x5(%rcx),%eax
48 8d 15 0c 00 00 00       ; 00f lea 0xc(%rip),%rdx
48 63 04 82                ; 016 movslq (%rdx,%rax,4),%rax
48 01 d0                   ; 01a add %rdx,%rax
ff e0                      ; 01d jmp *%rax
c3                         ; 01f ret
c3                         ; 020 ret
c3                         ; 021 ret
`,
		data: "fdfffffffeffffffffffffff",
	},
	{
		name: "half of the spilled base overwritten", arch: elfbin.AMD64, want: "unresolved 0x23",
		code: `
83 e7 01                   ; 000 and $0x1,%edi
48 8d 15 1d 00 00 00       ; 003 lea 0x1d(%rip),%rdx
48 89 54 24 f0             ; 00a mov %rdx,-0x10(%rsp)
c7 44 24 f4 00 00 00 00    ; 00f movl $0x0,-0xc(%rsp)
48 8b 54 24 f0             ; 017 mov -0x10(%rsp),%rdx
48 63 04 ba                ; 01c movslq (%rdx,%rdi,4),%rax
48 01 d0                   ; 020 add %rdx,%rax
ff e0                      ; 023 jmp *%rax
c3                         ; 025 ret
c3                         ; 026 ret
`,
		data: "feffffffffffffff",
	},
	{
		name: "distances from a label behind, not reached from the entry", arch: elfbin.AMD64, want: "0x19: 0x0 0x1b",
		code: `
c3                         ; 000 ret
83 e7 01                   ; 001 and $0x1,%edi
48 8d 15 11 00 00 00       ; 004 lea 0x11(%rip),%rdx
48 63 04 ba                ; 00b movslq (%rdx,%rdi,4),%rax
48 8d 15 ea ff ff ff       ; 00f lea -0x16(%rip),%rdx
48 01 d0                   ; 016 add %rdx,%rax
ff e0                      ; 019 jmp *%rax
c3                         ; 01b ret
`,
		data: "000000001b000000",
	},
	{
		name: "a label given away, a jump through memory", arch: elfbin.AMD64, want: "unresolved 0xe",
		code: `
48 8d 05 09 00 00 00       ; 000 lea 0x9(%rip),%rax
48 89 07                   ; 007 mov %rax,(%rdi)
48 8b 4f 08                ; 00a mov 0x8(%rdi),%rcx
ff e1                      ; 00e jmp *%rcx
c3                         ; 010 ret
`,
	},
	{
		name: "two tables without bounds, one behind the other", arch: elfbin.AMD64, want: "0xe: 0x1b 0x1c\n0x18: 0x1d 0x1e",
		code: `
0f b6 07                   ; 000 movzbl (%rdi),%eax
85 f6                      ; 003 test %esi,%esi
74 0a                      ; 005 je 401011
48 8d 15 12 00 00 00       ; 007 lea 0x12(%rip),%rdx
ff 24 c2                   ; 00e jmp *(%rdx,%rax,8)
48 8d 15 18 00 00 00       ; 011 lea 0x18(%rip),%rdx
ff 24 c2                   ; 018 jmp *(%rdx,%rax,8)
c3                         ; 01b ret
c3                         ; 01c ret
c3                         ; 01d ret
c3                         ; 01e ret
90                         ; 01f nop
`,
		data: "1b104000000000001c104000000000001d104000000000001e10400000000000",
	},
	{
		name: "the index scaled beforehand", arch: elfbin.AMD64, want: "0x13: 0x15 0x16 0x17 0x18",
		code: `
89 f8                      ; 000 mov %edi,%eax
83 e0 03                   ; 002 and $0x3,%eax
c1 e0 03                   ; 005 shl $0x3,%eax
48 8d 15 11 00 00 00       ; 008 lea 0x11(%rip),%rdx
48 8b 04 02                ; 00f mov (%rdx,%rax,1),%rax
ff e0                      ; 013 jmp *%rax
c3                         ; 015 ret
c3                         ; 016 ret
c3                         ; 017 ret
c3                         ; 018 ret
0f 1f 80 00 00 00 00       ; 019 nopl 0x0(%rax)
`,
		data: "15104000000000001610400000000000171040000000000018104000000000001510400000000000",
	},
	{
		name: "behind an instruction without a name", arch: elfbin.AMD64, want: "0x14: 0x16 0x17",
		code: `
83 e7 01                   ; 000 and $0x1,%edi
48 8d 15 0e 00 00 00       ; 003 lea 0xe(%rip),%rdx
0f 01 ee                   ; 00a rdpkru
48 63 04 ba                ; 00d movslq (%rdx,%rdi,4),%rax
48 01 d0                   ; 011 add %rdx,%rax
ff e0                      ; 014 jmp *%rax
c3                         ; 016 ret
c3                         ; 017 ret
`,
		data: "feffffffffffffff",
	},
	{
		name: "a base that takes three rounds of a loop to arrive", arch: elfbin.AMD64, want: "0x1b: 0x1d 0x1e 0x1f",
		code: `
4c 8d 05 28 00 00 00       ; 000 lea 0x28(%rip),%r8
4d 89 c1                   ; 007 mov %r8,%r9
4d 89 ca                   ; 00a mov %r9,%r10
83 e7 01                   ; 00d and $0x1,%edi
49 63 04 b8                ; 010 movslq (%r8,%rdi,4),%rax
4c 01 c0                   ; 014 add %r8,%rax
85 f6                      ; 017 test %esi,%esi
74 05                      ; 019 je 401020
ff e0                      ; 01b jmp *%rax
c3                         ; 01d ret
c3                         ; 01e ret
c3                         ; 01f ret
4d 89 c8                   ; 020 mov %r9,%r8
4d 89 d1                   ; 023 mov %r10,%r9
4c 8d 15 0a 00 00 00       ; 026 lea 0xa(%rip),%r10
eb e1                      ; 02d jmp 401010
`,
		data: "eeffffffefffffffe8ffffffe7ffffff",
	},
	{
		name: "the bias in the displacement", arch: elfbin.AMD64, want: "0xa: 0x11 0x12",
		code: `
89 f9                      ; 000 mov %edi,%ecx
8d 41 fb                   ; 002 lea -0x5(%rcx),%eax
83 f8 01                   ; 005 cmp $0x1,%eax
77 09                      ; 008 ja 401013
ff 24 cd f8 0f 40 00       ; 00a jmp *0x400ff8(,%rcx,8)
c3                         ; 011 ret
c3                         ; 012 ret
c3                         ; 013 ret
0f 1f 40 00                ; 014 nopl 0x0(%rax)
`,
		data: "1310400000000000111040000000000012104000000000001310400000000000",
	},
	{
		name: "a virtual tail call", arch: elfbin.AMD64, want: "tail 0xf",
		code: `
48 83 ec 08                ; 000 sub $0x8,%rsp
48 8b 07                   ; 004 mov (%rdi),%rax
48 8b 40 18                ; 007 mov 0x18(%rax),%rax
48 83 c4 08                ; 00b add $0x8,%rsp
ff e0                      ; 00f jmp *%rax
`,
	},
	{
		name: "GCC: signed bytes from a label", arch: elfbin.ARM64, want: "0x1c: 0x20 0x28 0x30",
		code: `
1f 0c 00 71                ; 000 cmp w0, #0x3
a8 01 00 54                ; 004 b.hi 401038
01 00 00 90                ; 008 adrp x1, 401000
21 00 01 91                ; 00c add x1, x1, #0x40
20 48 60 38                ; 010 ldrb w0, [x1, w0, uxtw]
61 00 00 10                ; 014 adr x1, 401020
20 88 20 8b                ; 018 add x0, x1, w0, sxtb #2
00 00 1f d6                ; 01c br x0
20 00 80 52                ; 020 mov w0, #0x1
c0 03 5f d6                ; 024 ret
40 00 80 52                ; 028 mov w0, #0x2
c0 03 5f d6                ; 02c ret
60 00 80 52                ; 030 mov w0, #0x3
c0 03 5f d6                ; 034 ret
00 00 80 52                ; 038 mov w0, #0x0
c0 03 5f d6                ; 03c ret
`,
		data: "00020400",
	},
	{
		name: "clang: halfwords, biased index", arch: elfbin.ARM64, want: "0x20: 0x24 0x28 0x2c",
		code: `
08 14 00 51                ; 000 sub w8, w0, #0x5
1f 09 00 71                ; 004 cmp w8, #0x2
28 01 00 54                ; 008 b.hi 40102c
09 00 00 90                ; 00c adrp x9, 401000
29 c1 00 91                ; 010 add x9, x9, #0x30
8a 00 00 10                ; 014 adr x10, 401024
2b 79 68 78                ; 018 ldrh w11, [x9, x8, lsl #1]
4a 09 0b 8b                ; 01c add x10, x10, x11, lsl #2
40 01 1f d6                ; 020 br x10
c0 03 5f d6                ; 024 ret
c0 03 5f d6                ; 028 ret
c0 03 5f d6                ; 02c ret
`,
		data: "0000010002000000",
	},
	{
		name: "clang: words, the base spilled", arch: elfbin.ARM64, want: "0x34: 0x14 0x38",
		code: `
fd 7b be a9                ; 000 stp x29, x30, [sp, #-32]!
fd 03 00 91                ; 004 mov x29, sp
13 00 00 90                ; 008 adrp x19, 401000
73 f2 00 91                ; 00c add x19, x19, #0x3c
f3 0b 00 f9                ; 010 str x19, [sp, #16]
00 04 00 94                ; 014 bl 402014
1f 04 00 71                ; 018 cmp w0, #0x1
69 00 00 54                ; 01c b.ls 401028
fd 7b c2 a8                ; 020 ldp x29, x30, [sp], #32
c0 03 5f d6                ; 024 ret
e9 0b 40 f9                ; 028 ldr x9, [sp, #16]
28 59 a0 b8                ; 02c ldrsw x8, [x9, w0, uxtw #2]
08 01 09 8b                ; 030 add x8, x8, x9
00 01 1f d6                ; 034 br x8
f7 ff ff 17                ; 038 b 401014
`,
		data: "d8fffffffcffffffecffffff",
	},
	{
		name: "absolute table", arch: elfbin.ARM64, want: "0x10: 0x14 0x18",
		code: `
02 00 00 90                ; 000 adrp x2, 401000
42 80 00 91                ; 004 add x2, x2, #0x20
00 00 40 92                ; 008 and x0, x0, #0x1
40 78 60 f8                ; 00c ldr x0, [x2, x0, lsl #3]
00 00 1f d6                ; 010 br x0
c0 03 5f d6                ; 014 ret
c0 03 5f d6                ; 018 ret
1f 20 03 d5                ; 01c nop
`,
		data: "141040000000000018104000000000001410400000000000",
	},
	{
		name: "a virtual tail call", arch: elfbin.ARM64, want: "tail 0x8",
		code: `
01 00 40 f9                ; 000 ldr x1, [x0]
30 0c 40 f9                ; 004 ldr x16, [x1, #24]
00 02 1f d6                ; 008 br x16
`,
	},
}
