package sites

// fillMerged adds to a region the code without a line that only comes between
// two parts of it: LLVM gives line 0 to what it merged from several places
// (SimplifyCFG's sinking, branch folding, tail merging). Such code may have
// branches of its own; all of its ways must lead back into the region. The
// ways in from elsewhere are then counted in front of it.
func (bd *body) fillMerged(r *region) {
	if bd.lines == nil || bd.marks || r.size == 0 {
		return
	}
	merged := bd.linelessAfter(r)
	for changed := true; changed; {
		changed = false
		for i, in := range merged {
			if in && !bd.returnsTo(r, merged, int32(i)) {
				merged[i], changed = false, true
			}
		}
	}
	for i, in := range merged {
		if in {
			r.fill(int32(i), int32(i)+1)
		}
	}
}

// linelessAfter marks what a region leads to over code without a line.
func (bd *body) linelessAfter(r *region) []bool {
	out := make([]bool, len(bd.graph.Insns))
	todo := r.next(bd.graph)
	for len(todo) > 0 {
		i := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if out[i] || r.in[i] || !bd.lineless(int(i)) || i == bd.graph.Entry || bd.isRoot(i) {
			continue
		}
		out[i] = true
		for _, e := range bd.graph.Succ(i) {
			todo = append(todo, e.To)
		}
	}
	return out
}

// returnsTo tells whether all ways from an instruction go on in a region or in
// the code that was merged between its parts.
func (bd *body) returnsTo(r *region, merged []bool, i int32) bool {
	succ := bd.graph.Succ(i)
	for _, e := range succ {
		if !r.in[e.To] && !merged[e.To] {
			return false
		}
	}
	return len(succ) > 0
}
