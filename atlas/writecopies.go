package atlas

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"github.com/surehook/surehook/kernel"
)

// copyRef is a copy with its function.
type copyRef struct {
	*kernel.Copy
	fn  int
	mod int
}

// copies writes the inlined copies by address. Their functions are numbered by
// how many copies they have, which the reader finds out from the counts.
func (w *kernelWriter) copies() error {
	var list []copyRef
	counts := make([]uint32, len(w.funcs))
	perMod := make([]uint64, len(w.mods))
	for i, f := range w.funcs {
		counts[i] = uint32(len(f.Copies))
		for j := range f.Copies {
			c := &f.Copies[j]
			list = append(list, copyRef{c, i, w.module(c.Module)})
			perMod[w.module(c.Module)]++
		}
	}
	slices.SortStableFunc(list, func(a, b copyRef) int {
		return cmp.Or(cmp.Compare(a.mod, b.mod), cmp.Compare(a.Address, b.Address), cmp.Compare(a.fn, b.fn))
	})
	rank, _ := ranks(counts)
	var addrs, funcs column
	for _, n := range perMod {
		addrs.put(n)
	}
	for _, n := range counts {
		funcs.put(uint64(n))
	}
	mod, last := -1, uint64(0)
	for _, c := range list {
		if c.mod != mod {
			mod, last = c.mod, 0
		}
		addrs.put(c.Address - last)
		last = c.Address
		funcs.put(uint64(rank[c.fn]))
	}
	w.section(sectCopyAddrs, addrs)
	w.section(sectCopyFuncs, funcs)
	return w.conditions(list)
}

// conditions writes what single copies have: a condition, several executions
// a hit, a caller that is not the symbol before the address.
func (w *kernelWriter) conditions(list []copyRef) error {
	distinct := newRecords(codeCond)
	var at, callers column
	last, lastCaller := 0, 0
	for i, c := range list {
		if x := (condition{cond: c.Cond, times: c.Times}); x != plainCopy() {
			at.put(uint64(i - last))
			at.put(uint64(distinct.add(&numbers{}, &x)))
			last = i
		}
		n := w.holder(c)
		if n < 0 && c.Caller != "" {
			return fmt.Errorf("the copy of %s at %#x is in %s+%#x, which is no symbol", w.funcs[c.fn].Name, c.Address, c.Caller, c.Offset)
		}
		if n != holding(w.addresses(c.mod), c.Address) {
			callers.put(uint64(i - lastCaller))
			callers.put(uint64(n + 1)) // 0: none
			lastCaller = i
		}
	}
	var c column
	c.put(uint64(len(distinct.list)))
	for _, r := range distinct.list {
		c.text(r)
	}
	c.put(uint64(len(at)))
	c = append(append(c, at...), callers...)
	w.section(sectCopyConds, c)
	return nil
}

// plainCopy is a hit that is one execution.
func plainCopy() condition { return condition{times: 1} }

// holder finds the symbol that a copy says it is in, by its place among those
// of the module; -1 if there is none.
func (w *kernelWriter) holder(c copyRef) int {
	syms := w.inModule(c.mod)
	at := c.Address - c.Offset
	i := sort.Search(len(syms), func(i int) bool { return syms[i].Address >= at })
	for ; i < len(syms) && syms[i].Address == at; i++ {
		if syms[i].Name == c.Caller {
			return i
		}
	}
	return -1
}

// inModule gives the symbols of a module.
func (w *kernelWriter) inModule(mod int) []symbolRef {
	low := sort.Search(len(w.syms), func(i int) bool { return w.syms[i].mod >= mod })
	high := sort.Search(len(w.syms), func(i int) bool { return w.syms[i].mod > mod })
	return w.syms[low:high]
}

// addresses are those of a module's symbols.
func (w *kernelWriter) addresses(mod int) func(i int) (uint64, bool) {
	syms := w.inModule(mod)
	return func(i int) (uint64, bool) {
		if i >= len(syms) {
			return 0, false
		}
		return syms[i].Address, true
	}
}

// holding is the symbol that an address is in if nothing else is said: the
// first of those with the greatest address that is not behind it.
func holding(address func(i int) (uint64, bool), a uint64) int {
	n := sort.Search(1<<30, func(i int) bool { v, ok := address(i); return !ok || v > a })
	if n == 0 {
		return 0
	}
	base, _ := address(n - 1)
	return sort.Search(n, func(i int) bool { v, _ := address(i); return v >= base })
}

