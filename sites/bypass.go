package sites

import (
	"slices"

	"github.com/surehook/surehook/flow"
)

// bypassed tells whether code that is already past the call reaches the place
// where a copy ends without having passed the copy, by a condition of its own.
// Compilers thread jumps: on a path on which the outcome of the call is known
// beforehand, nothing of the call is left, and no record either. An else arm
// looks the same, so this is a doubt and no proof.
func (bd *body) bypassed(v *copyView, edges []entryEdge) (at int32, yes bool) {
	g, r := bd.graph, v.region
	if bd.llvm() && r.size > maxThreaded {
		return 0, false
	}
	outside := bd.reach(bd.roots, r.in)
	quiet := bd.quiet(r, edges, true)
	var asked map[string]bool // what the copy tests
	for _, t := range bd.exits(r, quiet) {
		for _, e := range g.Pred(t) {
			p := e.From
			if r.in[p] || !outside[p] || g.Insns[p].Kind != flow.CondJump {
				continue
			}
			if bd.leadsTo(p, edges, t) || !bd.mayDecide(v, p) {
				continue
			}
			if asked == nil {
				asked = bd.asks(quiet)
			}
			if bd.llvm() || bd.knows(p, asked) {
				return p, true
			}
		}
	}
	return 0, false
}

// maxThreaded is how large a copy may be, in instructions, that LLVM goes round:
// jump threading duplicates a handful (-jump-threading-threshold is 6), and
// what is decided beforehand is the whole of a small function.
const maxThreaded = 40

// mayDecide tells whether a branch stands, in the caller, not behind the call:
// an else arm that follows it in the source decides nothing. GCC's code is not
// asked; there the line of a branch says less.
func (bd *body) mayDecide(v *copyView, p int32) bool {
	if !bd.llvm() {
		return true
	}
	if bd.lineAt()[p] == 0 {
		return true
	}
	line := bd.lineIn(v.copy.Parent, p)
	return line > 0 && line <= v.copy.CallLine
}

// llvm tells whether the body is C or the like from LLVM.
func (bd *body) llvm() bool {
	return !bd.gnu && !bd.marks && !bd.golang && bd.lines != nil
}

// asks lists what the branches among some instructions test.
func (bd *body) asks(part []bool) map[string]bool {
	out := map[string]bool{}
	for i, in := range part {
		if in {
			for _, o := range bd.graph.Tested(bd.image, bd.arch, int32(i)) {
				out[o] = true
			}
		}
	}
	return out
}

// maxKnown bounds how many branches before a bypass are looked at.
const maxKnown = 6

// knows tells whether a branch, or one on the only way to it, tests what the
// copy tests: only then its outcome can be known there.
func (bd *body) knows(p int32, asked map[string]bool) bool {
	for n := 0; n < maxKnown; {
		if bd.graph.Insns[p].Kind == flow.CondJump {
			n++
			for _, o := range bd.graph.Tested(bd.image, bd.arch, p) {
				if asked[o] {
					return true
				}
			}
		}
		pred := bd.graph.Pred(p)
		if len(pred) != 1 {
			return false
		}
		p = pred[0].From
	}
	return false
}

// quiet marks what a copy executes before it calls anything or, with effects,
// does anything else that must be done: only an execution that leaves from
// there can be decided beforehand.
func (bd *body) quiet(r *region, edges []entryEdge, effects bool) []bool {
	silent := &region{in: make([]bool, len(r.in))}
	for i, in := range r.in {
		silent.in[i] = in && !bd.isCall(int32(i)) && !(effects && bd.effect(int32(i)))
	}
	var from []int32
	for _, e := range edges {
		if silent.in[e.to] {
			from = append(from, e.to)
		}
	}
	return bd.reachInside(silent, from...)
}

// silent tells whether an execution can go through a copy without a call or
// another effect: only such a one can be left out without a trace.
func (bd *body) silent(r *region, edges []entryEdge) bool {
	return len(edges) > 0 && leadsOut(bd.graph, r, bd.quiet(r, edges, true))
}

