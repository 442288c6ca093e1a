package sites

import (
	"sort"

	"github.com/surehook/surehook/elfbin"
)

// region is a set of instructions of one graph: an inlined copy, nested
// copies included.
type region struct {
	in   []bool
	hole []bool // of those: not the copy's own, see fillHoles
	size int
	list []int32 // the instructions of the region, in the order they were added
}

// regionOf marks the instructions that begin in any of the ranges.
func (bd *body) regionOf(ranges []elfbin.Range) *region {
	insns := bd.graph.Insns
	r := &region{in: make([]bool, len(insns)), hole: make([]bool, len(insns))}
	for _, rg := range ranges {
		i := sort.Search(len(insns), func(i int) bool { return insns[i].Addr >= rg.Low })
		for head := true; i < len(insns) && insns[i].Addr < rg.High; i++ {
			head = head && bd.lineless(i)
			if !r.in[i] && !bd.padding(i) && (head || !bd.lineless(i)) {
				r.in[i] = true
				r.list = append(r.list, int32(i))
				r.size++
			}
		}
	}
	return r
}

// padding tells whether an instruction is alignment, which belongs to nobody:
// clang begins a copy at the alignment before its loop, which the loop never
// executes. A nop of the program's own has a statement or, from GCC, at least a
// row of its own: link-time optimisation loses statements, and the assembler's
// padding continues the row before it.
func (bd *body) padding(i int) bool {
	if !bd.graph.Insns[i].Nop {
		return false
	}
	return bd.lines == nil || !bd.statements()[i] && !bd.hasRow(i)
}

// hasRow tells whether a row of the line table begins at the instruction.
func (bd *body) hasRow(i int) bool {
	row, ok := bd.lines.At(bd.graph.Insns[i].Addr)
	return ok && row.Addr == bd.graph.Insns[i].Addr
}

// lineless tells whether LLVM gave an instruction no line. Its ranges run on
// over such code, whoever's it is; only at the beginning of a range it is the
// copy's for sure. What else belongs to the copy comes back in fillHoles.
func (bd *body) lineless(i int) bool {
	return bd.lines != nil && !bd.marks && bd.lineAt()[i] == 0
}

// entryEdge is one way into a region. from is -1 where control comes in from
// outside the graph (the function's entry, a label).
type entryEdge struct{ from, to int32 }

// entries finds the edges along which a region is entered from outside
// (docs/architecture.md, "Where an inlined copy begins", rule 1).
//
// An edge is an entry when its source can be reached without passing the
// region; the targets of these are the start points. A loop in the caller
// comes back to a start point from code that only the region leads to: an
// entry too. Any other edge from outside comes out of a hole that scheduling
// left in the region, and is none.
func (bd *body) entries(r *region) []entryEdge {
	g := bd.graph
	outside := bd.reach(bd.roots, r.in)
	var out []entryEdge
	start := map[int32]bool{}
	for _, root := range bd.roots {
		if r.in[root] {
			out = append(out, entryEdge{-1, root})
			start[root] = true
		}
	}
	var later []entryEdge
	for i := range g.Insns {
		if r.in[i] {
			continue
		}
		for _, e := range g.Succ(int32(i)) {
			if !r.in[e.To] {
				continue
			}
			if outside[i] {
				out = append(out, entryEdge{e.From, e.To})
				start[e.To] = true
			} else {
				later = append(later, entryEdge{e.From, e.To})
			}
		}
	}
	return append(out, bd.loops(later, start)...)
}

// loops keeps the edges by which a loop of the caller comes back to a start
// point: those whose source the start point leads to. Others come from a hole
// on the way from another start point.
func (bd *body) loops(later []entryEdge, start map[int32]bool) []entryEdge {
	none := make([]bool, len(bd.graph.Insns))
	from := map[int32][]bool{}
	var out []entryEdge
	for _, e := range later {
		if !start[e.to] {
			continue
		}
		if from[e.to] == nil {
			from[e.to] = bd.reach([]int32{e.to}, none)
		}
		if from[e.to][e.from] {
			out = append(out, e)
		}
	}
	return out
}

// reach marks what can be reached from the roots without stepping on avoid.
func (bd *body) reach(roots []int32, avoid []bool) []bool {
	seen := make([]bool, len(bd.graph.Insns))
	var todo []int32
	push := func(i int32) {
		if !seen[i] && !avoid[i] {
			seen[i] = true
			todo = append(todo, i)
		}
	}
	for _, i := range roots {
		push(i)
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range bd.graph.Succ(i) {
			push(e.To)
		}
	}
	return seen
}
