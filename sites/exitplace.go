package sites

import (
	"slices"

	"github.com/surehook/surehook/flow"
)

// exitPoint is where ends of executions are counted.
type exitPoint struct {
	point
	owner int32 // the copy that ends, or one of those that end there
	wait  int32 // the call or jump that is still to come back, -1 if there is none
}

// exitPlaces are the points of one body. No two are alike: inlined recursion
// ends several executions at a time, each counted at an instruction of its own.
type exitPlaces struct {
	bd     *body
	points []exitPoint
	lost   []exit // cannot be told from another way
	shared []exit // end where another does, and cannot be counted apart
}

// add places exits, each to be counted exactly once: the dual of place.
func (p *exitPlaces) add(exits []exit) {
	byTarget := map[int32][]exit{}
	var order []int32
	for _, x := range exits {
		if x.to == leaves {
			p.atEnd(x)
			continue
		}
		if _, ok := byTarget[x.to]; !ok {
			order = append(order, x.to)
		}
		byTarget[x.to] = append(byTarget[x.to], x)
	}
	for _, v := range order {
		p.into(v, byTarget[v])
	}
}

// into places the exits that lead to one instruction.
func (p *exitPlaces) into(v int32, exits []exit) {
	ways := len(p.bd.graph.Pred(v))
	if p.bd.isRoot(v) {
		ways++
	}
	apart, clean := p.apart(exits)
	if ways == len(exits) {
		one := !slices.ContainsFunc(exits, func(x exit) bool { return x.owner != exits[0].owner })
		if at, ok := p.bd.forward(v); ok && (one || !clean) {
			p.keep(exitPoint{point{insn: at}, exits[0].owner, -1}, exits[0])
			return
		}
	}
	for i, pt := range apart {
		if pt.insn < 0 {
			p.lost = append(p.lost, exits[i])
			continue
		}
		p.keep(pt, exits[i])
	}
}

// apart places exits each at its source, and tells whether all could be and
// none at a call that has yet to come back. insn is -1 where it could not.
func (p *exitPlaces) apart(exits []exit) (out []exitPoint, clean bool) {
	clean = true
	for _, x := range exits {
		at, ok := p.bd.onEdge(entryEdge{x.from, x.to})
		if !ok {
			at.insn, ok = p.bd.callBefore(x.from)
		}
		if !ok {
			at.insn = -1
		}
		pt := exitPoint{at, x.owner, -1}
		if ok && p.bd.isCall(at.insn) {
			pt.wait = at.insn
		}
		clean = clean && ok && pt.wait < 0
		out = append(out, pt)
	}
	return out, clean
}

// callBefore finds the call after which only instructions come, up to u and
// one after the other, that cannot be probed: padding.
func (bd *body) callBefore(u int32) (int32, bool) {
	for n := 0; u >= 0 && n < maxLead; n++ {
		pred := bd.graph.Pred(u)
		if len(bd.graph.Succ(u)) != 1 || len(pred) != 1 || bd.isRoot(u) {
			break
		}
		u = pred[0].From
		if bd.isCall(u) {
			return u, true
		}
	}
	return 0, false
}

// atEnd places an exit out of the function.
func (p *exitPlaces) atEnd(x exit) {
	in := p.bd.graph.Insns[x.from]
	pt := exitPoint{point{insn: x.from}, x.owner, -1}
	if in.Kind == flow.CondJump {
		pt.cond = in.Cond
	}
	if in.Kind != flow.Return {
		pt.wait = x.from
	}
	if p.bd.hazard(x.from) {
		before, ok := p.bd.backward(x.from)
		if !ok || in.Kind == flow.CondJump {
			p.lost = append(p.lost, x)
			return
		}
		pt.insn = before
	}
	p.keep(pt, x)
}

// maxNeighbours bounds how far a point is moved from one like it: so deep, in
// instructions, is recursion that the compiler inlines into itself.
const maxNeighbours = 64

// keep adds a point, at another instruction that is executed as often if there
// is one like it.
func (p *exitPlaces) keep(pt exitPoint, x exit) {
	if !p.taken(pt.point) {
		p.points = append(p.points, pt)
		return
	}
	if pt.cond.Op == flow.Always {
		for _, step := range []func(int32) (int32, bool){p.bd.stepBack, p.bd.stepOn} {
			at, ok := step(pt.insn)
			for n := 0; ok && (p.taken(point{insn: at}) || p.bd.hazard(at)); n++ {
				if at, ok = step(at); n == maxNeighbours {
					ok = false
				}
			}
			if ok {
				pt.insn = at
				p.points = append(p.points, pt)
				return
			}
		}
	}
	p.shared = append(p.shared, x)
}

func (p *exitPlaces) taken(at point) bool {
	return slices.ContainsFunc(p.points, func(o exitPoint) bool { return o.point == at })
}

// stepBack gives the instruction before i, if both are executed equally often.
func (bd *body) stepBack(i int32) (int32, bool) {
	pred := bd.graph.Pred(i)
	if len(pred) != 1 || bd.isRoot(i) || bd.isCall(pred[0].From) || len(bd.graph.Succ(pred[0].From)) != 1 {
		return 0, false
	}
	return pred[0].From, true
}

// stepOn gives the instruction after i, if both are executed equally often.
func (bd *body) stepOn(i int32) (int32, bool) {
	succ := bd.graph.Succ(i)
	if len(succ) != 1 || bd.isCall(i) || bd.isRoot(succ[0].To) || len(bd.graph.Pred(succ[0].To)) != 1 {
		return 0, false
	}
	return succ[0].To, true
}
