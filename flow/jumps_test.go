package flow

import (
	"testing"

	"github.com/surehook/surehook/elfbin"
)

// patched is code at 0x1000.
type patched []byte

func (p patched) Bytes(addr uint64, n int) []byte {
	if addr < 0x1000 || addr-0x1000 >= uint64(len(p)) {
		return nil
	}
	b := p[addr-0x1000:]
	return b[:min(n, len(b))]
}

func (p patched) Executable(uint64) bool { return true }

// TestJumps: a nop that may become a jump leads both ways.
func TestJumps(t *testing.T) {
	code := patched{0x0f, 0x1f, 0x44, 0x00, 0x00, 0xc3, 0x31, 0xc0, 0xc3} // nop; ret; xor eax, eax; ret
	opts := Options{Arch: elfbin.AMD64, Image: code, Entry: 0x1000, Ranges: []elfbin.Range{{Low: 0x1000, High: 0x1009}}}
	for _, jumps := range []func(*Insn) []uint64{nil, func(in *Insn) []uint64 {
		if in.Addr != 0x1000 {
			return nil
		}
		return []uint64{0x1006, 0x2000}
	}} {
		opts.Jumps = jumps
		g, err := Build(opts)
		if err != nil {
			t.Fatal(err)
		}
		to, ok := g.At(0x1006)
		if !ok {
			t.Fatal("the code behind was not read")
		}
		if got, want := g.Reachable([]int32{g.Entry}, nil)[to], jumps != nil; got != want {
			t.Errorf("jumps %v: reached %v", jumps != nil, got)
		}
	}
}

func (p patched) Pointer(uint64) (uint64, bool) { return 0, false }
