package flow

import (
	"encoding/binary"
	"fmt"
	"slices"
	"sort"

	"github.com/surehook/surehook/elfbin"
)

// maxFunction bounds the code of one function, in bytes. The largest known
// ones (generated interpreters, LLVM's selectors) have less than 2 MiB; an
// instruction costs some hundred bytes of memory.
const maxFunction = 8 << 20

// ArchError says that an architecture cannot be disassembled.
type ArchError struct{ Arch elfbin.Arch }

func (e *ArchError) Error() string {
	return fmt.Sprintf("no disassembler for architecture %s: amd64 and arm64 are read", e.Arch)
}

// SizeError says that a function is too large to be disassembled.
type SizeError struct {
	Entry uint64 // virtual address
	Size  uint64 // bytes
}

func (e *SizeError) Error() string {
	return fmt.Sprintf("function at %#x: %d bytes of code, more than the limit of %d: its ranges are probably damaged", e.Entry, e.Size, maxFunction)
}

// CodeError says that code is not in the file.
type CodeError struct {
	Range elfbin.Range // virtual addresses
	Have  int          // bytes the image gives
}

func (e *CodeError) Error() string {
	return fmt.Sprintf("code at %#x to %#x: the file holds only %d bytes of it", e.Range.Low, e.Range.High, e.Have)
}

// Build disassembles Ranges and connects the instructions.
//
// Each range is read from its start; after bytes that cannot be read, decoding
// goes on at the next byte (x86-64) or word (arm64). Branch targets inside of
// another instruction (jumping over a lock prefix) are read as well, so
// instructions may overlap.
func Build(opts Options) (*Graph, error) {
	b, g, err := newGraph(opts)
	if err != nil {
		return nil, err
	}
	resolve(b, g)
	return g, nil
}

// decoded reads the instructions of Ranges.
func decoded(opts Options) (*builder, error) {
	if opts.Arch != elfbin.AMD64 && opts.Arch != elfbin.ARM64 {
		return nil, &ArchError{opts.Arch}
	}
	b := &builder{opts: opts, ranges: normalise(opts.Ranges)}
	if err := b.load(); err != nil {
		return nil, err
	}
	for i := range b.ranges {
		b.sweep(i)
	}
	b.overlaps()
	return b, nil
}

// newGraph makes the graph without the edges of indirect jumps.
func newGraph(opts Options) (*builder, *Graph, error) {
	b, err := decoded(opts)
	if err != nil {
		return nil, nil, err
	}
	g := b.graph()
	b.connect(g)
	return b, g, nil
}

// normalise sorts ranges and merges those that touch.
func normalise(ranges []elfbin.Range) []elfbin.Range {
	var rs []elfbin.Range
	for _, r := range ranges {
		if !r.Empty() {
			rs = append(rs, r)
		}
	}
	sort.Slice(rs, func(i, j int) bool { return rs[i].Low < rs[j].Low })
	var out []elfbin.Range
	for _, r := range rs {
		if n := len(out); n > 0 && r.Low <= out[n-1].High {
			out[n-1].High = max(out[n-1].High, r.High)
			continue
		}
		out = append(out, r)
	}
	return out
}

// builder holds what is needed only while a graph is made.
type builder struct {
	opts   Options
	ranges []elfbin.Range // sorted, disjoint, not touching
	code   [][]byte       // of each range
	insns  []Insn
	bad    []uint64
	abort  []uint64 // where transactions go when they fail
}

// load reads the code of the ranges.
func (b *builder) load() error {
	var total uint64
	for _, r := range b.ranges {
		total += r.High - r.Low
		if total > maxFunction || r.High-r.Low > maxFunction {
			return &SizeError{b.opts.Entry, total}
		}
	}
	for _, r := range b.ranges {
		n := int(r.High - r.Low)
		code := b.opts.Image.Bytes(r.Low, n)
		if len(code) < n {
			return &CodeError{r, len(code)}
		}
		b.code = append(b.code, code[:n])
	}
	const usual = 4 // bytes of an instruction
	b.insns = make([]Insn, 0, total/usual+1)
	return nil
}

