package sites

import (
	"slices"

	"github.com/surehook/surehook/flow"
)

// markedEdges chooses the entry edges of a copy whose beginnings the line
// table marks. The flow decides which ways into the marked instruction begin
// an execution: a loop at the head of the copy comes back to the same
// instruction, and a continuation of another copy may join it there.
func (bd *body) markedEdges(v *copyView, views []*copyView, r *copyResult) []entryEdge {
	var out []entryEdge
	for _, m := range v.markers {
		if m.rows > 1 {
			r.doubt(ReasonMerged, "two executions may begin at "+hex(bd.graph.Insns[m.insn].Addr))
		}
		if bd.strayed(v, m) {
			r.doubt(ReasonEvidence, "the row at "+hex(bd.graph.Insns[m.insn].Addr)+" that marks the beginning stands before a branch that may lead past the copy")
		}
		out = append(out, bd.intoMarker(v, views, m)...)
	}
	return append(out, bd.unmarkedEdges(v, views, r)...)
}

// unmarkedEdges finds ways into a marked copy that pass none of its marks:
// paths on which jump threading skipped the copy's first statement, row and all.
func (bd *body) unmarkedEdges(v *copyView, views []*copyView, r *copyResult) []entryEdge {
	begun := bd.begun(v)
	free := bd.unmarked(v)
	var out []entryEdge
	for _, e := range bd.entries(v.region) {
		if begun[e.to] {
			switch {
			case e.from < 0 || !free[e.from] || v.marks(e.to) || !bd.isHead(v.region, e.to, begun):
			case !inAnother(v, views, e):
				out = append(out, e)
			case bd.statements()[e.to]:
				r.doubt(ReasonEvidence, "another copy leads into this one at "+hex(bd.graph.Insns[e.to].Addr)+", where no beginning is marked")
			}
			continue
		}
		ahead := &region{in: make([]bool, len(v.region.in))}
		for i, in := range v.region.in {
			// A branch of the caller decides whether the copy is executed:
			// what stands before it was hoisted.
			ahead.in[i] = in && !begun[i] && !(v.region.hole[i] && len(bd.graph.Succ(int32(i))) > 1)
		}
		if bd.meets(ahead, e.to, begun, v.markers) {
			out = append(out, e)
		}
	}
	return out
}

// inAnother tells whether an edge comes from another copy of the function:
// cross-jumping made one end of two executions that began before.
func inAnother(v *copyView, views []*copyView, e entryEdge) bool {
	return slices.ContainsFunc(views, func(o *copyView) bool {
		return o != v && !o.split && o.region.in[e.from] && !o.region.in[e.to]
	})
}

// unmarked marks the instructions that can be reached without passing the copy
// or one of its marks.
func (bd *body) unmarked(v *copyView) []bool {
	avoid := slices.Clone(v.region.in)
	for _, m := range v.markers {
		avoid[m.insn] = true
	}
	return bd.reach(bd.roots, avoid)
}

// marks tells whether an instruction is a marked beginning of the copy.
func (v *copyView) marks(i int32) bool {
	return slices.ContainsFunc(v.markers, func(m marker) bool { return m.insn == i })
}

// isHead tells whether most of a copy is still ahead of an instruction: code
// shared there is its beginning. Near the end it is a common way out.
func (bd *body) isHead(r *region, from int32, begun []bool) bool {
	ahead, all := 0, 0
	for i, seen := range bd.reachInside(r, from) {
		if begun[i] {
			all++
			if seen {
				ahead++
			}
		}
	}
	return 2*ahead > all
}

// meets tells whether code ahead of a copy's marks leads to the copy's
// further code without passing a mark.
func (bd *body) meets(ahead *region, from int32, begun []bool, marks []marker) bool {
	for i, seen := range bd.reachInside(ahead, from) {
		if !seen {
			continue
		}
		for _, e := range bd.graph.Succ(int32(i)) {
			if begun[e.To] && !slices.ContainsFunc(marks, func(m marker) bool { return m.insn == e.To }) {
				return true
			}
		}
	}
	return false
}

