package sites

import (
	"debug/elf"
	"slices"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// withoutDebug gathers what the machine code alone says of a function: who
// still calls it. A local function that nobody calls and whose address nobody
// takes was inlined everywhere, or is dead.
func (b *Binary) withoutDebug(f *function, n *Notes) []Reason {
	if len(f.bodies) == 0 || !f.bodies[0].named {
		return nil
	}
	c := b.calls()
	if c.err != nil {
		return []Reason{{ReasonNoDebug, "direct callers cannot be listed: " + c.err.Error()}}
	}
	n.CallersKnown = true
	exported, taken := false, false
	for _, r := range f.bodies {
		n.Callers += len(c.of[r.entry])
		if _, ok := c.taken[r.entry]; ok {
			taken = true
		}
		for _, s := range b.file.FuncsAt(r.entry) {
			exported = exported || (s.Table == elfbin.Dynsym && s.Bind != elf.STB_LOCAL)
		}
	}
	n.AddressTaken = taken
	switch {
	case n.Callers > 0:
		return []Reason{{ReasonNoDebug, plural(n.Callers, "direct call") + " of the symbol left in the file"}}
	case exported:
		return []Reason{{ReasonNoDebug, "no direct call is left in the file, but the symbol is exported: callers may be outside"}}
	case taken:
		return []Reason{{ReasonNoDebug, "no direct call is left in the file, but its address is taken"}}
	}
	n.NoCaller = true
	return []Reason{{ReasonNoDebug, "the symbol has no caller left in this file: probably inlined everywhere (or unused)"}}
}

// miniSymbol tells that the symbol of the plain probe is one that libbpf 1.1
// and the bpftrace 0.17 of Debian 12 do not find: they read the file's own tables.
func miniSymbol(n *Notes) []Reason {
	own := func(s elfbin.Symbol) bool { return s.Table != elfbin.MiniDebug }
	if len(n.Symbols) == 0 || slices.ContainsFunc(n.Symbols, own) {
		return nil
	}
	return []Reason{{ReasonMiniSymbol, "the symbol is in .gnu_debugdata only: tools that do not read it, as libbpf, cannot attach by name"}}
}

// findCallers disassembles every function of the file once.
func (b *Binary) findCallers() *callers {
	c := &callers{of: map[uint64][]uint64{}}
	code := b.codeRanges()
	edges, err := flow.Calls(b.file, b.file.Arch(), code)
	if err != nil {
		c.err = err
		return c
	}
	for _, e := range edges {
		c.of[e.To] = append(c.of[e.To], e.From)
	}
	if c.taken, c.err = flow.AddressTaken(b.file, b.file.Arch(), code); c.err != nil {
		return c
	}
	b.addPointers(c)
	return c
}

// addPointers adds the functions whose address stands in data.
func (b *Binary) addPointers(c *callers) {
	for _, p := range b.file.CodePointers() {
		c.taken[p] = struct{}{}
	}
}
