package elfbin

import (
	"cmp"
	"debug/elf"
	"math"
	"slices"
	"sort"
	"strings"
)

// symbolIndex finds symbols by name and address. Its numbers are indices in
// File.symbols.
type symbolIndex struct {
	byName map[string][]int32
	funcs  []int32  // FUNC and IFUNC by value, the worst first among equals
	reach  []uint64 // reach[i] is the highest end of funcs[:i+1]
}

func (f *File) newSymbolIndex() *symbolIndex {
	x := &symbolIndex{byName: make(map[string][]int32, len(f.symbols))}
	for i := range f.symbols {
		s := &f.symbols[i]
		x.byName[s.Name] = append(x.byName[s.Name], int32(i))
		if s.Func() || s.IFunc() {
			x.funcs = append(x.funcs, int32(i))
		}
	}
	slices.SortStableFunc(x.funcs, func(i, k int32) int {
		a, b := &f.symbols[i], &f.symbols[k]
		return cmp.Or(cmp.Compare(a.Value, b.Value), -compareNames(a, b))
	})
	reach := uint64(0)
	for _, i := range x.funcs {
		reach = max(reach, f.symbols[i].end())
		x.reach = append(x.reach, reach)
	}
	return x
}

// end is the address after the symbol, its value if it has no size.
func (s *Symbol) end() uint64 {
	if s.Size > math.MaxUint64-s.Value {
		return math.MaxUint64
	}
	return s.Value + s.Size
}

// compareNames orders symbols of one address, the best name for a reader
// first: sized, global, from .symtab, the default version, without the
// underscores of internal aliases.
func compareNames(a, b *Symbol) int {
	rank := func(s *Symbol) [5]int {
		r := [5]int{2: int(s.Table), 4: len(s.Name) - len(strings.TrimLeft(s.Name, "_"))}
		if s.Size == 0 {
			r[0] = 1
		}
		switch s.Bind {
		case elf.STB_GLOBAL:
		case elf.STB_WEAK:
			r[1] = 1
		default:
			r[1] = 2
		}
		if s.Hidden {
			r[3] = 1
		}
		return r
	}
	ra, rb := rank(a), rank(b)
	return cmp.Or(slices.Compare(ra[:], rb[:]), cmp.Compare(len(a.Name), len(b.Name)), cmp.Compare(a.Name, b.Name))
}

// Lookup gives every symbol of a name, in the order of Symbols. The name may
// carry a version: name@VERSION is any symbol of that version,
// name@@VERSION only the default one.
func (f *File) Lookup(name string) []Symbol {
	x := f.index()
	if found := x.byName[name]; found != nil {
		return f.pick(found, func(*Symbol) bool { return true })
	}
	base, version, ok := strings.Cut(name, "@")
	if !ok || base == "" {
		return nil
	}
	onlyDefault := strings.HasPrefix(version, "@")
	version = strings.TrimPrefix(version, "@")
	return f.pick(x.byName[base], func(s *Symbol) bool {
		return s.Version == version && version != "" && !(onlyDefault && s.Hidden)
	})
}

func (f *File) pick(from []int32, keep func(*Symbol) bool) []Symbol {
	var out []Symbol
	for _, i := range from {
		if s := &f.symbols[i]; keep(s) {
			out = append(out, *s)
		}
	}
	return out
}

// FuncsAt gives the function symbols (FUNC and IFUNC) whose value is exactly
// the virtual address: aliases, folded functions, and one function once from
// each table. The best name comes first.
func (f *File) FuncsAt(addr uint64) []Symbol {
	x := f.index()
	end := x.after(f, addr)
	var out []Symbol
	for i := end - 1; i >= 0 && f.symbols[x.funcs[i]].Value == addr; i-- {
		out = append(out, f.symbols[x.funcs[i]])
	}
	return out
}

// after is the index in funcs of the first function above the address.
func (x *symbolIndex) after(f *File, addr uint64) int {
	return sort.Search(len(x.funcs), func(i int) bool { return f.symbols[x.funcs[i]].Value > addr })
}

// SymbolAt gives the function symbol (FUNC or IFUNC) that contains a virtual
// address: the innermost sized one, and of several at one address the best
// name. A function without a size, as assembly has them, reaches to the next
// function or the end of its section.
func (f *File) SymbolAt(addr uint64) (Symbol, bool) {
	x := f.index()
	end := x.after(f, addr)
	for i := end - 1; i >= 0 && x.reach[i] > addr; i-- {
		if s := f.symbols[x.funcs[i]]; s.end() > addr {
			return s, true
		}
	}
	if end == 0 {
		return Symbol{}, false
	}
	s := f.symbols[x.funcs[end-1]]
	if s.Size != 0 || !f.sameCode(s.Value, addr) {
		return Symbol{}, false
	}
	return s, true
}

// sameCode tells whether one executable section holds both addresses.
func (f *File) sameCode(a, b uint64) bool {
	i := sort.Search(len(f.code), func(i int) bool { return f.code[i].Low > a })
	return i > 0 && f.code[i-1].Contains(a) && f.code[i-1].Contains(b)
}