// leadsOut tells whether part of a region leads out of it.
func leadsOut(g *flow.Graph, r *region, part []bool) bool {
	for i, in := range part {
		if !in {
			continue
		}
		succ := g.Succ(int32(i))
		if len(succ) == 0 {
			return true
		}
		for _, e := range succ {
			if !r.in[e.To] {
				return true
			}
		}
	}
	return false
}

// exits lists the instructions outside a region that its part leads to.
func (bd *body) exits(r *region, part []bool) []int32 {
	var out []int32
	seen := map[int32]bool{}
	for i, in := range part {
		if !in {
			continue
		}
		if !bd.llvm() && bd.graph.Insns[i].Kind != flow.CondJump {
			continue // it has no outcome that could be known
		}
		for _, e := range bd.graph.Succ(int32(i)) {
			if !r.in[e.To] && !seen[e.To] {
				seen[e.To] = true
				out = append(out, e.To)
			}
		}
	}
	return out
}

// leadsTo tells whether an entry edge can still be reached from an
// instruction without passing t.
func (bd *body) leadsTo(p int32, edges []entryEdge, t int32) bool {
	avoid := make([]bool, len(bd.graph.Insns))
	avoid[t] = true
	seen := bd.reach([]int32{p}, avoid)
	for _, e := range edges {
		if e.from >= 0 && seen[e.from] || e.from < 0 && seen[e.to] {
			return true
		}
	}
	return false
}

// mergedCall tells whether the body has a call without a line, that several
// ways lead to, of every function that the copy calls too. LLVM gives line 0 to
// code it merged from several places and drops the records of the inlined
// copies it came from.
func (bd *body) mergedCall(r *region) (at int32, yes bool) {
	if bd.lines == nil {
		return 0, false
	}
	if bd.merged == nil {
		bd.merged = bd.mergedCalls()
	}
	for i, in := range r.in {
		if !in || bd.graph.Insns[i].Kind != flow.Call {
			continue
		}
		m, ok := bd.merged[bd.graph.Insns[i].Target]
		if !ok {
			return 0, false // of a copy merged as a whole this call would be too
		}
		at, yes = m, true
	}
	return at, yes
}

// mergedCalls lists the calls without a line that several ways lead to, by
// target.
func (bd *body) mergedCalls() map[uint64]int32 {
	out := map[uint64]int32{}
	lines := bd.lineAt()
	for i := range bd.graph.Insns {
		k := int32(i)
		if lines[i] != 0 || bd.graph.Insns[i].Kind != flow.Call {
			continue
		}
		// Back to the head of the run without a line.
		for h := k; h >= 0 && lines[h] == 0; h-- {
			if len(bd.graph.Pred(h)) > 1 {
				out[bd.graph.Insns[i].Target] = k
				break
			}
			if h == 0 || !bd.comesFrom(h, h-1) {
				break
			}
		}
	}
	return out
}

// comesFrom tells whether the only way into i is from j, calls included.
func (bd *body) comesFrom(i, j int32) bool {
	p := bd.graph.Pred(i)
	return len(p) == 1 && p[0].From == j
}

// firstStarts leaves out of a copy's entry edges those from code without a line
// to which another start point leads: an execution that began goes on there. It
// tells whether any was left out.
func (bd *body) firstStarts(edges []entryEdge) (kept []entryEdge, dropped bool) {
	starts := map[int32][]entryEdge{}
	for _, e := range edges {
		starts[e.to] = append(starts[e.to], e)
	}
	if len(starts) < 2 {
		return edges, false
	}
	ahead := map[int32][]bool{}
	for s, in := range starts {
		// Within one pass: not over the edges that enter the copy at s.
		avoid := make([]bool, len(bd.graph.Insns))
		for _, e := range in {
			if e.from >= 0 {
				avoid[e.from] = true
			}
		}
		ahead[s] = bd.reach([]int32{s}, avoid)
	}
	for _, e := range edges {
		late := false
		for s := range starts {
			late = late || s != e.to && e.from >= 0 && bd.lineless(int(e.from)) && ahead[s][e.from] && !ahead[e.to][s]
		}
		if late {
			dropped = true
			continue
		}
		kept = append(kept, e)
	}
	return kept, dropped
}

