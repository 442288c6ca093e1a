package flow_test

import (
	"encoding/hex"
	"testing"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

func TestReload(t *testing.T) {
	tests := []struct {
		name, code string
		arch       elfbin.Arch
		want       bool
	}{
		{"mov 0x170(%rsp),%rdx", "488b942470010000", elfbin.AMD64, true},
		{"mov (%rsp),%r8", "4c8b0424", elfbin.AMD64, true},
		{"movzbl 0x78(%rsp),%ebx", "0fb65c2478", elfbin.AMD64, true},
		{"movsd 0x8(%rsp),%xmm0", "f20f10442408", elfbin.AMD64, true},
		{"mov %rdx,0x8(%rsp)", "4889542408", elfbin.AMD64, false},
		{"mov 0x8(%r12),%rdx", "498b542408", elfbin.AMD64, false},
		{"mov 0x8(%rsp,%rax,1),%rdx", "488b540408", elfbin.AMD64, false},
		{"mov 0x8(%rax),%rdx", "488b5008", elfbin.AMD64, false},
		{"add 0x8(%rsp),%rdx", "4803542408", elfbin.AMD64, false},
		{"mov %rsp,%rdx", "4889e2", elfbin.AMD64, false},
		{"cut off", "488b", elfbin.AMD64, false},
		{"ldr x2, [sp, #64]", "e22340f9", elfbin.ARM64, true},
		{"ldur x29, [sp, #-8]", "fd835ff8", elfbin.ARM64, true},
		{"ldrb w3, [sp, #7]", "e31f4039", elfbin.ARM64, true},
		{"ldp x2, x3, [sp, #8]", "e28f40a9", elfbin.ARM64, true},
		{"ldr d0, [sp, #8]", "e00740fd", elfbin.ARM64, true},
		{"str x2, [sp, #64]", "e22300f9", elfbin.ARM64, false},
		{"str q0, [sp]", "e003803d", elfbin.ARM64, false},
		{"ldr q0, [sp]", "e003c03d", elfbin.ARM64, true},
		{"ldr x2, [x0, #64]", "022040f9", elfbin.ARM64, false},
		{"ldr x30, [sp], #80", "fe0745f8", elfbin.ARM64, false},
		{"cut off", "e223", elfbin.ARM64, false},
	}
	for _, tt := range tests {
		code, err := hex.DecodeString(tt.code)
		if err != nil {
			t.Fatal(err)
		}
		if got := flow.Reload(tt.arch, code); got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}
