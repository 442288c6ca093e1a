package sites

import (
	"cmp"
	"slices"

	"github.com/surehook/surehook/flow"
)

// maxDeadEnd bounds, in instructions, the code that is looked through for a
// call that never returns: what prepares an error message and raises it.
const maxDeadEnd = 128

// deadEnd gives the calls (instructions) in which everything ends that goes on
// at v: none of them comes back, and nothing else is reached. It gives one at least.
func (bd *body) deadEnd(v int32) (ends []int32, dead bool) {
	g := bd.graph
	state := map[int32]int8{} // 1: on the way, 2: done
	var walk func(i int32) bool
	walk = func(i int32) bool {
		switch {
		case state[i] == 1 || len(state) > maxDeadEnd:
			return false // a loop may go on for ever
		case state[i] == 2:
			return true
		}
		state[i] = 1
		in := &g.Insns[i]
		switch {
		case in.Kind == flow.Trap, in.NoReturn:
			ends = append(ends, i)
		case in.Kind == flow.Jump && slices.Contains(g.Out, i) && !bd.leavesFunction(i):
			ends = append(ends, i)
		case len(g.Succ(i)) == 0:
			return false
		}
		for _, e := range g.Succ(i) {
			if !walk(e.To) {
				return false
			}
		}
		state[i] = 2
		return len(g.Succ(i)) > 0 || in.Kind != flow.CondJump
	}
	if !walk(v) {
		return nil, false
	}
	return ends, true
}

// raises gives the targets of the calls that never return in the code of f.
func (b *Binary) raises(f *function) map[uint64]bool {
	out := map[uint64]bool{}
	add := func(g *flow.Graph, from, to uint64) {
		i, _ := slices.BinarySearchFunc(g.Insns, from, func(in flow.Insn, a uint64) int { return cmp.Compare(in.Addr, a) })
		for ; i < len(g.Insns) && g.Insns[i].Addr < to; i++ {
			if g.Insns[i].NoReturn || g.Insns[i].Kind == flow.Trap {
				out[g.Insns[i].Target] = true
			}
		}
	}
	for _, c := range f.copies {
		if bd := b.bodyOf(b.data.Copy(c).Func); bd.err == nil {
			for _, r := range b.covered(c) {
				add(bd.graph, r.Low, r.High)
			}
		}
	}
	for _, ref := range f.bodies {
		if ref.die < 0 {
			continue
		}
		if bd := b.bodyOf(ref.die); bd.err == nil {
			for _, r := range bd.fn.Ranges {
				add(bd.graph, r.Low, r.High)
			}
		}
	}
	return out
}

// returning leaves out the exits that lead to nothing but calls that never
// return, where these are the copy's own end: compilers merge such calls of
// several places into one. What the caller does after a return may look the
// same, and does where no way out of a copy leads to anything else.
func (en *ending) returning(exits []exit, raises map[uint64]bool) (kept, doubtful []exit) {
	dead := make([][]int32, len(exits))
	alive := map[int32]bool{} // copies
	for i, x := range exits {
		if x.to != leaves {
			dead[i], _ = en.bd.deadEnd(x.to)
		}
		alive[x.owner] = alive[x.owner] || len(dead[i]) == 0
	}
	for i, x := range exits {
		own, callers := false, true
		for _, at := range dead[i] {
			own = own || raises[en.bd.graph.Insns[at].Target]
			callers = callers && en.bd.ofCaller(at, x.owner)
		}
		switch {
		case len(dead[i]) == 0, callers && !own, !alive[x.owner] && !own:
			kept = append(kept, x)
		case own && !callers:
		default:
			doubtful = append(doubtful, x)
			if callers {
				kept = append(kept, x)
			}
		}
	}
	return kept, doubtful
}

// ofCaller tells whether an instruction is recorded as code of what encloses
// the copy, with a line.
func (bd *body) ofCaller(i, copy int32) bool {
	if bd.lines == nil || bd.lineAt()[i] == 0 || bd.lineAt()[i] == noLine {
		return false
	}
	d := bd.owner.data
	innermost := int32(-1)
	for c := bd.fn.FirstCopy; c < bd.fn.EndCopy; c++ {
		if inRanges(d.Copy(c).Ranges, bd.graph.Insns[i].Addr) {
			innermost = c // a parent comes before its children
		}
	}
	for up := d.Copy(copy).Parent; ; up = d.Copy(up).Parent {
		if up == innermost {
			return true
		}
		if up < 0 {
			return false
		}
	}
}
