package atlas

import (
	"slices"

	"github.com/surehook/surehook/kernel"
)

// calls are the direct calls of a kernel. Nodes are symbols of one name and
// module, and what has none.
type calls struct {
	nodes  []callNode
	byName map[string][]uint32 // nodes
	out    rows[uint32]        // callees by caller
	in     rows[uint32]        // callers by callee
}

type callNode struct{ name, module string }

// Callers gives the direct calls of a symbol.
func (e *Entry) Callers(symbol string) ([]kernel.Call, error) {
	g, err := e.calls()
	if err != nil {
		return nil, err
	}
	var out []kernel.Call
	for _, n := range g.byName[symbol] {
		for _, from := range g.in.of(int(n)) {
			out = append(out, g.call(from, n))
		}
	}
	slices.SortFunc(out, kernel.CompareCalls)
	return out, nil
}

// Callees gives the direct calls that a symbol makes.
func (e *Entry) Callees(symbol string) ([]kernel.Call, error) {
	g, err := e.calls()
	if err != nil {
		return nil, err
	}
	var out []kernel.Call
	for _, n := range g.byName[symbol] {
		for _, to := range g.out.of(int(n)) {
			out = append(out, g.call(n, to))
		}
	}
	slices.SortFunc(out, kernel.CompareCalls)
	return out, nil
}

func (g *calls) call(from, to uint32) kernel.Call {
	a, b := g.nodes[from], g.nodes[to]
	return kernel.Call{Caller: a.name, CallerModule: a.module, Callee: b.name, CalleeModule: b.module}
}

func (e *Entry) readCalls() (*calls, error) {
	g := &calls{byName: map[string][]uint32{}}
	if err := e.readNodes(g); err != nil {
		return nil, err
	}
	c, err := e.section(sectCallEdges)
	if err != nil {
		return nil, err
	}
	n := len(g.nodes)
	if n > len(c.data) {
		return nil, e.bad(sectCallEdges)
	}
	counts := make([]uint32, n)
	for i := range counts {
		counts[i] = uint32(c.int(1<<31 - 1))
	}
	_, order := ranks(counts)
	var callers []uint32
	for i := range n {
		for _, r := range c.ascending(n) {
			g.out.values = append(g.out.values, order[r])
			callers = append(callers, uint32(i))
		}
		g.out.close()
	}
	if !c.done() {
		return nil, e.bad(sectCallEdges)
	}
	g.in = group(g.out.values, n)
	for i, edge := range g.in.values {
		g.in.values[i] = callers[edge]
	}
	return g, nil
}

// readNodes numbers the nodes as the writer did.
func (e *Entry) readNodes(g *calls) error {
	y, err := e.symbols()
	if err != nil {
		return err
	}
	mods, err := e.mods()
	if err != nil {
		return err
	}
	for i := range y.addr {
		name, err := e.symbolName(y, i)
		if err != nil {
			return err
		}
		n := callNode{name, mods[y.mod[i]]}
		if !slices.ContainsFunc(g.byName[name], func(j uint32) bool { return g.nodes[j] == n }) {
			g.add(n)
		}
	}
	c, err := e.section(sectCallNodes)
	if err != nil {
		return err
	}
	for !c.bad && len(c.data) > 0 {
		name, err := e.a.names.At(c.next())
		if err != nil {
			return err
		}
		module, err := e.a.names.At(c.next())
		if err != nil {
			return err
		}
		g.add(callNode{name, module})
	}
	if !c.done() || len(g.nodes) != e.meta.Nodes {
		return e.bad(sectCallNodes)
	}
	return nil
}

func (g *calls) add(n callNode) {
	g.byName[n.name] = append(g.byName[n.name], uint32(len(g.nodes)))
	g.nodes = append(g.nodes, n)
}