// inside finds the range that holds addr.
func (b *builder) inside(addr uint64) (int, bool) {
	i := sort.Search(len(b.ranges), func(i int) bool { return b.ranges[i].High > addr })
	return i, i < len(b.ranges) && b.ranges[i].Contains(addr)
}

// decode reads the instruction at addr in range i.
func (b *builder) decode(i int, addr uint64) (Insn, bool) {
	code := b.code[i][addr-b.ranges[i].Low:]
	if b.opts.Arch == elfbin.AMD64 {
		return decodeX86(code, addr)
	}
	if len(code) < arm64Len || addr%arm64Len != 0 {
		return Insn{}, false
	}
	in := decodeARM64(binary.LittleEndian.Uint32(code), addr)
	return in, in.Kind != Unknown
}

// sweep reads range i from its start to its end.
func (b *builder) sweep(i int) {
	r := b.ranges[i]
	for addr := r.Low; addr < r.High; {
		in, ok := b.decode(i, addr)
		if !ok {
			in = b.unreadable(addr, r.High)
			b.bad = append(b.bad, addr)
		}
		b.insns = append(b.insns, in)
		addr = in.End()
	}
}

// unreadable stands for bytes that are no instruction: the step of
// resynchronisation.
func (b *builder) unreadable(addr, end uint64) Insn {
	n := uint64(1)
	if b.opts.Arch == elfbin.ARM64 {
		n = min(arm64Len-addr%arm64Len, end-addr)
	}
	return Insn{Addr: addr, Len: uint8(n), Kind: Unknown, Cond: Cond{Reg: NoReg, Index: NoReg}}
}

// overlaps reads branch targets that lie inside of an instruction, up to
// where the two readings meet.
func (b *builder) overlaps() {
	if b.opts.Arch != elfbin.AMD64 {
		return
	}
	b.findAborts()
	known := b.insns
	starts := func(addr uint64) bool {
		_, ok := slices.BinarySearchFunc(known, addr, func(in Insn, a uint64) int { return cmpAddr(in.Addr, a) })
		return ok
	}
	seen := map[uint64]bool{}
	for k := 0; k < len(b.insns); k++ {
		in := b.insns[k]
		if in.Kind != Jump && in.Kind != CondJump {
			continue
		}
		i, ok := b.inside(in.Target)
		for addr := in.Target; ok && addr < b.ranges[i].High && !starts(addr) && !seen[addr]; {
			seen[addr] = true
			more, good := b.decode(i, addr)
			if !good {
				more = b.unreadable(addr, b.ranges[i].High)
				b.bad = append(b.bad, addr)
			}
			b.insns = append(b.insns, more)
			addr = more.End()
			ok = good // what follows unreadable bytes is not on this path
		}
	}
	if len(seen) > 0 {
		slices.SortFunc(b.insns, func(x, y Insn) int { return cmpAddr(x.Addr, y.Addr) })
		slices.Sort(b.bad)
	}
}

func cmpAddr(x, y uint64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	}
	return 0
}

// findAborts notes the targets of xbegin: control comes there when the
// transaction fails, wherever that was.
func (b *builder) findAborts() {
	for _, in := range b.insns {
		if in.Len < 6 || in.Kind != Plain {
			continue
		}
		i, _ := b.inside(in.Addr)
		code := b.code[i][in.Addr-b.ranges[i].Low:]
		if n := in.Len; code[n-6] == 0xc7 && code[n-5] == 0xf8 {
			f, ok := readX86Form(code)
			if ok && f.omap == mapOne && f.opcode == 0xc7 && f.modrm == 0xf8 {
				b.abort = append(b.abort, f.relative(code, &in))
			}
		}
	}
}
