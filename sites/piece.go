package sites

import (
	"cmp"
	"slices"
	"sort"

	"github.com/surehook/surehook/flow"
)

// piece is the part of a region that control reaches from one of the ways in
// without leaving the region.
type piece struct {
	start  int32
	in     []bool
	keys   map[rowKey]int      // what source it stands for, with the line of the callee
	ops    map[rowKey][]uint32 // the instructions at each
	effect bool                // holds what the compiler may not move or leave out
	branch bool
	first  int            // lowest line of the callee in it, 0 if unknown
	next   []bool         // what it leads to outside the region
	into   map[int32]bool // where that leads back into the region
	ends   bool           // it can also go on without
}

// rowKey is a place of the source: the same code in another place of a region
// is another execution, other code may be of the same.
type rowKey struct {
	copy      int32
	line, col uint32
}

// settle corrects the ways into a copy of which LLVM moved instructions:
// hoisted over a branch of the caller, reloaded before the place where several
// ways join, or rotated behind the end of the caller's loop.
func (bd *body) settle(v *copyView, edges []entryEdge) []entryEdge {
	if bd.lines != nil {
		edges = bd.addRepeats(v, edges)
		edges = bd.dropHoisted(v, edges)
	}
	return bd.addPrefixes(v.region, edges)
}

// addRepeats adds the ways into further pieces of a region that stand for the
// same beginning as a start point does: a caller's loop that was unrolled, or
// turned round with its condition in front and at the end, holds several
// executions under one record.
func (bd *body) addRepeats(v *copyView, edges []entryEdge) []entryEdge {
	live, r := bd.live(), v.region
	starts := startPoints(edges)
	begins := map[rowKey][]uint32{}
	begun := make([]bool, len(r.in)) // reached within the region from a start point
	for s := range starts {
		p := bd.pieceOf(v, s)
		if k, ok := p.begin(); ok {
			begins[k] = p.ops[k]
		}
		for i, in := range p.in {
			begun[i] = begun[i] || in
		}
	}
	for _, i := range r.list {
		if starts[i] || begun[i] {
			continue
		}
		var in []entryEdge
		for _, e := range bd.graph.Pred(i) {
			if live[e.From] && !r.in[e.From] && !bd.lineless(int(e.From)) {
				in = append(in, entryEdge{e.From, i})
			}
		}
		if len(in) == 0 {
			continue
		}
		p := bd.pieceOf(v, i)
		if k, ok := p.begin(); ok && !p.holds(starts) && begins[k] != nil && contains(p.ops[k], begins[k]) {
			edges = append(edges, in...)
		}
	}
	return edges
}

// contains tells whether all of some instructions are among others.
func contains(all, some []uint32) bool {
	rest := slices.Clone(all)
	for _, op := range some {
		i := slices.Index(rest, op)
		if i < 0 {
			return false
		}
		rest = slices.Delete(rest, i, i+1)
	}
	return true
}

// holds tells whether one of the start points lies in the piece.
func (p *piece) holds(starts map[int32]bool) bool {
	for s := range starts {
		if p.in[s] {
			return true
		}
	}
	return false
}

// begin is the place of the source that comes first in the callee.
func (p *piece) begin() (rowKey, bool) {
	first, ok := rowKey{}, false
	for k, line := range p.keys {
		if line == p.first && (!ok || k.less(first)) {
			first, ok = k, true
		}
	}
	return first, ok
}

func (k rowKey) less(o rowKey) bool {
	return cmp.Or(cmp.Compare(k.copy, o.copy), cmp.Compare(k.line, o.line), cmp.Compare(k.col, o.col)) < 0
}

