package sites

import "slices"

// ownMarkers lists the inline entry rows that may begin copies of f. Several
// functions can be declared at one place: instances of a template, functions
// that one macro makes. Their rows look alike; a row that stands in a copy of
// another function, or where one is recorded to begin, is that one's; a row at the
// entry of such a function is its own.
func (b *Binary) ownMarkers(bd *body, f *function, views []*copyView) []marker {
	found := b.markers(bd, f)
	if len(found) == 0 {
		return nil
	}
	if b.rivalBody(bd, f) {
		found = slices.DeleteFunc(found, func(m marker) bool {
			return m.insn == bd.graph.Entry && recordedAt(views, bd.graph.Insns[m.insn].Addr) == nil
		})
	}
	rivals := b.rivals(bd, f)
	if len(rivals) == 0 {
		return found
	}
	all := append(slices.Clone(views), rivals...)
	var own []marker
	for _, m := range found {
		v := recordedAt(all, bd.graph.Insns[m.insn].Addr)
		if v == nil {
			v = ownerOf(all, m.insn)
		}
		if v == nil {
			v = bd.leadsInto(all, m.insn)
		}
		if v == nil || !slices.Contains(rivals, v) {
			own = append(own, m)
		}
	}
	return own
}

// recordedAt finds a copy that is recorded to begin at a virtual address.
func recordedAt(views []*copyView, addr uint64) *copyView {
	for _, v := range views {
		if v.copy.HasEntry && v.copy.EntryPC == addr {
			return v
		}
	}
	return nil
}

// rivalBody tells whether a body is that of another function declared where f
// is: the row at its entry looks like the beginning of a copy.
func (b *Binary) rivalBody(bd *body, f *function) bool {
	own := b.index.at(bd.graph.Insns[bd.graph.Entry].Addr)
	return own != nil && own != f && f.declaredWith(own)
}

// rivals are the copies in a body of other functions that are declared where f
// is.
func (b *Binary) rivals(bd *body, f *function) []*copyView {
	var out []*copyView
	for i := bd.fn.FirstCopy; i < bd.fn.EndCopy; i++ {
		c := b.data.Copy(i)
		if c.Origin < 0 {
			continue
		}
		other := b.index.ofRoot(c.Origin)
		if other == nil || other == f || !f.declaredWith(other) {
			continue
		}
		v := &copyView{index: i, copy: c, split: b.splitOf(other, i), region: bd.regionOf(b.covered(i))}
		bd.fillHoles(v.region)
		out = append(out, v)
	}
	return out
}

// declaredWith tells whether two functions have a declaration at one place.
func (f *function) declaredWith(other *function) bool {
	return slices.ContainsFunc(f.decls, func(p place) bool { return slices.Contains(other.decls, p) })
}
