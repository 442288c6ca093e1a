package sites

import "github.com/surehook/surehook/flow"

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
		out = append(out, bd.intoMarker(v, views, m)...)
	}
	return out
}

// intoMarker lists the ways into one marked instruction that begin an
// execution.
func (bd *body) intoMarker(v *copyView, views []*copyView, m marker) []entryEdge {
	all := bd.allInto(m.insn)
	again := bd.reachInside(v.region, m.insn)
	begun := bd.begun(v)
	var sure, perhaps []entryEdge
	for _, e := range all {
		switch {
		case e.from < 0 || !v.region.in[e.from]:
			if !bd.joins(v, views, e, m) {
				sure = append(sure, e)
			}
		case !begun[e.from]:
			// Code of the copy that was moved ahead of its beginning.
			sure = append(sure, e)
		case !again[e.from]:
			perhaps = append(perhaps, e)
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

// begun marks the instructions of a copy that an execution reaches after one
// of its marked beginnings.
func (bd *body) begun(v *copyView) []bool {
	var from []int32
	for _, m := range v.markers {
		if v.region.in[m.insn] {
			from = append(from, m.insn)
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
func (bd *body) joins(v *copyView, views []*copyView, e entryEdge, m marker) bool {
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
