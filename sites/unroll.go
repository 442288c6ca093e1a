package sites

// minBetween is how many other lines of the callee must stand between two
// rows of its first line before the second is taken for a new execution: a
// statement that the compiler spread over its neighbours comes back sooner.
const minBetween = 3

// minRepeats is how often the first line must come back: once may be a
// statement split in two.
const minRepeats = 2

// unrolled finds further beginnings in a copy whose executions the compiler
// put one behind the other under one record: in code that is executed once
// from top to bottom, the line that the copy begins with comes back after
// others. It is called for compilers that do not mark inline entries.
func (bd *body) unrolled(r *region, starts []entryEdge) []int32 {
	if len(starts) != 1 || bd.lines == nil {
		return nil
	}
	g, lines, stmt := bd.graph, bd.lineAt(), bd.statements()
	i := starts[0].to
	first := lines[i]
	if first == 0 || first == noLine {
		return nil
	}
	var out []int32
	between := map[uint32]bool{}
	for steps := 0; steps < len(g.Insns); steps++ {
		succ := g.Succ(i)
		if len(succ) != 1 || len(g.Pred(succ[0].To)) != 1 {
			break
		}
		i = succ[0].To
		switch {
		case !r.in[i] || lines[i] == 0 || lines[i] == noLine:
		case lines[i] != first:
			between[lines[i]] = true
		case stmt[i] && len(between) >= minBetween:
			out = append(out, i)
			clear(between)
		}
	}
	if len(out) < minRepeats {
		return nil
	}
	return out
}
