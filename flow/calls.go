package flow

import (
	"encoding/binary"

	"github.com/surehook/surehook/elfbin"
)

// CallEdge is a direct call or tail call between functions, by virtual address.
type CallEdge struct {
	From uint64 // of the call or jump instruction
	To   uint64 // where it leads
	Tail bool   // a jump that leaves the range it stands in; also to a cold part
}

// Calls finds the direct calls of the given code, each range read from its
// start to its end (virtual addresses; a range is a function, or a part of
// one). The edges are in the order of the ranges. Code that is not in the
// file is a *CodeError.
func Calls(img Image, arch elfbin.Arch, code []elfbin.Range) ([]CallEdge, error) {
	c, err := ReadCalls(img, arch, code)
	return c.Edges, err
}

// CallCensus is what reading code from its start to its end tells of calls.
type CallCensus struct {
	Edges    []CallEdge
	Indirect int    // calls, and jumps, through a register or memory
	Unread   uint64 // bytes that are no instruction the disassembler knows
	Filling  bool   // nothing but padding: nops, traps and zeros
}

// ReadCalls is Calls, and says besides what may hide other calls.
func ReadCalls(img Image, arch elfbin.Arch, code []elfbin.Range) (CallCensus, error) {
	c := CallCensus{Filling: true}
	var size, read uint64
	for _, r := range code {
		size += r.High - r.Low
	}
	err := sweepCode(img, arch, code, func(r elfbin.Range, in *Insn, b []byte) {
		c.Filling = c.Filling && (in.Nop || in.Kind == Trap || zeros(b))
		if in.Kind != Unknown {
			read += uint64(in.Len)
		}
		switch in.Kind {
		case Call:
			c.Edges = append(c.Edges, CallEdge{From: in.Addr, To: in.Target})
		case Jump, CondJump:
			if !r.Contains(in.Target) {
				c.Edges = append(c.Edges, CallEdge{From: in.Addr, To: in.Target, Tail: true})
			}
		case IndirectCall, IndirectJump:
			c.Indirect++
		}
	})
	if err != nil {
		return CallCensus{}, err
	}
	c.Unread = size - read
	if c.Filling {
		c.Unread = 0
	}
	return c, nil
}

func zeros(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// sweepCode reads ranges linearly and gives each instruction with its bytes.
func sweepCode(img Image, arch elfbin.Arch, code []elfbin.Range, visit func(r elfbin.Range, in *Insn, b []byte)) error {
	if arch != elfbin.AMD64 && arch != elfbin.ARM64 {
		return &ArchError{arch}
	}
	for _, r := range code {
		if r.Empty() {
			continue
		}
		if r.High-r.Low > maxText {
			return &SizeError{r.Low, r.High - r.Low}
		}
		n := int(r.High - r.Low)
		b := img.Bytes(r.Low, n)
		if len(b) < n {
			return &CodeError{r, len(b)}
		}
		if arch == elfbin.AMD64 {
			sweepX86(r, b[:n], visit)
		} else {
			sweepARM64(r, b[:n], visit)
		}
	}
	return nil
}

// maxText bounds one swept range, in bytes: no executable segment of a known
// program comes near 4 GiB, the reach of its own calls.
const maxText = 4 << 30

func sweepX86(r elfbin.Range, b []byte, visit func(r elfbin.Range, in *Insn, b []byte)) {
	for p := 0; p < len(b); {
		in, ok := decodeX86(b[p:], r.Low+uint64(p))
		if !ok {
			p++
			continue
		}
		visit(r, &in, b[p:p+int(in.Len)])
		p += int(in.Len)
	}
}

func sweepARM64(r elfbin.Range, b []byte, visit func(r elfbin.Range, in *Insn, b []byte)) {
	for p := int(-r.Low & 3); p+arm64Len <= len(b); p += arm64Len {
		in := decodeARM64(binary.LittleEndian.Uint32(b[p:]), r.Low+uint64(p))
		visit(r, &in, b[p:p+arm64Len])
	}
}
