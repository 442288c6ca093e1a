package flow

import "sort"

// Succ gives the edges that leave instruction i. The slice belongs to the graph.
func (g *Graph) Succ(i int32) []Edge {
	if i < 0 || int(i) >= len(g.Insns) {
		return nil
	}
	return g.succ[g.succIndex[i]:g.succIndex[i+1]]
}

// Pred gives the edges that lead to instruction i. The slice belongs to the graph.
func (g *Graph) Pred(i int32) []Edge {
	if i < 0 || int(i) >= len(g.Insns) {
		return nil
	}
	return g.pred[g.predIdx[i]:g.predIdx[i+1]]
}

// Edges gives all edges, ordered by From. The slice belongs to the graph.
func (g *Graph) Edges() []Edge { return g.succ }

// At gives the index of the instruction that starts at the virtual address.
func (g *Graph) At(addr uint64) (int32, bool) {
	i := sort.Search(len(g.Insns), func(i int) bool { return g.Insns[i].Addr >= addr })
	if i < len(g.Insns) && g.Insns[i].Addr == addr {
		return int32(i), true
	}
	return -1, false
}

// Covering gives the index of the instruction that the virtual address lies
// in, at its start or behind. Where instructions overlap, the one that starts
// last.
func (g *Graph) Covering(addr uint64) (int32, bool) {
	i := sort.Search(len(g.Insns), func(i int) bool { return g.Insns[i].Addr > addr })
	for low := addr - min(addr, x86MaxLen); i > 0 && g.Insns[i-1].Addr >= low; i-- {
		if g.Insns[i-1].End() > addr {
			return int32(i - 1), true
		}
	}
	return -1, false
}

// Reachable marks the instructions that control can come to from the given
// ones, themselves included. Where avoid holds the walk stops: such an
// instruction is neither marked nor passed, a given one neither. avoid may be nil.
func (g *Graph) Reachable(from []int32, avoid func(i int32) bool) []bool {
	seen := make([]bool, len(g.Insns))
	var work []int32
	visit := func(i int32) {
		if i < 0 || int(i) >= len(seen) || seen[i] || avoid != nil && avoid(i) {
			return
		}
		seen[i] = true
		work = append(work, i)
	}
	for _, i := range from {
		visit(i)
	}
	for len(work) > 0 {
		i := work[len(work)-1]
		work = work[:len(work)-1]
		for _, e := range g.Succ(i) {
			visit(e.To)
		}
	}
	return seen
}

// Roots are where control enters the graph: the entry and the labels.
func (g *Graph) Roots() []int32 {
	var roots []int32
	if g.Entry >= 0 {
		roots = append(roots, g.Entry)
	}
	return append(roots, g.Labels...)
}

// TableCond gives the condition, evaluated at the indirect jump, that the
// table edge e is taken; false if e is no table edge or the jump's target
// cannot be said from registers (signed pointers, segment bases).
func (g *Graph) TableCond(e Edge) (Cond, bool) {
	if e.Kind != Table || e.From < 0 || int(e.From) >= len(g.Insns) || e.To < 0 || int(e.To) >= len(g.Insns) {
		return Cond{}, false
	}
	from := g.Insns[e.From]
	if from.Kind != IndirectJump || from.Cond.Op == Always {
		return Cond{}, false
	}
	c := from.Cond
	c.Delta = int64(g.Insns[e.To].Addr - from.Addr)
	return c, true
}
