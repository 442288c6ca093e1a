package atlas

import (
	"slices"

	"github.com/surehook/surehook/kernel"
)

// calls are the direct calls of a kernel. Nodes are symbols of one name and
// module, and what has none.
type calls struct {
	symbol []int32      // of each node its first symbol; -1: it has none
	node   []uint32     // of each symbol its node
	extra  []callNode   // what has no symbol; they are the last nodes
	out    rows[uint32] // calls by caller
	in     rows[uint32] // the same by callee
	callee []uint32     // of each call, in the order of the file
	caller []uint32
	sure   []byte // a bit of each: it is made each time; none in older files
	good   []byte // a bit of each: it is made unless the caller fails; none in older files
}

type callNode struct{ name, module string }

// made tells when a call is made.
func (g *calls) made(call uint32) kernel.Made {
	has := func(bits []byte) bool { return int(call/8) < len(bits) && bits[call/8]>>(call%8)&1 != 0 }
	switch {
	case has(g.sure):
		return kernel.Always
	case has(g.good):
		return kernel.UnlessFails
	}
	return kernel.Sometimes
}

// Callers gives the direct calls of a symbol.
func (e *Entry) Callers(symbol string) ([]kernel.Call, error) {
	return e.callsOf(symbol, func(g *calls) (*rows[uint32], []uint32) { return &g.in, g.caller }, func(self, other callNode) kernel.Call {
		return kernel.Call{Caller: other.name, CallerModule: other.module, Callee: self.name, CalleeModule: self.module}
	})
}

// Callees gives the direct calls that a symbol makes.
func (e *Entry) Callees(symbol string) ([]kernel.Call, error) {
	return e.callsOf(symbol, func(g *calls) (*rows[uint32], []uint32) { return &g.out, g.callee }, func(self, other callNode) kernel.Call {
		return kernel.Call{Caller: self.name, CallerModule: self.module, Callee: other.name, CalleeModule: other.module}
	})
}

// CountCallers is how many direct calls of a symbol there are.
func (e *Entry) CountCallers(symbol string) (int, error) {
	g, err := e.calls()
	if err != nil {
		return 0, err
	}
	nodes, err := e.nodesOf(g, symbol)
	n := 0
	for _, i := range nodes {
		n += len(g.in.of(int(i)))
	}
	return n, err
}

// callsOf gives the calls at the nodes of a symbol's name; side gives those of
// each node, and the node at the other end of each.
func (e *Entry) callsOf(symbol string, side func(*calls) (*rows[uint32], []uint32), call func(self, other callNode) kernel.Call) ([]kernel.Call, error) {
	g, err := e.calls()
	if err != nil {
		return nil, err
	}
	nodes, err := e.nodesOf(g, symbol)
	if err != nil {
		return nil, err
	}
	var out []kernel.Call
	for _, n := range nodes {
		self, err := e.nodeName(g, n)
		if err != nil {
			return nil, err
		}
		list, end := side(g)
		out = slices.Grow(out, len(list.of(int(n))))
		for _, i := range list.of(int(n)) {
			other, err := e.nodeName(g, end[i])
			if err != nil {
				return nil, err
			}
			c := call(self, other)
			c.Made = g.made(i)
			out = append(out, c)
		}
	}
	slices.SortFunc(out, kernel.CompareCalls)
	return out, nil
}

// nodesOf gives the nodes of a name: one for each module that has it.
func (e *Entry) nodesOf(g *calls, name string) ([]uint32, error) {
	y, err := e.symbols()
	if err != nil {
		return nil, err
	}
	var nodes []uint32
	source, ok, err := e.Symbol(name)
	if err != nil {
		return nil, err
	}
	if ok {
		fn, _, err := e.find(source)
		if err != nil {
			return nil, err
		}
		for _, i := range y.byFn.of(fn) {
			suffix, err := e.a.names.get(y.suffix[i])
			if err != nil {
				return nil, err
			}
			if n := g.node[i]; withSuffix(source, suffix) == name && !slices.Contains(nodes, n) {
				nodes = append(nodes, n)
			}
		}
	}
	for i, x := range g.extra {
		if x.name == name {
			nodes = append(nodes, uint32(len(g.symbol)-len(g.extra)+i))
		}
	}
	return nodes, nil
}

// nodeName gives the name and module of a node.
func (e *Entry) nodeName(g *calls, n uint32) (callNode, error) {
	i := g.symbol[n]
	if i < 0 {
		return g.extra[int(n)-(len(g.symbol)-len(g.extra))], nil
	}
	y, err := e.symbols()
	if err != nil {
		return callNode{}, err
	}
	mods, err := e.mods()
	if err != nil {
		return callNode{}, err
	}
	name, err := e.symbolName(y, int(i))
	return callNode{name, mods[moduleAt(y.first, int(i))]}, err
}

func (e *Entry) readCalls() (*calls, error) {
	g := &calls{}
	if err := e.readNodes(g); err != nil {
		return nil, err
	}
	c, err := e.section(sectCallEdges)
	if err != nil {
		return nil, err
	}
	n := len(g.symbol)
	if n > len(c.data) {
		return nil, e.bad(sectCallEdges)
	}
	counts, sum := make([]uint32, n), 0
	for i := range counts {
		v := c.int(1<<31 - 1)
		counts[i] = uint32(v)
		sum += v
	}
	if c.bad || sum > len(c.data) { // an edge takes a byte or more
		return nil, e.bad(sectCallEdges)
	}
	_, order := ranks(counts)
	g.callee, g.caller = make([]uint32, 0, sum), make([]uint32, 0, sum)
	for i := range n {
		for _, r := range c.ascending(n) {
			g.callee = append(g.callee, order[r])
			g.caller = append(g.caller, uint32(i))
		}
	}
	if !c.done() {
		return nil, e.bad(sectCallEdges)
	}
	g.out, g.in = group(g.caller, n), group(g.callee, n)
	if g.sure, err = e.bits(sectCallSure, len(g.caller)); err != nil {
		return nil, err
	}
	g.good, err = e.bits(sectCallGood, len(g.caller))
	return g, err
}

// bits reads a bit of each of n; older files have none.
func (e *Entry) bits(kind sectionKind, n int) ([]byte, error) {
	c, err := e.section(kind)
	if err == nil && len(c.data) > 0 && len(c.data) != (n+7)/8 {
		err = e.bad(kind)
	}
	return c.data, err
}

// readNodes numbers the nodes as the writer did.
func (e *Entry) readNodes(g *calls) error {
	y, err := e.symbols()
	if err != nil {
		return err
	}
	g.node, g.symbol = make([]uint32, len(y.addr)), make([]int32, 0, len(y.addr))
	module := 0
	for i := range y.addr {
		for i >= y.first[module+1] {
			module++
		}
		g.node[i] = uint32(len(g.symbol))
		// One of the same name before it has the node already.
		for _, j := range y.byFn.of(int(y.fn[i])) {
			if int(j) >= i {
				g.symbol = append(g.symbol, int32(i))
				break
			}
			if y.suffix[j] == y.suffix[i] && int(j) >= y.first[module] {
				g.node[i] = g.node[j]
				break
			}
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
		g.extra, g.symbol = append(g.extra, callNode{name, module}), append(g.symbol, -1)
	}
	if !c.done() || len(g.symbol) != e.meta.Nodes {
		return e.bad(sectCallNodes)
	}
	return nil
}
