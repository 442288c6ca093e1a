package sites

import (
	"slices"
)

// addReturns finds every place where an execution of f returns: a uretprobe
// for each body that bears one, the ways out of everything else.
func (b *Binary) addReturns(r *Result, t *tally, f *function) {
	for i := range f.bodies {
		if !b.delegates(f, &f.bodies[i]) {
			b.addBodyReturns(r, t, f, &f.bodies[i])
		}
	}
	b.loseFoldedHeads(r, t, f)
	all := b.copySites(f)
	if len(all) == 0 {
		return
	}
	raises := b.raises(f)
	for len(all) > 0 {
		die := b.data.Copy(all[0].copy).Func
		n := slices.IndexFunc(all, func(c copyResult) bool { return b.data.Copy(c.copy).Func != die })
		if n < 0 {
			n = len(all)
		}
		b.addExits(r, t, f, all[:n], raises)
		all = all[n:]
	}
}

// loseFoldedHeads lists the calls whose head was folded into the caller: they
// have a beginning, but no end of their own is known.
func (b *Binary) loseFoldedHeads(r *Result, t *tally, f *function) {
	var heads Result
	b.addFoldedHeads(&heads, t, f)
	for _, s := range heads.Sites {
		l := lostAt(s.Callers, "the end of a call that was folded into it is not known")
		l.Code = ReasonReturn
		r.PlanLost = append(r.PlanLost, l)
	}
}

// addExits adds the ways out of the copies of f in one body.
func (b *Binary) addExits(r *Result, t *tally, f *function, copies []copyResult, raises map[uint64]bool) {
	for i := range copies {
		b.doubtReturns(r, t, &copies[i])
	}
	bd := b.bodyOf(b.data.Copy(copies[0].copy).Func)
	if bd.err != nil {
		return
	}
	bd.mu.Lock()
	defer bd.mu.Unlock()
	p := &exitPlaces{bd: bd}
	for _, views := range b.levels(bd, f) {
		var of []copyResult
		for _, c := range copies {
			if slices.ContainsFunc(views, func(v *copyView) bool { return v.index == c.copy }) {
				of = append(of, c)
			}
		}
		b.exitsOf(t, p, bd.newEnding(views, of), raises)
	}
	for _, pt := range p.points {
		s, ok := b.siteAt(bd.graph.Insns[pt.insn].Addr, Exit, pt.cond)
		if !ok {
			t.doubt(ReasonUndecodable, "the end of an inlined copy at "+hex(s.Address)+" lies outside the file's code segments")
			continue
		}
		s.Callers, s.Copy = b.frames(pt.owner), b.data.Copy(pt.owner).Offset
		r.Sites = append(r.Sites, s)
	}
	b.doubtPlaces(r, t, p)
}

// doubtReturns takes over what is not known of where a copy begins.
func (b *Binary) doubtReturns(r *Result, t *tally, c *copyResult) {
	r.Notes.Copies++
	if c.empty {
		r.Notes.Empty++
	}
	frames := b.frames(c.copy)
	for _, d := range c.doubts {
		if d.Code != ReasonCondition { // where it ends may be countable all the same
			t.doubt(d.Code, d.Text+where(frames))
		}
	}
	if c.why != "" && len(c.edges) == 0 {
		r.PlanLost = append(r.PlanLost, lostAt(frames, c.why))
	}
}

// exitsOf places the ways out of some copies.
func (b *Binary) exitsOf(t *tally, p *exitPlaces, en *ending, raises map[uint64]bool) {
	if len(en.begin) == 0 {
		return
	}
	out, twice := en.exits()
	out, dead := en.returning(out, raises)
	p.add(out)
	at := func(i int32) string { return hex(en.bd.graph.Insns[i].Addr) }
	for _, x := range dead {
		t.doubt(ReasonDeadEnd, "the way out at "+at(x.from)+" leads to nothing but calls that never return: the copy's own end, or the caller's after a return"+where(b.frames(x.owner)))
	}
	for _, e := range en.both {
		t.doubt(ReasonMerged, "two executions begin on the way to "+at(e.to)+", and are counted as one that returns")
	}
	for _, e := range twice {
		t.doubt(ReasonMerged, "two executions may end on the way to "+at(e.to))
	}
	if i, yes := en.callsLater(); yes {
		t.doubt(ReasonExitShared, "the call at "+at(i)+" in an inlined copy is executed without the copy too: returns are counted before it")
	}
	if len(out) == 0 {
		t.doubt(ReasonNoReturn, "no execution of the inlined copy in "+b.frames(en.views[0].index)[0].Function+" returns")
	}
}

// callsLater finds a call in the part of the copies that is executed without
// them too: it is counted as past the return.
func (en *ending) callsLater() (int32, bool) {
	for _, i := range en.early {
		if en.bd.isCall(i) {
			return i, true
		}
	}
	return 0, false
}

// doubtPlaces says which ways out are not counted, or not exactly.
func (b *Binary) doubtPlaces(r *Result, t *tally, p *exitPlaces) {
	g := p.bd.graph
	for _, x := range p.lost {
		from := ""
		if x.from >= 0 {
			from = " at " + hex(g.Insns[x.from].Addr)
		}
		l := lostAt(b.frames(x.owner), "the way out of the copy"+from+" cannot be told from another")
		l.Code = ReasonExit
		r.PlanLost = append(r.PlanLost, l)
	}
	for _, x := range p.shared {
		t.doubt(ReasonMerged, "two copies end at one place: one hit may stand for two returns"+where(b.frames(x.owner)))
	}
	for _, pt := range p.points {
		if pt.wait >= 0 && !p.bd.comesBack(pt.wait) {
			what := "call"
			if !p.bd.isCall(pt.wait) {
				what = "jump"
			}
			t.doubt(ReasonExitEarly, "the return is counted at the "+what+" at "+hex(g.Insns[pt.wait].Addr)+", which may not come back"+where(b.frames(pt.owner)))
		}
	}
}

// levels groups the copies of f in a body by how many copies of f enclose
// them: those of one group are not nested in each other. What continues an
// execution of a copy is with it; what continues one of the body is left out.
func (b *Binary) levels(bd *body, f *function) [][]*copyView {
	views, _ := b.views(bd, f)
	begins := map[int32]bool{}
	for _, v := range views {
		begins[v.index] = !v.split
	}
	var out [][]*copyView
	for _, v := range views {
		depth := 0
		for up := v.index; up >= 0; up = b.data.Copy(up).Parent {
			if begins[up] {
				depth++
			}
		}
		if depth == 0 {
			if b.encloser(v.index) == f {
				continue
			}
			depth = 1 // what a split took with it of a call
		}
		for len(out) < depth {
			out = append(out, nil)
		}
		out[depth-1] = append(out[depth-1], v)
	}
	return slices.DeleteFunc(out, func(vs []*copyView) bool { return len(vs) == 0 })
}

// encloser is the function that copy i lies in directly, nil if not known.
func (b *Binary) encloser(i int32) *function {
	c := b.data.Copy(i)
	root := b.data.Func(c.Func).Root
	if c.Parent >= 0 {
		root = b.data.Copy(c.Parent).Origin
	}
	return b.index.ofRoot(root)
}
