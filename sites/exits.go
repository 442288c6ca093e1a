package sites

import (
	"cmp"
	"slices"

	"github.com/surehook/surehook/flow"
)

// exit is one way along which an execution of an inlined copy ends: an edge
// out of its code or, where to is negative, the instruction from itself, at
// which the function around it ends.
type exit struct {
	from, to int32
	owner    int32 // index in Data.Copies of the copy that ends
}

// leaves stands for the other end of an exit out of the function.
const leaves = -1

// ending finds where executions of the copies of one function in one body end.
// The copies are not nested in each other, so that at most one execution of
// them is under way at a time.
type ending struct {
	bd    *body
	views []*copyView
	begin map[entryEdge]int32 // the edges along which an execution begins, with the copy
	both  []entryEdge         // of those: along which two begin
	pure  []bool              // only reached after a beginning
	core  []bool              // of the pure: the copies' own code
	in    []bool              // the core and what leads back to it
	early []int32             // instructions of copies that are executed without them too
}

// newEnding delimits the executions that begin along the edges of the results.
//
// Every way from a beginning leaves the set in exactly once: what can be
// reached without a beginning is not in it, and of the rest all that leads
// back to the copies' own code is (docs/architecture.md, "Where an inlined
// copy ends").
func (bd *body) newEnding(views []*copyView, results []copyResult) *ending {
	en := &ending{bd: bd, views: views, begin: map[entryEdge]int32{}}
	for i := range results {
		for _, e := range results[i].edges {
			if other, again := en.begin[e]; again && other != results[i].copy {
				en.both = append(en.both, e)
			}
			en.begin[e] = results[i].copy
		}
	}
	var idle, begun []int32
	for e := range en.begin {
		begun = append(begun, e.to)
	}
	for _, root := range bd.roots {
		switch _, begins := en.begin[entryEdge{leaves, root}]; {
		case begins:
		case root != bd.graph.Entry && en.holds(root):
			begun = append(begun, root) // a handler of the copy's own
		default:
			idle = append(idle, root)
		}
	}
	without := en.reach(idle)
	en.pure = en.reach(begun)
	for i := range en.pure {
		en.pure[i] = en.pure[i] && !without[i]
	}
	en.findCore()
	en.in = en.leadsBack()
	return en
}

// holds tells whether an instruction is in one of the copies.
func (en *ending) holds(i int32) bool {
	return slices.ContainsFunc(en.views, func(v *copyView) bool { return v.region.in[i] })
}

// reach marks what can be reached from instructions along edges with which no
// execution begins.
func (en *ending) reach(from []int32) []bool {
	seen := make([]bool, len(en.bd.graph.Insns))
	var todo []int32
	push := func(i int32) {
		if !seen[i] {
			seen[i] = true
			todo = append(todo, i)
		}
	}
	for _, i := range from {
		push(i)
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range en.bd.graph.Succ(i) {
			if !en.begins(e) {
				push(e.To)
			}
		}
	}
	return seen
}

func (en *ending) begins(e flow.Edge) bool {
	_, yes := en.begin[entryEdge{e.From, e.To}]
	return yes
}

// findCore marks the code of the copies that is executed between a beginning
// and the end. Not so what scheduling moved ahead of the beginning, and what
// it left behind without a statement, past code of the caller.
func (en *ending) findCore() {
	en.core = make([]bool, len(en.bd.graph.Insns))
	for _, v := range en.views {
		inner := en.inner(v)
		own, ahead := en.own(v), en.ahead(v)
		for i, in := range v.region.in {
			switch {
			case !in:
			case en.pure[i]:
				en.core[i] = en.core[i] || inner[i] || own[i] && !ahead[i]
			case inner[i]:
				en.early = append(en.early, int32(i))
			}
		}
	}
}

// own marks the code of a copy that was not left behind: runs of instructions
// that hold a statement, a call, or the function's end.
func (en *ending) own(v *copyView) []bool {
	bd := en.bd
	out := slices.Clone(bd.stated(v.region).in)
	for i := 0; i < len(out); i++ {
		if !v.region.in[i] || !bd.isCall(int32(i)) && !bd.leavesFunction(int32(i)) {
			continue
		}
		for k := i; k >= 0 && v.region.in[k]; k-- {
			out[k] = true
		}
		for ; i < len(out) && v.region.in[i]; i++ {
			out[i] = true
		}
	}
	return out
}

