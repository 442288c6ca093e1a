package sites

import (
	"debug/elf"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// callers are the direct calls of a binary, by target address.
type callers struct {
	of       map[uint64][]flow.CallEdge // by target, from code that belongs to functions
	loose    map[uint64]int             // by target, calls in code that nothing describes: it may be data
	code     map[uint64]struct{}        // functions whose address instructions make
	data     map[uint64]struct{}        // functions whose address data holds
	stubs    map[string][]uint64        // PLT stubs of functions by name
	source   map[uint64]string          // source files of local functions, by address
	indirect int
	unread   uint64
	err      error
}

// findCallers disassembles all code of the file once.
func (b *Binary) findCallers() *callers {
	c := &callers{of: map[uint64][]flow.CallEdge{}, loose: map[uint64]int{}, data: map[uint64]struct{}{}, stubs: map[string][]uint64{}}
	l := b.layout()
	arch := b.file.Arch()
	census, err := flow.ReadCalls(b.file, arch, l.owned)
	if err != nil {
		return &callers{err: err}
	}
	for _, e := range census.Edges {
		c.of[e.To] = append(c.of[e.To], e)
	}
	c.indirect, c.unread = census.Indirect, census.Unread
	taken, err := flow.AddressesTaken(b.file, arch, l.owned)
	if err != nil {
		return &callers{err: err}
	}
	c.code = taken.Code
	if err := c.addLoose(b, l.loose); err != nil {
		return &callers{err: err}
	}
	for _, p := range append(b.file.CodePointers(), b.file.EntryPoint()) {
		c.data[p] = struct{}{}
	}
	for stub, name := range b.plt() {
		c.stubs[name] = append(c.stubs[name], stub)
	}
	c.source = sourceFiles(b.file.Symbols())
	return c
}

// sourceFiles gives the source file of each local function: its symbol stands
// behind that of the file (gABI, STT_FILE).
func sourceFiles(symbols []elfbin.Symbol) map[uint64]string {
	out := map[uint64]string{}
	source, table := "", elfbin.Symtab
	for _, s := range symbols {
		switch {
		case s.Table != table, s.Bind != elf.STB_LOCAL:
			source, table = "", s.Table
		case s.Type == elf.STT_FILE:
			source = s.Name
			if strings.ContainsAny(source, "<>") {
				source = "" // "<artificial>": made by the link-time optimizer
			}
		case s.Func() && source != "":
			out[s.Value] = source
		}
	}
	return out
}

// addLoose adds what code between the functions holds; padding holds nothing.
func (c *callers) addLoose(b *Binary, loose []elfbin.Range) error {
	for _, r := range loose {
		census, err := flow.ReadCalls(b.file, b.file.Arch(), []elfbin.Range{r})
		if err != nil {
			return err
		}
		if census.Filling {
			continue
		}
		taken, err := flow.AddressesTaken(b.file, b.file.Arch(), []elfbin.Range{r})
		if err != nil {
			return err
		}
		for _, e := range census.Edges {
			c.loose[e.To]++
		}
		for addr := range taken.Code {
			c.code[addr] = struct{}{}
		}
		c.indirect += census.Indirect
		c.unread += census.Unread
	}
	return nil
}

// withoutDebug gathers what the machine code alone says of a function: who
// still calls it. A local function that nobody calls and whose address nobody
// takes was inlined everywhere, or is dead.
func (b *Binary) withoutDebug(f *function, n *Notes) []Reason {
	if len(f.bodies) == 0 || !f.bodies[0].named {
		return nil
	}
	e, err := b.evidence(f)
	if err != nil {
		return []Reason{{ReasonNoDebug, "direct callers cannot be listed: " + err.Error()}}
	}
	n.Code = e
	n.NoCaller = e.NoCaller == Medium || e.NoCaller == High
	return []Reason{{ReasonNoDebug, e.String()}}
}

// refused lists debug files that were there and could not be taken, or could
// not be fetched, with the reason.
func (b *Binary) refused() []Reason {
	var out []Reason
	for _, a := range b.search.Attempts {
		if a.Detail != "" && a.Outcome != elfbin.Found && a.Outcome != elfbin.NotSearched {
			out = append(out, Reason{ReasonNoDebug, a.String()})
		}
	}
	return out
}

// refusals is refused in one text.
func (b *Binary) refusals() string {
	var parts []string
	for _, r := range b.refused() {
		parts = append(parts, r.Text)
	}
	return strings.Join(parts, "; ")
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
