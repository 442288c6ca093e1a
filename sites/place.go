package sites

import (
	"bytes"
	"slices"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// point is where an edge is counted: an instruction and, if more than one
// way goes through it, the condition that this one is taken.
type point struct {
	insn int32
	cond flow.Cond
}

// place turns entry edges into points that count each edge exactly once
// (docs/architecture.md, rule 2). Edges that cannot be counted are returned apart.
func (bd *body) place(edges []entryEdge) (points []point, lost []entryEdge) {
	g := bd.graph
	byStart := map[int32][]entryEdge{}
	var order []int32
	for _, e := range edges {
		if _, ok := byStart[e.to]; !ok {
			order = append(order, e.to)
		}
		byStart[e.to] = append(byStart[e.to], e)
	}
	for _, v := range order {
		in := byStart[v]
		// Labels and the entry are ways in that the predecessors do not show.
		ways := len(g.Pred(v))
		for _, e := range in {
			if e.from < 0 {
				ways++
			}
		}
		if ways == len(in) {
			if p, ok := bd.forward(v); ok {
				points = append(points, point{insn: p})
				continue
			}
		}
		for _, e := range in {
			p, ok := bd.onEdge(e)
			if !ok {
				lost = append(lost, e)
				continue
			}
			points = append(points, p)
		}
	}
	return points, lost
}

// onEdge counts one edge at its source.
func (bd *body) onEdge(e entryEdge) (point, bool) {
	g := bd.graph
	if e.from < 0 {
		return point{}, false
	}
	u := e.from
	if bd.behind(e) && !bd.hazard(u) {
		return point{insn: u}, true // see count
	}
	if len(g.Succ(u)) == 1 {
		if p, ok := bd.backward(u); ok {
			return point{insn: p}, true
		}
		// Padding before a loop: what leads to it is taken as often.
		if pred := g.Pred(u); len(pred) == 1 && !bd.isRoot(u) && !bd.isCall(pred[0].From) {
			return bd.onEdge(entryEdge{pred[0].From, u})
		}
		return point{}, false
	}
	in := g.Insns[u]
	switch in.Kind {
	case flow.Plain, flow.Jump: // the kernel makes a jump or a nop of it, see patchedWay
		if p, ok := bd.backward(u); ok {
			return point{insn: p}, true
		}
	case flow.CondJump:
		if bd.hazard(u) {
			return point{}, false
		}
		cond := in.Cond
		if e.to != bd.takenTo(u) {
			cond = cond.Not()
		} else if next, ok := g.At(in.End()); ok && next == e.to {
			return point{insn: u}, true // both arms lead there
		}
		return point{insn: u, cond: cond}, true
	case flow.IndirectJump:
		for _, s := range g.Succ(u) {
			if s.To == e.to {
				cond, ok := g.TableCond(s)
				return point{insn: u, cond: cond}, ok
			}
		}
	}
	return point{}, false
}

// patchedWay finds an edge that is counted at its source although that leads
// elsewhere when the kernel has patched a jump in.
func (bd *body) patchedWay(edges []entryEdge) (u int32, yes bool) {
	g := bd.graph
	in := map[int32]int{}
	for _, e := range edges {
		if e.from >= 0 {
			in[e.to]++
		}
	}
	for _, e := range edges {
		if bd.patches(e) && in[e.to] != len(g.Pred(e.to)) {
			return e.from, true
		}
	}
	return 0, false
}

// patches tells whether an edge leaves an instruction that the kernel turns
// into a jump or a nop.
func (bd *body) patches(e entryEdge) bool {
	if e.from < 0 || len(bd.graph.Succ(e.from)) < 2 {
		return false
	}
	k := bd.graph.Insns[e.from].Kind
	return k == flow.Plain || k == flow.Jump
}

// takenTo is the target of a conditional jump, -1 if it lies outside.
func (bd *body) takenTo(u int32) int32 {
	if i, ok := bd.graph.At(bd.graph.Insns[u].Target); ok {
		return i
	}
	return -1
}

// hazard tells whether a breakpoint on the instruction fails, miscounts or
// harms: Linux refuses lock prefixes, misreads some vector instructions,
// single-steps a rep-prefixed instruction once an iteration,
// refuses some prefixed nops before 7.2 without an error, and on 6.18 to 7.1
// rewrites a 5-byte nop into a call that overwrites the red zone.
//
// Kprobes mind none of these but the repetition; they are refused where the
// kernel patches its code (kernel/kprobes.c, check_kprobe_address_safe), and
// arm64 refuses some instructions.
func (bd *body) hazard(i int32) bool {
	in := &bd.graph.Insns[i]
	if bd.reserved != nil {
		return in.Rep || in.Kind == flow.Unknown || bd.reserved(in.Addr) || bd.owner.unprobed != nil && bd.owner.unprobed(in.Addr)
	}
	if bd.arch == elfbin.AMD64 && !in.Nop {
		if code := bd.image.Bytes(in.Addr, int(in.Len)); flow.Misread(code) || flow.Locked(code) {
			return true
		}
	}
	return in.Rep || in.Nop5 || in.Kind == flow.Unknown || (in.Nop && in.Len > 1 && !bd.landing(i))
}

// landing tells whether a nop is an endbr64: it can be probed. (arm64's bti
// has 4 bytes like every nop there; those are stepped over in software.)
func (bd *body) landing(i int32) bool {
	in := &bd.graph.Insns[i]
	return bd.arch == elfbin.ARM64 || bytes.Equal(bd.image.Bytes(in.Addr, int(in.Len)), []byte{0xf3, 0x0f, 0x1e, 0xfa})
}

// behindLanding gives the address of the instruction behind an endbr64, if it is
// executed as often and is one that the kernel emulates; else v's own.
func (bd *body) behindLanding(v int32) uint64 {
	g := bd.graph
	at := g.Insns[v].Addr
	if bd.arch != elfbin.AMD64 || !bd.landing(v) {
		return at
	}
	succ := g.Succ(v)
	if len(succ) != 1 || len(g.Pred(succ[0].To)) != 1 || bd.isRoot(succ[0].To) {
		return at
	}
	next := &g.Insns[succ[0].To]
	if bd.hazard(succ[0].To) || !flow.Emulated(bd.image.Bytes(next.Addr, int(next.Len))) {
		return at
	}
	return next.Addr
}

// forward finds an instruction that is executed exactly as often as v, at or
// after it, and can be probed.
func (bd *body) forward(v int32) (int32, bool) {
	g := bd.graph
	for n := 0; n < len(g.Insns); n++ {
		if !bd.hazard(v) {
			return v, true
		}
		succ := g.Succ(v)
		if len(succ) != 1 || len(g.Pred(succ[0].To)) != 1 || bd.isRoot(succ[0].To) || bd.isCall(v) && !bd.staticCall(v) {
			return 0, false
		}
		v = succ[0].To
	}
	return 0, false
}

// staticCall tells whether a call is one that the kernel patches: what it calls
// then comes back, as its callers were compiled to go on.
func (bd *body) staticCall(v int32) bool {
	return bd.reserved != nil && bd.reserved(bd.graph.Insns[v].Addr)
}

// backward finds an instruction that is executed exactly as often as u, at or
// before it, and can be probed.
func (bd *body) backward(u int32) (int32, bool) {
	g := bd.graph
	for n := 0; n < len(g.Insns); n++ {
		if !bd.hazard(u) {
			return u, true
		}
		pred := g.Pred(u)
		if len(pred) != 1 || len(g.Succ(pred[0].From)) != 1 || bd.isRoot(u) || bd.isCall(pred[0].From) {
			return 0, false
		}
		u = pred[0].From
	}
	return 0, false
}

func (bd *body) isCall(i int32) bool {
	k := bd.graph.Insns[i].Kind
	return k == flow.Call || k == flow.IndirectCall
}

func (bd *body) isRoot(i int32) bool { return slices.Contains(bd.roots, i) }

// siteAt describes a point for the result.
func (b *Binary) siteAt(addr uint64, kind Kind, cond flow.Cond) (Site, bool) {
	off, ok := b.file.FileOffset(addr)
	s := Site{Kind: kind, Address: addr, FileOffset: off, Cond: cond, Times: 1}
	s.Symbol, s.Offset = b.symbolize(addr)
	return s, ok
}

// symbolize gives symbol+offset of a virtual address.
func (b *Binary) symbolize(addr uint64) (string, uint64) {
	if sym, ok := b.file.SymbolAt(addr); ok {
		return sym.Name, addr - sym.Value
	}
	return "", 0
}
