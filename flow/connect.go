package flow

import (
	"slices"
	"sort"
)

// graph makes a graph without edges of the instructions read.
func (b *builder) graph() *Graph {
	g := &Graph{Insns: b.insns, Entry: -1, Bad: b.bad}
	if i, ok := g.At(b.opts.Entry); ok {
		g.Entry = i
	}
	for _, addrs := range [][]uint64{b.opts.Labels, b.abort} {
		for _, addr := range addrs {
			if i, ok := g.At(addr); ok {
				g.Labels = append(g.Labels, i)
			}
		}
	}
	slices.Sort(g.Labels)
	g.Labels = slices.Compact(g.Labels)
	return g
}

// connect adds the edges that need no analysis.
func (b *builder) connect(g *Graph) {
	var edges []Edge
	for i := range g.Insns {
		in, from := &g.Insns[i], int32(i)
		next, hasNext := g.At(in.End())
		fall := hasNext
		switch in.Kind {
		case Jump, CondJump:
			if to, ok := g.At(in.Target); ok {
				edges = append(edges, Edge{from, to, Taken})
			} else {
				g.Out = append(g.Out, from)
			}
			fall = fall && in.Kind == CondJump
		case Call:
			in.NoReturn = b.opts.NoReturn != nil && b.opts.NoReturn(in.Target) || !hasNext
			fall = fall && !in.NoReturn
		case IndirectCall:
			in.NoReturn = !hasNext
		case IndirectJump, Return, Trap, Unknown:
			fall = false
		}
		if fall {
			edges = append(edges, Edge{from, next, Fall})
		}
		if pad, ok := b.pad(g, in); ok {
			edges = append(edges, Edge{from, pad, Unwind})
		}
		edges = b.jumps(g, edges, from)
	}
	g.link(edges)
}

// jumps adds the edges of Options.Jumps. Where they lead is known by that, and
// no label that may be entered from anywhere.
func (b *builder) jumps(g *Graph, edges []Edge, from int32) []Edge {
	if b.opts.Jumps == nil {
		return edges
	}
	for _, addr := range b.opts.Jumps(&g.Insns[from]) {
		if to, ok := g.At(addr); ok {
			edges = append(edges, Edge{from, to, Taken})
			g.Labels = slices.DeleteFunc(g.Labels, func(i int32) bool { return i == to })
		}
	}
	return edges
}

// pad gives the landing pad of a call, if it is in the graph.
func (b *builder) pad(g *Graph, in *Insn) (int32, bool) {
	if b.opts.Pad == nil || in.Kind != Call && in.Kind != IndirectCall {
		return 0, false
	}
	addr, ok := b.opts.Pad(in.Addr)
	if !ok {
		return 0, false
	}
	return g.At(addr)
}

// link replaces the edges of the graph and indexes them from both ends.
func (g *Graph) link(edges []Edge) {
	sort.Slice(edges, func(i, j int) bool {
		x, y := edges[i], edges[j]
		if x.From != y.From {
			return x.From < y.From
		}
		if x.To != y.To {
			return x.To < y.To
		}
		return x.Kind < y.Kind
	})
	edges = slices.Compact(edges)
	n := len(g.Insns)
	g.succ = edges
	g.pred = make([]Edge, len(edges))
	g.succIndex = make([]int32, n+1)
	g.predIdx = make([]int32, n+1)
	for _, e := range edges {
		g.succIndex[e.From+1]++
		g.predIdx[e.To+1]++
	}
	for i := range n {
		g.succIndex[i+1] += g.succIndex[i]
		g.predIdx[i+1] += g.predIdx[i]
	}
	fill := slices.Clone(g.predIdx)
	for _, e := range edges {
		g.pred[fill[e.To]] = e
		fill[e.To]++
	}
}