// addTurned adds the ways by which a loop of the caller, turned round, comes back
// to the beginning of a copy: a branch that only the copy leads to, into code
// that stands for the same source as a start point does.
func (bd *body) addTurned(v *copyView, edges []entryEdge) []entryEdge {
	back := bd.turned(v.region, edges)
	if len(back) == 0 {
		return edges
	}
	begins := map[rowKey][]uint32{}
	for s := range startPoints(edges) {
		p := bd.pieceOf(v, s)
		if k, ok := p.begin(); ok {
			begins[k] = p.ops[k]
		}
	}
	for _, e := range back {
		p := bd.pieceOf(v, e.to)
		if k, ok := p.begin(); ok && begins[k] != nil && contains(p.ops[k], begins[k]) {
			edges = append(edges, e)
		}
	}
	return edges
}

// turned lists the ways of comeBack that close a loop past the start points.
func (bd *body) turned(r *region, edges []entryEdge) []entryEdge {
	avoid := make([]bool, len(bd.graph.Insns))
	for s := range startPoints(edges) {
		avoid[s] = true
	}
	return slices.DeleteFunc(bd.comeBack(r, edges), func(e entryEdge) bool {
		return !bd.reach([]int32{e.to}, avoid)[e.from]
	})
}

// comeBack lists the ways by which branches of the caller that only the copy
// leads to come back into its midst.
func (bd *body) comeBack(r *region, edges []entryEdge) []entryEdge {
	starts := startPoints(edges)
	outside := bd.reach(bd.roots, r.in)
	var out []entryEdge
	for i := range bd.graph.Insns {
		u := int32(i)
		if r.in[u] || outside[u] || bd.graph.Insns[u].Kind != flow.CondJump {
			continue
		}
		for _, e := range bd.graph.Succ(u) {
			if r.in[e.To] && !starts[e.To] {
				out = append(out, entryEdge{u, e.To})
			}
		}
	}
	return out
}

// rejoined tells whether a branch of the caller that only the copy leads to
// leads back into its midst: a loop turned round, in which the next execution
// begins there, or code of the copy that passes for the caller's.
func (bd *body) rejoined(r *region, edges []entryEdge) (at int32, yes bool) {
	back := bd.comeBack
	if bd.marks {
		back = bd.turned
	}
	if found := back(r, edges); len(found) > 0 {
		return found[0].from, true
	}
	return 0, false
}

// hoisted finds a copy in a loop of the caller of which only moved code stands
// before the loop: LLVM's loop-invariant code motion keeps the lines. The
// caller's own branch leads back to the loop's head, in the midst of the copy,
// and no start point can be reached from there.
func (bd *body) hoisted(r *region, edges []entryEdge) (head int32, yes bool) {
	starts := startPoints(edges)
	none := make([]bool, len(bd.graph.Insns))
	outside := bd.reach(bd.roots, r.in)
	lines := bd.lineAt()
	for i := range bd.graph.Insns {
		u := int32(i)
		if r.in[u] || outside[u] || lines[u] == 0 || lines[u] == noLine {
			continue
		}
		for _, e := range bd.graph.Succ(u) {
			if !r.in[e.To] || starts[e.To] || e.Kind != flow.Taken || e.To > u {
				continue
			}
			again := bd.reach([]int32{e.To}, none)
			if again[u] && !anyOf(starts, again) {
				return e.To, true
			}
		}
	}
	return 0, false
}

// startPoints are the instructions that the edges lead to.
func startPoints(edges []entryEdge) map[int32]bool {
	out := map[int32]bool{}
	for _, e := range edges {
		out[e.to] = true
	}
	return out
}

func anyOf(starts map[int32]bool, seen []bool) bool {
	for s := range starts {
		if seen[s] {
			return true
		}
	}
	return false
}
