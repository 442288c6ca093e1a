package flow

import (
	"encoding/hex"
	"testing"

	"github.com/surehook/surehook/elfbin"
)

func TestEffect(t *testing.T) {
	for _, c := range []struct {
		text, code string
		arch       elfbin.Arch
		want       bool
	}{
		{"mov rax, [rdi]", "488b07", elfbin.AMD64, false},
		{"mov [rdi], rax", "488907", elfbin.AMD64, true},
		{"mov [rsp+8], rax", "4889442408", elfbin.AMD64, false},
		{"mov [r12], rax", "49890424", elfbin.AMD64, true},
		{"cmp dword [rdi], 0", "833f00", elfbin.AMD64, false},
		{"add dword [rdi], 1", "830701", elfbin.AMD64, true},
		{"test byte [rdi], 1", "f60701", elfbin.AMD64, false},
		{"cmp [rdi], eax", "3907", elfbin.AMD64, false},
		{"add eax, [rdi]", "0307", elfbin.AMD64, false},
		{"movups xmm0, [rdi]", "0f1007", elfbin.AMD64, false},
		{"movups [rdi], xmm0", "0f1107", elfbin.AMD64, true},
		{"movq xmm0, [rdi]", "f30f7e07", elfbin.AMD64, false},
		{"movd [rdi], xmm0", "660f7e07", elfbin.AMD64, true},
		{"movzx eax, byte [rdi]", "0fb607", elfbin.AMD64, false},
		{"lock cmpxchg [rdi], ecx", "f00fb10f", elfbin.AMD64, true},
		{"stosb", "aa", elfbin.AMD64, true},
		{"syscall", "0f05", elfbin.AMD64, true},
		{"lea rax, [rdi+rsi]", "488d0437", elfbin.AMD64, false},
		{"call", "e800000000", elfbin.AMD64, true},
		{"je", "7400", elfbin.AMD64, false},
		{"ldr x0, [x1]", "200040f9", elfbin.ARM64, false},
		{"str x0, [x1]", "200000f9", elfbin.ARM64, true},
		{"str x0, [sp, #8]", "e00700f9", elfbin.ARM64, false},
		{"ldp x0, x1, [x2]", "400440a9", elfbin.ARM64, false},
		{"stp x0, x1, [x2]", "400400a9", elfbin.ARM64, true},
		{"add x0, x1, x2", "2000028b", elfbin.ARM64, false},
		{"ldrsw x0, [x1]", "200080b9", elfbin.ARM64, false},
		{"dmb ish", "bf3b03d5", elfbin.ARM64, true},
	} {
		code, err := hex.DecodeString(c.code)
		if err != nil {
			t.Fatal(err)
		}
		in := Insn{Len: uint8(len(code))}
		if c.arch == elfbin.AMD64 {
			in, _ = decodeX86(code, 0x1000)
		}
		if got := Effect(c.arch, &in, code); got != c.want {
			t.Errorf("%s: %v, want %v", c.text, got, c.want)
		}
	}
}