// dropHoisted leaves out start points that only moved instructions stand at:
// without a branch or an effect, of other source lines than what follows, and
// on the way to another beginning.
func (bd *body) dropHoisted(v *copyView, edges []entryEdge) []entryEdge {
	starts := startPoints(edges)
	for changed := true; changed; {
		changed = false
		for a := range starts {
			pa := bd.pieceOf(v, a)
			if pa.branch || pa.effect || len(pa.into) == 0 {
				continue
			}
			if instead, yes := bd.moved(v, pa, starts); yes {
				edges = bd.replaceStart(v.region, edges, a, instead)
				starts, changed = startPoints(edges), true
				break
			}
		}
	}
	return edges
}

// moved tells whether a piece is moved code, and where the executions begin
// that it was taken from.
func (bd *body) moved(v *copyView, a *piece, starts map[int32]bool) (instead []int32, yes bool) {
	always := len(a.into) == 1 && !a.ends
	for s := range a.into {
		if s == a.start || a.in[s] {
			if always {
				return nil, false
			}
			continue
		}
		b := bd.pieceOf(v, s)
		if b.in[a.start] || overlap(a.keys, b.keys) {
			return nil, false
		}
		if always && starts[s] {
			return nil, true
		}
		if always || !bd.guarded(a, s) || !b.effect && !(b.first > 0 && b.first < a.first) {
			return nil, false
		}
		instead = append(instead, s)
	}
	return instead, len(instead) > 0
}

// guarded tells whether a branch of the caller, with a line of its own, decides
// whether what follows a piece comes to s.
func (bd *body) guarded(a *piece, s int32) bool {
	g, lines := bd.graph, bd.lineAt()
	leads := bd.leading(a.next, s)
	for i, out := range a.next {
		u := int32(i)
		if !out || g.Insns[u].Kind != flow.CondJump || lines[u] == 0 || lines[u] == noLine {
			continue
		}
		to, not := false, false
		for _, e := range g.Succ(u) {
			if e.To == s || a.next[e.To] && leads[e.To] {
				to = true
			} else {
				not = true
			}
		}
		if to && not {
			return true
		}
	}
	return false
}

// leading marks, of some instructions, those from which s is reached over
// others of them.
func (bd *body) leading(among []bool, s int32) []bool {
	out := make([]bool, len(among))
	todo := []int32{s}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range bd.graph.Pred(i) {
			if among[e.From] && !out[e.From] {
				out[e.From] = true
				todo = append(todo, e.From)
			}
		}
	}
	return out
}

// replaceStart takes the edges into one start point away and, for others, adds
// every edge from outside the region.
func (bd *body) replaceStart(r *region, edges []entryEdge, a int32, instead []int32) []entryEdge {
	var out []entryEdge
	have := map[entryEdge]bool{}
	add := func(e entryEdge) {
		if !have[e] {
			have[e] = true
			out = append(out, e)
		}
	}
	for _, e := range edges {
		if e.to != a {
			add(e)
		}
	}
	for _, s := range instead {
		for _, e := range bd.graph.Pred(s) {
			if !r.in[e.From] && bd.live()[e.From] {
				add(entryEdge{e.From, s})
			}
		}
	}
	return out
}

// addPrefixes adds the ways from outside into code of the copy that goes
// straight to a start point: a loop of the caller, turned round, comes back
// over reloads that pass for the copy's.
func (bd *body) addPrefixes(r *region, edges []entryEdge) []entryEdge {
	starts := startPoints(edges)
	g, live := bd.graph, bd.live()
	for s := range starts {
		for p := s; ; {
			pred := bd.before(r, p)
			if pred < 0 {
				break
			}
			p = pred
			for _, e := range g.Pred(p) {
				if live[e.From] && !r.in[e.From] && !starts[p] {
					edges = append(edges, entryEdge{e.From, p})
				}
			}
			if p == s {
				break
			}
		}
	}
	return edges
}

// live marks what control can come to at all: padding between blocks falls
// into code, but nothing leads to it.
func (bd *body) live() []bool {
	if bd.alive == nil {
		bd.alive = bd.reach(bd.roots, make([]bool, len(bd.graph.Insns)))
	}
	return bd.alive
}

