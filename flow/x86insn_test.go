package flow

import (
	"encoding/hex"
	"strings"
	"testing"
)

// code reads hex bytes; blanks are ignored.
func code(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

const at = 0x401000

func TestDecodeX86(t *testing.T) {
	type want struct {
		kind   Kind
		target uint64
		cond   string
		flags  string // nop, nop5, rep
	}
	for _, c := range []struct {
		hex, asm string
		want     want
	}{
		{"eb 10", "jmp", want{kind: Jump, target: at + 0x12}},
		{"e9 fb ff ff ff", "jmp .", want{kind: Jump, target: at}},
		{"f2 eb 10", "bnd jmp", want{kind: Jump, target: at + 0x13}},
		{"74 fe", "je .", want{kind: CondJump, target: at, cond: "ZF=1"}},
		{"2e 75 10", "jne,pn", want{kind: CondJump, target: at + 0x13, cond: "ZF=0"}},
		{"0f 87 00 01 00 00", "ja", want{kind: CondJump, target: at + 0x106, cond: "CF=0 and ZF=0"}},
		{"f2 0f 84 00 01 00 00", "bnd je", want{kind: CondJump, target: at + 0x107, cond: "ZF=1"}},
		{"e3 05", "jrcxz", want{kind: CondJump, target: at + 7, cond: "rcx == 0"}},
		{"67 e3 05", "jecxz", want{kind: CondJump, target: at + 8, cond: "ecx == 0"}},
		{"e2 05", "loop", want{kind: CondJump, target: at + 7, cond: "rcx != 1"}},
		{"67 e2 05", "addr32 loop", want{kind: CondJump, target: at + 8, cond: "ecx != 1"}},
		{"e1 05", "loope", want{kind: CondJump, target: at + 7, cond: "rcx != 1 and ZF=1"}},
		{"e0 05", "loopne", want{kind: CondJump, target: at + 7, cond: "rcx != 1 and ZF=0"}},
		{"e8 00 00 00 00", "call", want{kind: Call, target: at + 5}},
		{"66 66 48 e8 00 00 00 00", "data16 data16 rex.W call (TLS)", want{kind: Call, target: at + 8}},
		{"ff d0", "call *%rax", want{kind: IndirectCall}},
		{"41 ff 54 24 08", "call *8(%r12)", want{kind: IndirectCall}},
		{"ff 1f", "lcall *(%rdi)", want{kind: IndirectCall}},
		{"ff e0", "jmp *%rax", want{kind: IndirectJump}},
		{"3e ff e2", "notrack jmp *%rdx", want{kind: IndirectJump}},
		{"ff 25 00 00 00 00", "jmp *0(%rip)", want{kind: IndirectJump}},
		{"f2 ff 25 00 00 00 00", "bnd jmp *0(%rip)", want{kind: IndirectJump}},
		{"ff 24 c5 00 20 40 00", "jmp *0x402000(,%rax,8)", want{kind: IndirectJump}},
		{"c3", "ret", want{kind: Return}},
		{"f3 c3", "repz ret", want{kind: Return}},
		{"f2 c3", "bnd ret", want{kind: Return}},
		{"c2 08 00", "ret $8", want{kind: Return}},
		{"48 cf", "iretq", want{kind: Return}},
		{"48 0f 07", "sysretq", want{kind: Return}},
		{"cc", "int3", want{kind: Trap}},
		{"f4", "hlt", want{kind: Trap}},
		{"0f 0b", "ud2", want{kind: Trap}},
		{"0f b9 40 00", "ud1", want{kind: Trap}},
		{"cd 80", "int $0x80", want{}},
		{"0f 05", "syscall", want{}},
		{"f3 90", "pause", want{}},
		{"90", "nop", want{flags: "nop"}},
		{"66 90", "xchg %ax,%ax", want{flags: "nop"}},
		{"41 90", "xchg %r8d,%eax", want{}},
		{"0f 1f 00", "nopl (%rax)", want{flags: "nop"}},
		{"0f 1f 44 00 00", "nopl 0(%rax,%rax,1)", want{flags: "nop nop5"}},
		{"66 0f 1f 44 00 00", "nopw 0(%rax,%rax,1)", want{flags: "nop"}},
		{"0f 1f 40 00", "nopl 0(%rax)", want{flags: "nop"}},
		{"66 66 2e 0f 1f 84 00 00 00 00 00", "data16 cs nopw", want{flags: "nop"}},
		{"66 66 66 66 2e 0f 1f 84 00 00 00 00 00", "more data16 cs nopw", want{flags: "nop"}},
		{"f3 0f 1e fa", "endbr64", want{flags: "nop"}},
		{"f3 0f 1e fb", "endbr32", want{flags: "nop"}},
		{"f3 48 0f 1e c8", "rdsspq %rax", want{}},
		{"48 8d 76 00", "lea 0(%rsi),%rsi", want{flags: "nop"}},
		{"48 8d 74 26 00", "lea 0(%rsi,%riz,1),%rsi", want{flags: "nop"}},
		{"8d 76 00", "lea 0(%rsi),%esi", want{}},
		{"48 8d 7e 00", "lea 0(%rsi),%rdi", want{}},
		{"f3 a4", "rep movsb", want{flags: "rep"}},
		{"f3 48 ab", "rep stosq", want{flags: "rep"}},
		{"f2 ae", "repne scasb", want{flags: "rep"}},
		{"a4", "movsb", want{}},
		{"c5 f8 77", "vzeroupper", want{}},
		{"c5 fc 77", "vzeroall", want{}},
		{"c5 f9 6f 00", "vmovdqa (%rax),%xmm0", want{}},
		{"c4 e3 79 0f c1 08", "vpalignr", want{}},
		{"62 f1 7c 48 10 00", "vmovups (%rax),%zmm0", want{}},
		{"62 f3 7d 48 25 c0 ff", "vpternlogd", want{}},
		{"8f e9 78 01 ca", "tzmsk (XOP)", want{}},
		{"0f 0f c1 9e", "pfadd (3DNow)", want{}},
		{"0f 38 00 c1", "pshufb", want{}},
		{"66 0f 3a 0f c1 08", "palignr", want{}},
		{"48 b8 00 00 00 00 00 00 00 00", "movabs", want{}},
		{"48 a1 00 00 00 00 00 00 00 00", "movabs mem", want{}},
		{"66 81 c1 00 01", "add $0x100,%cx", want{}},
		{"66 48 81 c1 00 01 00 00", "data16 add $0x100,%rcx", want{}},
		{"f7 c1 00 01 00 00", "test $0x100,%ecx", want{}},
		{"f7 d9", "neg %ecx", want{}},
		{"f6 c1 01", "test $1,%cl", want{}},
		{"c8 10 00 00", "enter", want{}},
		{"c1 e0 03", "shl $3,%eax", want{}},
		{"83 7c 24 08 05", "cmpl $5,8(%rsp)", want{}},
		{"c7 84 24 00 01 00 00 05 00 00 00", "movl $5,0x100(%rsp)", want{}},
		{"48 69 c0 e8 03 00 00", "imul $1000,%rax,%rax", want{}},
		{"0f a4 c2 05", "shld $5,%eax,%edx", want{}},
		{"0f ba e0 05", "bt $5,%eax", want{}},
		{"0f c2 c1 02", "cmpleps", want{}},
		{"c5 f9 70 c0 ff", "vpshufd", want{}},
		{"8f 40 08", "pop 8(%rax)", want{}},
		{"0f 20 c0", "mov %cr0,%rax", want{}},
		{"c7 f8 06 00 00 00", "xbegin", want{}},
		{"0f 01 d0", "xgetbv", want{}},
		{"66 0f 38 f6 c1", "adcx", want{}},
	} {
		b := code(t, c.hex)
		in, ok := decodeX86(append(b, 0xcc, 0xcc, 0xcc), at)
		var flags []string
		if in.Nop {
			flags = append(flags, "nop")
		}
		if in.Nop5 {
			flags = append(flags, "nop5")
		}
		if in.Rep {
			flags = append(flags, "rep")
		}
		got := want{in.Kind, in.Target, "", strings.Join(flags, " ")}
		if in.Kind == CondJump {
			got.cond = in.Cond.String()
		}
		if !ok || int(in.Len) != len(b) || in.Addr != at || got != c.want {
			t.Errorf("%s: got ok=%v len %d %+v, want len %d %+v", c.asm, ok, in.Len, got, len(b), c.want)
		}
		for n := range b {
			if n == 0 {
				continue
			}
			if in, ok := decodeX86(b[:n], at); ok && int(in.Len) > n {
				t.Errorf("%s: %d bytes read from %d", c.asm, in.Len, n)
			}
		}
	}
}

func TestDecodeX86Invalid(t *testing.T) {
	for _, s := range []string{
		"", "06", "60", "82 00 00", "ea", "d4 0a", "ff ff", "ff e8 00", "fe f0", "8d c0", "8f c8", "0f 04", "0f 24", "0f",
		"0f 38", "66", "48", "e8 00 00", "c5", "c4 e3", "62 f1 7c", "62 f0 7c 48 10 00", "d5", "d5 08",
		"66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 90", // sixteen bytes
		"c7 40", "48 b8 00",
	} {
		if in, ok := decodeX86(code(t, s), at); ok {
			t.Errorf("%q was read: %+v", s, in)
		}
	}
}

func TestJumpOperandX86(t *testing.T) {
	for _, c := range []struct {
		hex  string
		want Cond
	}{
		{"ff e0", Cond{Op: RegTarget, Reg: 0, Index: NoReg}},
		{"41 ff e3", Cond{Op: RegTarget, Reg: 11, Index: NoReg}},
		{"ff e1", Cond{Op: RegTarget, Reg: 2, Index: NoReg}},
		{"ff 20", Cond{Op: MemTarget, Reg: 0, Index: NoReg}},
		{"ff 60 f8", Cond{Op: MemTarget, Reg: 0, Index: NoReg, Disp: -8}},
		{"ff 25 10 00 00 00", Cond{Op: MemTarget, Reg: NoReg, Index: NoReg, PCRel: true, Disp: 0x16}},
		{"ff 24 c5 00 20 40 00", Cond{Op: MemTarget, Reg: NoReg, Index: 0, Scale: 8, Disp: 0x402000}},
		{"43 ff 64 e5 10", Cond{Op: MemTarget, Reg: 13, Index: 12, Scale: 8, Disp: 0x10}},
		{"ff 24 24", Cond{Op: MemTarget, Reg: 7, Index: NoReg}},
		{"42 ff 24 e3", Cond{Op: MemTarget, Reg: 3, Index: 12, Scale: 8}},
		{"64 ff 20", Cond{Reg: NoReg, Index: NoReg}},
		{"67 ff 20", Cond{Reg: NoReg, Index: NoReg}},
		{"ff 28", Cond{Reg: NoReg, Index: NoReg}},
	} {
		in, ok := decodeX86(code(t, c.hex), at)
		if !ok || in.Kind != IndirectJump || in.Cond != c.want {
			t.Errorf("%s: got %v %#v, want %#v", c.hex, in.Kind, in.Cond, c.want)
		}
	}
}