// ranks numbers things by how often they are used; order is the reverse.
func ranks(counts []uint32) (rank []uint32, order []uint32) {
	order = make([]uint32, len(counts))
	for i := range order {
		order[i] = uint32(i)
	}
	slices.SortStableFunc(order, func(a, b uint32) int { return cmp.Compare(counts[b], counts[a]) })
	rank = make([]uint32, len(counts))
	for i, v := range order {
		rank[v] = uint32(i)
	}
	return rank, order
}

// node is a symbol of the call graph.
type node struct{ name, module string }

// graph is the call graph by numbers. The first nodes are the symbols in the
// order of the snapshot's functions; extra nodes call or are called as well.
type graph struct {
	nodes []node
	extra []node
	edges []edge
}

// edge is a call between nodes.
type edge struct {
	from, to int
	made     kernel.Made
}

func newGraph(k *kernel.Snapshot) *graph {
	g := &graph{}
	at := map[node]int{}
	add := func(n node) int {
		i, ok := at[n]
		if !ok {
			i = len(g.nodes)
			at[n] = i
			g.nodes = append(g.nodes, n)
		}
		return i
	}
	for i := range k.Functions {
		for _, s := range k.Functions[i].Symbols {
			add(node{s.Name, s.Module})
		}
	}
	known := len(g.nodes)
	for _, e := range k.Edges {
		g.edges = append(g.edges, edge{add(node{e.Caller, e.CallerModule}), add(node{e.Callee, e.CalleeModule}), e.Made})
	}
	g.extra = g.nodes[known:]
	return g
}

// calls writes the call graph: nodes in an order of their own, the extra ones
// by name, and for each caller the callees by rank.
func (w *kernelWriter) calls(g *graph) {
	number := w.nodeNumbers(g)
	counts := make([]uint32, len(g.nodes))
	out := make([][]uint64, len(g.nodes)) // rank, and when it is made, in the two lowest bits
	for _, e := range g.edges {
		counts[number[e.to]]++
	}
	rank, _ := ranks(counts)
	for _, e := range g.edges {
		v := uint64(rank[number[e.to]])<<2 | uint64(e.made)
		out[number[e.from]] = append(out[number[e.from]], v)
	}
	var c, sure, good column
	for _, n := range counts {
		c.put(uint64(n))
	}
	n := 0
	for _, list := range out {
		slices.Sort(list)
		callees := make([]uint32, len(list))
		for i, v := range list {
			callees[i] = uint32(v >> 2)
			sure.bit(n, kernel.Made(v&3) == kernel.Always)
			good.bit(n, kernel.Made(v&3) == kernel.UnlessFails)
			n++
		}
		c.ascending(callees)
	}
	w.section(sectCallEdges, c)
	w.section(sectCallSure, sure)
	w.section(sectCallGood, good)
}

// nodeNumbers numbers the nodes as the file does: symbols of one name and
// module by the first of them, then the extra ones, which it writes.
func (w *kernelWriter) nodeNumbers(g *graph) []int {
	at := map[node]int{}
	for _, s := range w.syms {
		n := node{s.Name, s.Module}
		if _, ok := at[n]; !ok {
			at[n] = len(at)
		}
	}
	var c column
	for _, n := range g.extra {
		at[n] = len(at)
		c.put(w.names.Add(n.name))
		c.put(w.names.Add(n.module))
	}
	w.section(sectCallNodes, c)
	number := make([]int, len(g.nodes))
	for i, n := range g.nodes {
		number[i] = at[n]
	}
	return number
}

// lists writes what else a kernel has, by numbers in the pools.
func (w *kernelWriter) lists() {
	k := w.k
	for i := range k.Defs {
		id := w.defs.add(w.names, &k.Defs[i])
		if int(id) == len(w.defNames) {
			w.defNames = append(w.defNames, w.names.at[k.Defs[i].Name])
		}
	}
	listOf(w, sectDefIDs, w.defs, k.Defs)
	listOf(w, sectEventIDs, w.events, k.Events)
	listOf(w, sectPointIDs, w.points, k.Raws)
	listOf(w, sectHookIDs, w.hooks, k.Hooks)
	var kfuncs, config column
	for _, s := range k.BPFFuncs {
		kfuncs.put(w.names.Add(s))
	}
	w.section(sectKfuncs, kfuncs)
	keys := make([]string, 0, len(k.Options))
	for key := range k.Options {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		config.put(w.names.Add(key))
		config.put(w.names.Add(k.Options[key]))
	}
	w.section(sectConfig, config)
}

func listOf[T any](w *kernelWriter, kind sectionKind, pool *records[T], list []T) {
	var c column
	near := mark{}
	for i := range list {
		c.signed(near.distance(pool.add(w.names, &list[i])))
	}
	w.section(kind, c)
}