// before gives the one instruction of a region that comes to p within it and
// has no other way to go, -1 if there is none.
func (bd *body) before(r *region, p int32) int32 {
	found := int32(-1)
	for _, e := range bd.graph.Pred(p) {
		if !r.in[e.From] {
			continue
		}
		if found >= 0 || len(bd.graph.Succ(e.From)) != 1 {
			return -1
		}
		found = e.From
	}
	return found
}

// pieceOf gathers what is known of the piece of a region that begins at s.
func (bd *body) pieceOf(v *copyView, s int32) *piece {
	g, r := bd.graph, v.region
	p := &piece{start: s, in: bd.reachInside(r, s), keys: map[rowKey]int{}, ops: map[rowKey][]uint32{}, into: map[int32]bool{}}
	var exits []int32
	for i, in := range p.in {
		if !in {
			continue
		}
		k := int32(i)
		p.branch = p.branch || len(g.Succ(k)) != 1
		p.effect = p.effect || bd.effect(k)
		bd.addSource(v, p, k)
		for _, e := range g.Succ(k) {
			if !r.in[e.To] {
				exits = append(exits, e.To)
			}
		}
	}
	p.next = bd.reach(exits, r.in)
	for i, out := range p.next {
		if !out {
			continue
		}
		succ := g.Succ(int32(i))
		p.ends = p.ends || len(succ) == 0
		for _, e := range succ {
			if r.in[e.To] {
				p.into[e.To] = true
			}
		}
	}
	return p
}

// addSource notes the source place of an instruction.
func (bd *body) addSource(v *copyView, p *piece, i int32) {
	row, ok := bd.lines.At(bd.graph.Insns[i].Addr)
	if !ok || row.Line == 0 {
		return
	}
	c := bd.innermost()[i]
	k, line := rowKey{c, uint32(row.Line), uint32(row.Column)}, int(row.Line)
	for c >= 0 && c != v.index {
		line = bd.owner.data.Copy(c).CallLine
		c = bd.owner.data.Copy(c).Parent
	}
	p.keys[k] = line
	if p.first == 0 || line < p.first {
		p.first = line
	}
	if row.Addr != bd.graph.Insns[i].Addr {
		return // LLVM lets instructions without a place of their own pass for what is before
	}
	in := &bd.graph.Insns[i]
	p.ops[k] = append(p.ops[k], flow.Opcode(bd.arch, bd.image.Bytes(in.Addr, int(in.Len))))
}

func overlap(a, b map[rowKey]int) bool {
	for k := range a {
		if _, both := b[k]; both {
			return true
		}
	}
	return false
}

// effect tells whether an instruction does what the compiler may not move or
// leave out. A nop with a row of its own is inline assembly.
func (bd *body) effect(i int32) bool {
	in := &bd.graph.Insns[i]
	if in.Nop {
		return bd.lines != nil && bd.hasRow(int(i))
	}
	return flow.Effect(bd.arch, in, bd.image.Bytes(in.Addr, int(in.Len)))
}

// effects tells whether an instruction of a region has an effect.
func (bd *body) effects(r *region) bool {
	for _, i := range r.list {
		if bd.effect(i) {
			return true
		}
	}
	return false
}

// innermost gives for every instruction the innermost copy it belongs to, -1
// for the body itself.
func (bd *body) innermost() []int32 {
	if bd.inner != nil {
		return bd.inner
	}
	bd.inner = make([]int32, len(bd.graph.Insns))
	for i := range bd.inner {
		bd.inner[i] = -1
	}
	for c := bd.fn.FirstCopy; c < bd.fn.EndCopy; c++ { // children follow their parent
		for _, rg := range bd.owner.data.Copy(c).Ranges {
			i := sort.Search(len(bd.inner), func(i int) bool { return bd.graph.Insns[i].Addr >= rg.Low })
			for ; i < len(bd.inner) && bd.graph.Insns[i].Addr < rg.High; i++ {
				bd.inner[i] = c
			}
		}
	}
	return bd.inner
}
