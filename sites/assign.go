package sites

import (
	"slices"

	"github.com/surehook/surehook/flow"
)

// assign gives the rows at one instruction to the copies that begin there, and
// returns them when there is none. Copies recorded to begin there (DW_AT_entry_pc
// is the label of such a row) come first, each with one row: of calls side by
// side the first may have hardly an instruction left. The row of a continuation
// says nothing.
func (bd *body) assign(views []*copyView, m marker) []marker {
	addr := bd.graph.Insns[m.insn].Addr
	var begin []*copyView
	rows := m.rows
	for _, v := range views {
		switch {
		case !v.copy.HasEntry || v.copy.EntryPC != addr:
		case v.split:
			rows--
		default:
			begin = append(begin, v)
		}
	}
	switch {
	case len(begin) > 0:
		bd.share(begin, m.insn, rows)
		return nil
	case rows <= 0:
		return nil
	}
	v := ownerOf(views, m.insn)
	if v == nil {
		v = bd.leadsInto(views, m.insn)
	}
	if v == nil {
		return []marker{{m.insn, rows}}
	}
	v.markers = append(v.markers, marker{m.insn, max(1, rows-bd.splitsIn(views, v))})
	return nil
}

// strayed tells whether a copy's row stands where scheduling moved it, before a
// branch that may lead past the copy: hits there may be no executions.
func (bd *body) strayed(v *copyView, m marker) bool {
	if v.region.size == 0 || v.region.in[m.insn] {
		return false
	}
	_, straight := bd.ahead(v, m.insn)
	return !straight && !bd.certain(m.insn, v.region)
}

// share gives copies recorded to begin at one instruction a row each, as far
// as they begin there whenever control comes there. What holds the instruction
// does; of the others every way on must lead to their code: rows of code that
// was removed or moved up stand where it is not certain to be executed.
func (bd *body) share(begin []*copyView, i int32, rows int) {
	holds := func(v *copyView) bool { return v.region.in[i] }
	slices.SortStableFunc(begin, func(a, b *copyView) int { return compareBool(holds(b), holds(a)) })
	for k, v := range begin {
		if k > 0 && (rows <= 0 || !bd.certain(i, v.region) || bd.crossJumped(begin[0], v)) {
			break
		}
		v.markers = append(v.markers, marker{i, 1})
		rows--
	}
	if rows > 0 { // of calls that nothing is left of, or a statement written at the declaration
		first := begin[0].markers
		first[len(first)-1].rows += rows
	}
}

// crossJumped tells whether two copies that begin at one instruction are the
// halves of one: tail merging left each statement to one of them. Of copies side
// by side each has its own, or of one only an operation is left.
func (bd *body) crossJumped(a, b *copyView) bool {
	file := bd.owner.data.Func(a.copy.Origin).DeclFile
	first, second := bd.saidIn(a.region, file), bd.saidIn(b.region, file)
	both := 0 // threaded jumps leave some statements to each
	for p := range second {
		if first[p] {
			both++
		}
	}
	return len(first) > 0 && len(second) > 0 && 2*both < min(len(first), len(second))
}

// joined tells whether all ways into an unmarked copy come from marked ones
// that it is the other half of.
func (bd *body) joined(v *copyView, views []*copyView, edges []entryEdge) bool {
	for _, e := range edges {
		half := slices.ContainsFunc(views, func(o *copyView) bool {
			return e.from >= 0 && o != v && !o.split && len(o.markers) > 0 && o.region.in[e.from] && !o.region.in[e.to] && bd.crossJumped(o, v)
		})
		if !half {
			return false
		}
	}
	return len(edges) > 0
}

// saidIn lists the places in a source file whose statements a region holds.
func (bd *body) saidIn(r *region, file string) map[place]bool {
	out := map[place]bool{}
	for _, rg := range bd.fn.Ranges {
		for _, row := range bd.lines.Between(rg.Low, rg.High) {
			if i, ok := bd.graph.At(row.Addr); ok && r.in[i] && row.IsStmt && !row.EndSeq && bd.fileOf(row) == file {
				out[place{file, int(row.Line), int(row.Column)}] = true
			}
		}
	}
	return out
}

// certain tells whether every way on from an instruction leads through the
// region, but for those that never return.
func (bd *body) certain(i int32, r *region) bool {
	if r.size == 0 {
		return false
	}
	if r.in[i] {
		return true
	}
	seen := bd.reach([]int32{i}, r.in)
	for k, passed := range seen {
		if !passed {
			continue
		}
		in := &bd.graph.Insns[k]
		succ := bd.graph.Succ(int32(k))
		if len(succ) == 0 && !in.NoReturn && in.Kind != flow.Trap {
			return false
		}
		if slices.ContainsFunc(succ, func(e flow.Edge) bool { return e.To == i }) {
			return false
		}
	}
	return true
}

// splitsIn counts the continuations inside a copy: their rows are threaded
// together with that of the copy.
func (bd *body) splitsIn(views []*copyView, v *copyView) int {
	n := 0
	for _, o := range views {
		if !o.split {
			continue
		}
		for p := o.copy.Parent; p >= 0; p = bd.owner.data.Copy(p).Parent {
			if p == v.index {
				n++
			}
		}
	}
	return n
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// leadsInto finds the copy that an inline entry row stands just before: the
// first of its instructions that is left follows one of the caller.
func (bd *body) leadsInto(views []*copyView, i int32) *copyView {
	for n := 0; n < maxLead; n++ {
		for _, v := range views {
			if v.region.in[i] && !v.split {
				return v
			}
		}
		next, ok := bd.only(i)
		if !ok {
			return nil
		}
		i = next
	}
	return nil
}

// ahead gives the first instruction of a copy at or soon after i.
func (bd *body) ahead(v *copyView, i int32) (int32, bool) {
	for n := 0; n < maxLead; n++ {
		if v.region.in[i] {
			return i, true
		}
		next, ok := bd.only(i)
		if !ok {
			break
		}
		i = next
	}
	return 0, false
}

// only gives the one instruction that follows i, if it is one.
func (bd *body) only(i int32) (int32, bool) {
	succ := bd.graph.Succ(i)
	if len(succ) != 1 || succ[0].Kind == flow.Table {
		return 0, false
	}
	return succ[0].To, true
}

// maxLead bounds how far an inline entry row may stand before the first
// instruction of its copy: scheduling moves by a few, not by pages.
const maxLead = 12