// intoMarker lists the ways into one marked instruction that begin an
// execution.
func (bd *body) intoMarker(v *copyView, views []*copyView, m marker) []entryEdge {
	all := bd.allInto(m.insn)
	if outer, ok := bd.outerEdges(v, m); ok {
		all = outer
	}
	again := bd.reachInside(v.region, m.insn)
	begun := bd.begun(v)
	var sure, perhaps []entryEdge
	for _, e := range all {
		switch {
		case e.from < 0 || !v.region.in[e.from]:
			if !bd.joins(v, views, e) {
				sure = append(sure, e)
			}
		case !begun[e.from]:
			// Code of the copy that was moved ahead of its beginning.
			sure = append(sure, e)
		case !again[e.from]:
			perhaps = append(perhaps, e)
		case bd.passes(e) || bd.callsAgain(v, m, e):
			sure = append(sure, e)
		}
	}
	// Ways from inside the copy that are no loop: with others from outside
	// they continue what began before; alone they are the next of several
	// unrolled executions, which share one record.
	if len(sure) == 0 {
		return perhaps
	}
	return sure
}

// passes tells whether control falls through to an instruction, and so passes
// the mark in front of it. A jump may lead behind the mark.
func (bd *body) passes(e entryEdge) bool {
	k := bd.graph.Insns[e.from].Kind
	return e.from == e.to-1 && len(bd.graph.Pred(e.to)) == 1 && k != flow.Jump && k != flow.IndirectJump
}

// outerEdges gives the ways into an instruction at which the copy that encloses
// v begins too: an execution of v is one of those of the encloser, in which a
// continuation that joins there is told from a beginning.
func (bd *body) outerEdges(v *copyView, m marker) ([]entryEdge, bool) {
	p := v.copy.Parent
	if p < 0 {
		return nil, false
	}
	f := bd.owner.index.ofRoot(bd.owner.data.Copy(p).Origin)
	if f == nil {
		return nil, false
	}
	views, _ := bd.owner.views(bd, f)
	for _, o := range views {
		if o.index != p || o.split {
			continue
		}
		for _, om := range o.markers {
			if om.insn == m.insn {
				return bd.withLoops(o, m, bd.intoMarker(o, views, om)), true
			}
		}
	}
	return nil, false
}

// withLoops adds the ways by which a loop of the encloser comes back to the
// instruction: no beginning of the encloser, but of what it calls there.
func (bd *body) withLoops(o *copyView, m marker, edges []entryEdge) []entryEdge {
	again := bd.reachInside(o.region, m.insn)
	for _, e := range bd.allInto(m.insn) {
		if e.from >= 0 && again[e.from] && !slices.Contains(edges, e) {
			edges = append(edges, e)
		}
	}
	return edges
}

// begun marks the instructions of a copy that an execution reaches after one
// of its marked beginnings.
func (bd *body) begun(v *copyView) []bool {
	var from []int32
	for _, m := range v.markers {
		if i, ok := bd.ahead(v, m.insn); ok {
			from = append(from, i)
		}
	}
	return bd.reachInside(v.region, from...)
}

// reachInside marks what can be reached from instructions within a region.
func (bd *body) reachInside(r *region, from ...int32) []bool {
	seen := make([]bool, len(bd.graph.Insns))
	todo := append([]int32(nil), from...)
	for _, i := range from {
		seen[i] = true
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range bd.graph.Succ(i) {
			if r.in[e.To] && !seen[e.To] {
				seen[e.To] = true
				todo = append(todo, e.To)
			}
		}
	}
	return seen
}

// joins tells whether an edge brings an execution that another copy of the
// same function already began: cross-jumping leaves of that copy only its
// first rows and a jump to the same code here. Two calls in a row look alike,
// but there the first copy has code of its own.
func (bd *body) joins(v *copyView, views []*copyView, e entryEdge) bool {
	if e.from < 0 {
		return false
	}
	for _, o := range views {
		if o == v || o.split || !o.region.in[e.from] || len(o.markers) == 0 {
			continue
		}
		if bd.isStub(o, e.from) {
			return true
		}
	}
	return false
}

// maxStub is how many instructions a cross-jumped copy may keep: what is
// scheduled with its jump.
const maxStub = 4

// isStub tells whether a copy is nothing but a jump to somewhere else: no
// call, no statement after those at its beginning.
func (bd *body) isStub(o *copyView, end int32) bool {
	if o.region.size > maxStub || bd.graph.Insns[end].Kind != flow.Jump {
		return false
	}
	stmt := bd.statements()
	first := o.markers[0].insn
	for i := range bd.graph.Insns {
		k := int32(i)
		if o.region.in[k] && (bd.isCall(k) || stmt[k] && k != first) {
			return false
		}
	}
	return true
}
