package sites

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// maxCandidates bounds how many implementations an indirect function is given:
// libc's string functions have up to twenty.
const maxCandidates = 64

// addCandidates adds the implementations among which the resolver of an indirect
// function chooses: the functions whose addresses its code makes. One that comes
// from a table or another function is not seen.
func (b *Binary) addCandidates(r *Result, t *tally, resolver *bodyRef) {
	for _, addr := range b.candidates(resolver) {
		ref := b.implementation(addr)
		if ref == nil {
			continue
		}
		before := len(r.Sites)
		b.addBody(r, t, b.index.at(addr), ref)
		for i := before; i < len(r.Sites); i++ {
			s := &r.Sites[i]
			if s.Symbol == "" {
				s.Symbol = b.index.at(addr).name // named in the debug information only
			}
			t.candidates = append(t.candidates, s.Symbol)
		}
	}
	if len(t.candidates) == 0 {
		return
	}
	slices.Sort(t.candidates)
	t.candidates = slices.Compact(t.candidates)
	t.doubt(ReasonIFunc, "the symbol is an indirect function: calls go to what its resolver chooses, of which it names "+
		plural(len(t.candidates), "candidate")+" ("+some(t.candidates)+"); these may have other callers, and others may be chosen")
}

// candidates gives the virtual addresses of functions that a resolver's code
// makes, ascending.
func (b *Binary) candidates(resolver *bodyRef) []uint64 {
	code := []elfbin.Range{{Low: resolver.entry, High: resolver.entry + resolver.sym.Size}}
	for _, other := range b.file.FuncsAt(resolver.entry) {
		code[0].High = max(code[0].High, other.Value+other.Size)
	}
	taken, err := flow.AddressTaken(b.file, b.file.Arch(), code)
	if err != nil || len(taken) > maxCandidates {
		return nil
	}
	var out []uint64
	for addr := range taken {
		if !code[0].Contains(addr) {
			out = append(out, addr)
		}
	}
	slices.Sort(out)
	return out
}

// implementation finds the out-of-line body that begins at a virtual address.
func (b *Binary) implementation(addr uint64) *bodyRef {
	f := b.index.at(addr)
	if f == nil {
		return nil
	}
	for i := range f.bodies {
		if ref := &f.bodies[i]; ref.entry == addr && !(ref.named && ref.sym.IFunc()) {
			return ref
		}
	}
	return nil
}

// some names the first few of a list.
func some(names []string) string {
	const few = 3
	if len(names) <= few {
		return strings.Join(names, ", ")
	}
	return strings.Join(names[:few], ", ") + " ..."
}
