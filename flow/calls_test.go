package flow

import (
	"errors"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/surehook/surehook/elfbin"
)

func TestCalls(t *testing.T) {
	for _, c := range []struct {
		name string
		arch elfbin.Arch
		code string
		want []CallEdge
	}{
		{"amd64", elfbin.AMD64, "e8 fb 0f 00 00  ff d0  74 f7  0f 84 00 02 00 00  06  eb 7f  e9 00 01 00 00", []CallEdge{
			{From: at, To: at + 0x1000}, {From: at + 9, To: at + 0x20f, Tail: true},
			{From: at + 16, To: at + 18 + 0x7f, Tail: true}, {From: at + 18, To: at + 23 + 0x100, Tail: true},
		}},
		{"arm64", elfbin.ARM64, "00 04 00 94  20 00 00 54  00 02 3f d6  00 10 00 14  c0 03 5f d6", []CallEdge{
			{From: at, To: at + 0x1000}, {From: at + 12, To: at + 12 + 0x4000, Tail: true},
		}},
	} {
		b := code(t, c.code)
		got, err := Calls(memory{at, b, len(b)}, c.arch, []elfbin.Range{{Low: at, High: at + uint64(len(b))}, {}})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
	}
	_, err := Calls(memory{at, nil, 0}, elfbin.AMD64, []elfbin.Range{{Low: at, High: at + 1}})
	if e := (*CodeError)(nil); !errors.As(err, &e) {
		t.Error(err)
	}
	_, err = Calls(memory{at, nil, 0}, elfbin.UnknownArch, nil)
	if e := (*ArchError)(nil); !errors.As(err, &e) {
		t.Error(err)
	}
}

func TestAddressesTaken(t *testing.T) {
	for _, c := range []struct {
		name, code string
		arch       elfbin.Arch
		data       int
		want       Addresses
	}{
		// lea 0x10(%rip),%rax; mov $0x401005,%edi; movq $0x401006,(%rax); push $0x401007; lea 0x40(%rip),%rcx; mov $5,%eax
		{"amd64", "48 8d 05 10 00 00 00  bf 05 10 40 00  48 c7 00 06 10 40 00  68 07 10 40 00  48 8d 0d 40 00 00 00  b8 05 00 00 00", elfbin.AMD64, 0x50,
			Addresses{Code: map[uint64]struct{}{at + 0x17: {}, at + 5: {}, at + 6: {}, at + 7: {}}, Data: []uint64{at + 0x5f}}},
		// adrp x0, page; add x1, x0, #8; adr x2, .+8; add x3, x0, #0x20; add x4, x5, #1
		{"arm64", "00 00 00 90  01 20 00 91  42 00 00 10  03 80 00 91  a4 04 00 91", elfbin.ARM64, 0x20,
			Addresses{Code: map[uint64]struct{}{at + 8: {}, at + 16: {}}, Data: []uint64{at + 0x20}}},
	} {
		b := code(t, c.code)
		img := memory{at, append(slices.Clone(b), make([]byte, c.data)...), len(b)}
		got, err := AddressesTaken(img, c.arch, []elfbin.Range{{Low: at, High: at + uint64(len(b))}})
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got); d != "" {
			t.Errorf("%s: %s", c.name, d)
		}
		only, err := AddressTaken(img, c.arch, []elfbin.Range{{Low: at, High: at + uint64(len(b))}})
		if err != nil || !maps.Equal(only, c.want.Code) {
			t.Errorf("%s: %v %v", c.name, only, err)
		}
	}
}

func TestNeverReturns(t *testing.T) {
	never := func(addr uint64) bool { return addr == at+0x100 }
	for _, c := range []struct {
		name, code string
		want       bool
	}{
		{"returns", "c3", false},
		{"loops for ever", "eb fe", true},
		{"traps", "0f 0b", true},
		{"calls what never returns", "e8 fb 00 00 00 c3", true},
		{"calls what returns", "e8 fb 01 00 00 c3", false},
		{"jumps to what never returns", "e9 fb 00 00 00", true},
		{"jumps to what returns", "e9 fb 01 00 00", false},
		{"may jump to what returns", "0f 84 fa 01 00 00 0f 0b", false},
		{"may jump to what never returns", "0f 84 fa 00 00 00 0f 0b", true},
		{"call at the end", "90 e8 fb 01 00 00", true},
		{"runs over the end", "90 90", false},
		{"may run over the end", "eb 00 74 fe", false},
		{"unreadable", "90 06", false},
		{"indirect tail call", "ff 60 08", false},
		{"one way returns", "74 01 c3 0f 0b", false},
		{"unreachable return", "0f 0b c3", true},
		{"nothing", "", false},
	} {
		b := code(t, c.code)
		opts := Options{Arch: elfbin.AMD64, Image: memory{at, b, len(b)}, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + uint64(len(b))}}}
		if got := NeverReturns(opts, never); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
	b := []byte{0x0f, 0x0b}
	opts := Options{Arch: elfbin.AMD64, Image: memory{at, b, 2}, Entry: at, Ranges: []elfbin.Range{{Low: at, High: at + 9}}}
	if NeverReturns(opts, nil) {
		t.Error("code that is not in the file never returns")
	}
}
