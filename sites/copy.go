package sites

import (
	"slices"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// copyResult is what is known of where one inlined copy begins.
type copyResult struct {
	copy   int32 // index in Data.Copies
	points []copyPoint
	edges  []entryEdge // along which it is entered, those that cannot be counted too
	doubts []Reason
	merged bool   // counted with another copy
	empty  bool   // no instruction of the copy is left
	why    string // what the plan loses of the copy; empty if nothing
	marked bool   // the line table says where it begins
	size   int    // instructions
	silent bool   // an execution may leave it without an effect
	effect bool   // one of them does what the compiler may not leave out
}

// copyPoint is a place to count a copy at.
type copyPoint struct {
	addr uint64 // virtual address
	cond flow.Cond
}

func (c *copyResult) doubt(code ReasonCode, text string) {
	c.doubts = append(c.doubts, Reason{code, text})
}

// splitOf tells whether copy i continues a call of f that encloses it. GCC
// splits a function and inlines its parts back: such a copy has the origin of
// what encloses it and "calls" from the declaration line. Either condition
// alone is wrong: inlined recursion has the first, macro-made functions the
// second (docs/architecture.md, rule 3).
func (b *Binary) splitOf(f *function, i int32) bool {
	c := b.data.Copy(i)
	encloser := b.data.Func(c.Func).Root
	if c.Parent >= 0 {
		encloser = b.data.Copy(c.Parent).Origin
	}
	if encloser >= 0 && b.index.ofRoot(encloser) == f &&
		slices.ContainsFunc(f.decls, func(p place) bool { return c.CallLine == p.line && c.CallFile == p.file }) {
		return true
	}
	return b.continues(i)
}

// continues tells whether copy i is what a split of its encloser took with it
// of a call that began before: the same call, at the same line and column,
// stands in front of the split too.
func (b *Binary) continues(i int32) bool {
	c := b.data.Copy(i)
	p := c.Parent
	if p < 0 || b.data.Copy(p).Origin < 0 {
		return false
	}
	outer := b.index.ofRoot(b.data.Copy(p).Origin)
	if outer == nil || !b.splitOf(outer, p) {
		return false
	}
	fn := b.data.Func(c.Func)
	for j := fn.FirstCopy; j < fn.EndCopy; j++ {
		d := b.data.Copy(j)
		if d.Parent == b.data.Copy(p).Parent && d.Origin == c.Origin && d.CallLine == c.CallLine && d.CallCol == c.CallCol && d.CallFile == c.CallFile {
			return true
		}
	}
	return false
}

// covered is the code of a copy with everything inlined into it.
func (b *Binary) covered(i int32) []elfbin.Range {
	c := b.data.Copy(i)
	out := append([]elfbin.Range(nil), c.Ranges...)
	// Children follow their parent and stay inside the same function.
	inside := map[int32]bool{i: true}
	for j := i + 1; j < b.data.Func(c.Func).EndCopy; j++ {
		d := b.data.Copy(j)
		if d.Parent >= 0 && inside[d.Parent] {
			inside[j] = true
			out = append(out, d.Ranges...)
		}
	}
	return out
}

// copySites finds where each copy of f is entered, body by body.
func (b *Binary) copySites(f *function) []copyResult {
	var out []copyResult
	done := map[int32]bool{}
	for _, i := range f.copies {
		die := b.data.Copy(i).Func
		if done[die] {
			continue
		}
		done[die] = true
		bd := b.bodyOf(die)
		if bd.err != nil {
			out = append(out, copyResult{copy: i, why: "the code around it cannot be read: " + bd.err.Error()})
			continue
		}
		out = append(out, b.copiesIn(bd, f)...)
	}
	return out
}

// copiesIn finds where the copies of f in one body are entered.
func (b *Binary) copiesIn(bd *body, f *function) []copyResult {
	bd.mu.Lock() // what is known of a body is gathered as it is asked for
	defer bd.mu.Unlock()
	views, orphans := b.views(bd, f)
	var out []copyResult
	for _, v := range views {
		if v.split {
			continue
		}
		out = append(out, bd.enter(v, views))
	}
	bd.adoptOrphans(out, orphans, views)
	return out
}

// enter finds where one copy is entered, and what speaks against it.
func (bd *body) enter(v *copyView, views []*copyView) copyResult {
	r := copyResult{copy: v.index, marked: len(v.markers) > 0}
	r.doubts = append(r.doubts, bd.doubt...)
	if bd.golang {
		bd.enterGo(v, &r)
		return r
	}
	r.size, r.effect = v.region.size, bd.effects(v.region)
	edges := bd.copyEdges(v, views, &r)
	if !bd.marks {
		var dropped bool
		if edges, dropped = bd.firstStarts(edges); dropped {
			r.doubt(ReasonReentered, "the flow comes back into the copy from outside: taken for one execution")
		}
		if head, yes := bd.hoisted(v.region, edges); yes {
			r.doubt(ReasonReentered, "a loop of the caller comes back into the copy at "+hex(bd.graph.Insns[head].Addr)+": an execution may begin there each time")
		}
		edges = bd.addUnrolled(v, edges, &r)
	}
	r.silent = r.size == 0 || bd.silent(v.region, edges)
	bd.doubtCopy(v, edges, &r)
	bd.count(edges, &r)
	if len(r.points) == 0 && r.why == "" && !r.merged {
		r.why = "no way into the copy was found"
	}
	return r
}

// count adds the points that count the edges, and says which cannot be.
func (bd *body) count(edges []entryEdge, r *copyResult) {
	r.edges = append(r.edges, edges...)
	points, lost := bd.place(edges)
	if u, yes := bd.patchedWay(edges); yes {
		r.doubt(ReasonDecided, "whether the kernel has patched a jump in at "+hex(bd.graph.Insns[u].Addr)+" decides if the copy is entered from there")
	}
	for _, p := range points {
		if bd.throws(p.insn) && slices.ContainsFunc(edges, func(e entryEdge) bool { return e.from == p.insn && bd.behind(e) }) {
			r.doubt(ReasonThrow, "executions behind the call at "+hex(bd.graph.Insns[p.insn].Addr)+" are counted at the call: an exception that it throws is counted too")
		}
		r.points = append(r.points, copyPoint{bd.graph.Insns[p.insn].Addr, p.cond})
	}
	for _, e := range lost {
		if bd.patches(e) {
			r.doubt(ReasonDecided, "the copy is entered from "+hex(bd.graph.Insns[e.from].Addr)+" only when the kernel has patched a jump there, which cannot be counted")
			continue
		}
		r.why = "one way into the copy cannot be told from another"
		r.doubt(ReasonCondition, "the way into "+hex(bd.graph.Insns[e.to].Addr)+" cannot be counted on its own")
	}
}

// addUnrolled adds the further executions that one record may hold.
func (bd *body) addUnrolled(v *copyView, edges []entryEdge, r *copyResult) []entryEdge {
	again := bd.unrolled(v.region, edges)
	if len(again) > 0 {
		r.doubt(ReasonMerged, "the copy seems to hold several executions in a row, again from "+hex(bd.graph.Insns[again[0]].Addr))
	}
	for _, i := range again {
		edges = append(edges, bd.allInto(i)...)
	}
	return edges
}

// doubtCopy looks for signs that executions left no code, or that one is
// counted twice.
func (bd *body) doubtCopy(v *copyView, edges []entryEdge, r *copyResult) {
	addr := func(i int32) string { return hex(bd.graph.Insns[i].Addr) }
	if p, yes := bd.bypassed(v, edges); yes {
		r.doubt(ReasonDecided, "code at "+addr(p)+" reaches what follows the call without it: the call may have been decided there beforehand")
	}
	if at, yes := bd.copySelfCall(v, edges); yes {
		r.doubt(ReasonRecursion, "the first statement of the copy is in a loop at "+addr(at)+": a self call may have become a jump")
	}
	if bd.marks && !bd.unmarkedClone() {
		return
	}
	// LLVM lets instructions pass for the caller's too often for this to be a sign.
	if p, yes := bd.rejoined(v.region, edges); yes && bd.gnu {
		r.doubt(ReasonReentered, "the branch at "+addr(p)+" leads back into the midst of the copy: another execution may begin there")
	}
	if p, yes := bd.mergedCall(v.region); yes {
		r.doubt(ReasonMergedCall, "the call at "+addr(p)+" was merged from several places: copies may have lost their record")
	}
}

// copyEdges chooses the edges to be counted for one copy.
func (bd *body) copyEdges(v *copyView, views []*copyView, r *copyResult) []entryEdge {
	if len(v.markers) > 0 {
		return bd.markedEdges(v, views, r)
	}
	if v.region.size == 0 {
		r.empty = true
		r.why = "no instruction of the copy is left"
		if !v.copy.HasEntry {
			return nil
		}
		r.doubt(ReasonEmptyRange, "no instruction of a copy is left")
		if i, ok := bd.graph.At(v.copy.EntryPC); ok {
			r.why = ""
			return bd.allInto(i)
		}
		return nil
	}
	if o := sharesMarker(bd, v, views); o != nil {
		r.merged = true
		r.doubt(ReasonMerged, "two copies begin at "+hex(v.copy.EntryPC)+" and share their code")
		return nil
	}
	edges := bd.entries(bd.stated(v.region))
	if bd.joined(v, views, edges) {
		r.merged = true
		r.doubt(ReasonMerged, "another copy leads into this one and ends there: taken for one execution")
		return nil
	}
	switch {
	case !bd.marks && !bd.gnu:
		edges = bd.settle(v, edges)
	case bd.gnu && bd.lines != nil:
		edges = bd.addTurned(v, edges)
	}
	if bd.marks && !bd.startsAt(edges, v.copy) {
		r.doubt(ReasonEvidence, "the line table marks no beginning of a copy, and the flow enters it elsewhere than recorded")
	}
	if len(edges) == 0 {
		r.doubt(ReasonUnreached, "no way into a copy was found")
		if i, ok := bd.graph.At(v.copy.EntryPC); ok && v.copy.HasEntry {
			return bd.allInto(i)
		}
	}
	return edges
}

// startsAt tells whether one of the edges leads to where the copy is recorded
// to begin.
func (bd *body) startsAt(edges []entryEdge, c *dwarfinfo.Copy) bool {
	entry := c.EntryPC
	if !c.HasEntry {
		if len(c.Ranges) == 0 {
			return false
		}
		entry = c.Ranges[0].Low
	}
	return slices.ContainsFunc(edges, func(e entryEdge) bool {
		return bd.graph.Insns[e.to].Addr == entry
	})
}

// allInto lists every way into an instruction.
func (bd *body) allInto(i int32) []entryEdge {
	var out []entryEdge
	for _, e := range bd.graph.Pred(i) {
		out = append(out, entryEdge{e.From, i})
	}
	if bd.isRoot(i) {
		out = append(out, entryEdge{-1, i})
	}
	return out
}

// adoptOrphans makes sites of inline entry rows that no copy's code holds:
// all that was left of that entry stands elsewhere. They count for the
// function; which copy they begin is not known.
// Where all copies continue calls that began elsewhere, so do these.
func (bd *body) adoptOrphans(out []copyResult, orphans []marker, views []*copyView) {
	if len(out) == 0 {
		return
	}
	for _, m := range orphans {
		if bd.repeats(m, views) {
			out[0].doubt(ReasonMerged, "the row at "+hex(bd.graph.Insns[m.insn].Addr)+" may be a statement of the execution that begins just before, or begin another")
			continue
		}
		bd.count(bd.allInto(m.insn), &out[0])
	}
}

// repeats tells whether a row that no copy holds follows a beginning straight: of
// a function written on one line, as macros make them, a statement looks like
// its declaration.
func (bd *body) repeats(m marker, views []*copyView) bool {
	i := m.insn
	for n := 0; n < maxLead; n++ {
		pred := bd.graph.Pred(i)
		if len(pred) != 1 || bd.isRoot(i) {
			return false
		}
		if i = pred[0].From; slices.ContainsFunc(views, func(v *copyView) bool { return v.marks(i) }) {
			return true
		}
	}
	return false
}

// sharesMarker finds the copy whose marked beginning is also where v is
// recorded to begin: tail merging made one of the two.
func sharesMarker(bd *body, v *copyView, views []*copyView) *copyView {
	if !v.copy.HasEntry {
		return nil
	}
	for _, o := range views {
		if o == v || o.split {
			continue
		}
		for _, m := range o.markers {
			if bd.graph.Insns[m.insn].Addr == v.copy.EntryPC {
				return o
			}
		}
	}
	return nil
}

// withTails adds to kept what of the region an execution reaches from there.
func (bd *body) withTails(r, kept *region) *region {
	var from []int32
	for i, in := range kept.in {
		if in {
			from = append(from, int32(i))
		}
	}
	out := &region{in: bd.reachInside(r, from...)}
	for _, in := range out.in {
		if in {
			out.size++
		}
	}
	return out
}

// stated leaves of a region the runs of instructions that hold a statement.
// GCC marks the beginning of statements; a run without one was moved away
// from its statement and, unless the others lead to it, may be executed when
// the copy is not.
func (bd *body) stated(r *region) *region {
	if bd.lines == nil || !bd.marks {
		return r
	}
	stmt := bd.statements()
	out := &region{in: make([]bool, len(r.in))}
	n := len(r.in)
	for i := 0; i < n; {
		j, has := i, false
		for j < n && r.in[j] == r.in[i] {
			has = has || stmt[j]
			j++
		}
		if r.in[i] && has {
			for k := i; k < j; k++ {
				out.in[k] = true
			}
			out.size += j - i
		}
		i = j
	}
	if out.size == 0 {
		return r
	}
	return bd.withTails(r, out)
}
