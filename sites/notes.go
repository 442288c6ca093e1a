package sites

import (
	"slices"
)

// notes gathers the facts of a function's symbols.
func (b *Binary) notes(f *function) Notes {
	n := Notes{Parts: f.parts, Colds: f.colds, StartFile: startFiles[f.name]}
	for _, r := range f.bodies {
		n.StartFile = n.StartFile && r.die < 0
		if !r.part && !r.wrapper {
			n.Bodies++
		}
		for _, s := range b.file.FuncsAt(r.entry) {
			if !slices.Contains(n.Symbols, s) {
				n.Symbols = append(n.Symbols, s)
			}
			if base, _ := splitClone(s.Name); !(r.named && r.sym.IFunc()) && b.foldedWith(f, base, r.entry) && !slices.Contains(n.Folded, s.Name) {
				n.Folded = append(n.Folded, s.Name)
			}
		}
	}
	for _, r := range f.bodies {
		for _, name := range b.foldedJumps()[r.entry] {
			if name != f.name && !slices.Contains(n.Folded, name) {
				n.Folded = append(n.Folded, name)
			}
		}
	}
	for _, name := range []string{f.name, f.linkage} {
		for _, s := range b.file.Lookup(name) {
			if !slices.Contains(n.Symbols, s) {
				n.Symbols = append(n.Symbols, s)
			}
		}
	}
	for _, s := range n.Symbols {
		n.Interposed = n.Interposed || b.interposed()[s.Name]
	}
	return n
}

// foldedWith tells whether another source function has its body at f's
// address: the linker folded identical code. An alias of f has no function
// of its own.
func (b *Binary) foldedWith(f *function, base string, entry uint64) bool {
	for _, other := range b.index.called(base) {
		if other == f {
			continue
		}
		// GCC leaves of a function it folded a DIE without code.
		if other.defined && len(other.bodies)+len(other.copies) == 0 && base != f.name && base != f.linkage {
			return true
		}
		for _, r := range other.bodies {
			if r.entry == entry && r.die >= 0 {
				return true
			}
		}
	}
	return false
}

// pltName tells which imported function a PLT stub at the address calls.
func (b *Binary) pltName(addr uint64) (string, bool) {
	name, ok := b.plt()[addr]
	return name, ok
}