// inner marks what the beginnings of a copy lead to inside of it.
func (en *ending) inner(v *copyView) []bool {
	var from []int32
	for e, owner := range en.begin {
		if owner == v.index {
			if i, ok := en.bd.ahead(v, e.to); ok {
				from = append(from, i)
			}
		}
	}
	seen := make([]bool, len(en.core))
	for len(from) > 0 {
		i := from[len(from)-1]
		from = from[:len(from)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		for _, e := range en.bd.graph.Succ(i) {
			if v.region.in[e.To] && !en.begins(e) {
				from = append(from, e.To)
			}
		}
	}
	return seen
}

// ahead marks the code of a copy that leads, inside of it, to a beginning.
func (en *ending) ahead(v *copyView) []bool {
	g := en.bd.graph
	seen := make([]bool, len(en.core))
	var todo []int32
	for e := range en.begin {
		if e.from >= 0 && v.region.in[e.from] {
			todo = append(todo, e.from)
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if seen[i] {
			continue
		}
		seen[i] = true
		for _, e := range g.Pred(i) {
			if v.region.in[e.From] && !en.begins(e) {
				todo = append(todo, e.From)
			}
		}
	}
	return seen
}

// leadsBack marks the core and the pure code that comes to it before anything
// else begins: holes that scheduling left.
func (en *ending) leadsBack() []bool {
	in := slices.Clone(en.core)
	var todo []int32
	for i, core := range in {
		if core {
			todo = append(todo, int32(i))
		}
	}
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		for _, e := range en.bd.graph.Pred(i) {
			if !in[e.From] && en.pure[e.From] && !en.begins(e) {
				in[e.From] = true
				todo = append(todo, e.From)
			}
		}
	}
	return in
}

// exits lists the ways out, each once. twice are edges along which two
// executions end: one, and another of which nothing is left.
func (en *ending) exits() (out []exit, twice []entryEdge) {
	g := en.bd.graph
	back := en.unthrown()
	for i, in := range en.in {
		u := int32(i)
		if !in || !back[i] {
			continue
		}
		for _, e := range g.Succ(u) {
			if e.Kind != flow.Unwind && (!en.in[e.To] || en.begins(e)) {
				out = append(out, exit{u, e.To, en.ownerOf(u)})
			}
		}
		if en.bd.leavesFunction(u) {
			out = append(out, exit{u, leaves, en.ownerOf(u)})
		}
	}
	for e, owner := range en.begin {
		switch {
		case en.in[e.to]:
		case e.from >= 0 && en.in[e.from]:
			twice = append(twice, e)
		default:
			out = append(out, exit{e.from, e.to, owner})
		}
	}
	slices.SortFunc(twice, func(a, b entryEdge) int { return cmp.Or(cmp.Compare(a.to, b.to), cmp.Compare(a.from, b.from)) })
	slices.SortFunc(out, func(a, b exit) int { return cmp.Or(cmp.Compare(a.from, b.from), cmp.Compare(a.to, b.to)) })
	return out, twice
}

// leavesFunction tells whether control may leave the function at i: by a
// return or a jump to another function.
func (bd *body) leavesFunction(i int32) bool {
	switch bd.graph.Insns[i].Kind {
	case flow.Return:
		return true
	case flow.Jump:
		return slices.Contains(bd.graph.Out, i) && !bd.owner.neverReturns(bd.graph.Insns[i].Target)
	case flow.CondJump:
		return slices.Contains(bd.graph.Out, i)
	case flow.IndirectJump:
		return slices.Contains(bd.graph.Tails, i)
	}
	return false
}

// ownerOf finds the copy that ends when control leaves at i: the smallest that
// holds it or, in a hole, what leads to it.
func (en *ending) ownerOf(i int32) int32 {
	seen := map[int32]bool{i: true}
	for todo := []int32{i}; len(todo) > 0; todo = todo[1:] {
		var best *copyView
		for _, v := range en.views {
			if v.region.in[todo[0]] && (best == nil || v.region.size < best.region.size) {
				best = v
			}
		}
		if best != nil {
			return best.index
		}
		for _, e := range en.bd.graph.Pred(todo[0]) {
			if owner, begins := en.begin[entryEdge{e.From, e.To}]; begins {
				return owner
			}
			if en.in[e.From] && !seen[e.From] {
				seen[e.From] = true
				todo = append(todo, e.From)
			}
		}
	}
	return en.views[0].index
}
