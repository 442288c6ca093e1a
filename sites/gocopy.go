package sites

import "github.com/surehook/surehook/flow"

// enterGo finds where a copy that Go's compiler made is entered. Its scheduler
// and register allocator put loads of the copy's operands ahead of the branch
// that decides whether the copy is executed, with the copy's line but without
// a statement: only runs of instructions with a statement are the copy.
func (bd *body) enterGo(v *copyView, r *copyResult) {
	if v.region.size == 0 {
		r.empty = true
		r.why = "no instruction of the copy is left"
		return
	}
	region := bd.said(v.region)
	edges := bd.entries(region)
	if len(edges) == 0 {
		r.doubt(ReasonUnreached, "no way into a copy was found")
	}
	bd.doubtCopy(v, edges, r)
	bd.count(edges, r)
	if len(r.points) == 0 && r.why == "" {
		r.why = "no way into the copy was found"
	}
}

// said leaves of a region what begins executions, and what that leads to. Loads
// of spilled values stand where the register allocator found it best: in a
// loop at its entrance, or ahead of a branch. In front of a run of instructions
// they do not count, and a run of nothing else only where no other is left, with
// a statement or at all.
func (bd *body) said(r *region) *region {
	stmt := make([]bool, len(r.in))
	if bd.lines != nil {
		stmt = bd.statements()
	}
	var kinds [runKinds]region
	for k := range kinds {
		kinds[k].in = make([]bool, len(r.in))
	}
	for i := 0; i < len(r.in); {
		if !r.in[i] || bd.reload(i) && !stmt[i] {
			i++
			continue
		}
		j, has, works := i, false, false
		for ; j < len(r.in) && r.in[j]; j++ {
			has = has || stmt[j]
			works = works || !bd.reload(j)
		}
		k := runKind(has, works)
		for n := i; n < j; n++ {
			kinds[k].in[n] = true
			kinds[k].size++
		}
		i = j
	}
	for k := range kinds {
		if kinds[k].size > 0 {
			return bd.withTails(r, &kinds[k])
		}
	}
	return r
}

// runKinds is the number of kinds of runs, the best sign of an execution first.
const runKinds = 4

func runKind(statement, works bool) int {
	switch {
	case statement && works:
		return 0
	case statement:
		return 1
	case works:
		return 2
	}
	return 3
}

// reload tells whether an instruction only loads a spilled value.
func (bd *body) reload(i int) bool {
	in := &bd.graph.Insns[i]
	return in.Kind == flow.Plain && flow.Reload(bd.arch, bd.image.Bytes(in.Addr, int(in.Len)))
}
