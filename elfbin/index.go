package elfbin

import (
	"cmp"
	"container/heap"
	"debug/elf"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"
)

// symbolIndex finds symbols by name and address. Its numbers are indices in
// File.symbols.
type symbolIndex struct {
	byName nameIndex
	funcs  []int32 // FUNC and IFUNC by value, the worst name first among equals
	spans  []span  // by address, without gaps: the innermost sized function
}

// span says which function holds the addresses from low to the next span.
type span struct {
	low  uint64
	best int32 // index in funcs, -1 for none
}

func (f *File) newSymbolIndex() *symbolIndex {
	f.Symbols()
	x := &symbolIndex{}
	var names sync.WaitGroup
	names.Go(func() { x.byName = newNameIndex(f.symbols) })
	defer names.Wait()
	type at struct {
		value uint64
		n     int32
	}
	order := make([]at, 0, len(f.symbols)/2) // enough for most files
	for i := range f.symbols {
		if s := &f.symbols[i]; s.Func() || s.IFunc() {
			order = append(order, at{s.Value, int32(i)})
		}
	}
	slices.SortFunc(order, func(i, k at) int {
		if i.value != k.value {
			return cmp.Compare(i.value, k.value)
		}
		if c := compareNames(&f.symbols[i.n], &f.symbols[k.n]); c != 0 {
			return -c
		}
		return cmp.Compare(i.n, k.n)
	})
	x.funcs = make([]int32, len(order))
	for i, a := range order {
		x.funcs[i] = a.n
	}
	x.spans = f.newSpans(x.funcs)
	return x
}

// newSpans lays nested and overlapping functions flat, so that a lookup does
// not depend on how many overlap. A later function in funcs is the better one.
func (f *File) newSpans(funcs []int32) []span {
	out := make([]span, 0, len(funcs)+len(funcs)/2) // some have gaps between them
	var open best
	at := uint64(0)
	add := func(s span) {
		if len(out) == 0 || out[len(out)-1].best != s.best {
			out = append(out, s)
		}
	}
	advance := func(to uint64) {
		for at < to {
			for len(open) > 0 && f.symbols[funcs[open[0]]].end() <= at {
				heap.Pop(&open)
			}
			s, next := span{at, -1}, to
			if len(open) > 0 {
				s.best = open[0]
				next = min(to, f.symbols[funcs[s.best]].end())
			}
			add(s)
			at = next
		}
	}
	for i, n := range funcs {
		s := &f.symbols[n]
		if s.Size == 0 {
			continue
		}
		advance(s.Value)
		// Nearly all functions end before the next begins.
		if len(open) == 0 && (i+1 == len(funcs) || f.symbols[funcs[i+1]].Value >= s.end()) && at == s.Value {
			add(span{at, int32(i)})
			at = s.end()
			continue
		}
		heap.Push(&open, int32(i))
	}
	advance(math.MaxUint64)
	return out
}

// best is a heap with the highest number on top.
type best []int32

func (b best) Len() int           { return len(b) }
func (b best) Less(i, k int) bool { return b[i] > b[k] }
func (b best) Swap(i, k int)      { b[i], b[k] = b[k], b[i] }
func (b *best) Push(v any)        { *b = append(*b, v.(int32)) }
func (b *best) Pop() any {
	last := len(*b) - 1
	v := (*b)[last]
	*b = (*b)[:last]
	return v
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
	if found := f.named(name); found != nil {
		return found
	}
	base, version, ok := strings.Cut(name, "@")
	if !ok || base == "" {
		return nil
	}
	onlyDefault := strings.HasPrefix(version, "@")
	version = strings.TrimPrefix(version, "@")
	return slices.DeleteFunc(f.named(base), func(s Symbol) bool {
		return s.Version != version || version == "" || onlyDefault && s.Hidden
	})
}

// named gives the symbols of exactly a name.
func (f *File) named(name string) []Symbol {
	if f.known != nil {
		if out, err := f.known.Named(name); err == nil {
			return out
		}
	}
	var out []Symbol
	for _, i := range f.index().byName.find(f.symbols, name) {
		out = append(out, f.symbols[i])
	}
	return out
}

// FuncsAt gives the function symbols (FUNC and IFUNC) whose value is exactly
// the virtual address: aliases, folded functions, and one function once from
// each table. The best name comes first.
func (f *File) FuncsAt(addr uint64) []Symbol {
	if f.known != nil {
		if out, err := f.known.FuncsAt(addr); err == nil {
			return out
		}
	}
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
	if f.known != nil {
		if s, ok, err := f.known.SymbolAt(addr); err == nil {
			return s, ok
		}
	}
	n := f.symbolAt(addr)
	if n < 0 {
		return Symbol{}, false
	}
	return f.symbols[n], true
}

// symbolAt is SymbolAt, as the index in symbols, -1 for none.
func (f *File) symbolAt(addr uint64) int32 {
	x := f.index()
	gap := uint64(0) // where the last sized function before addr ends
	if i := sort.Search(len(x.spans), func(i int) bool { return x.spans[i].low > addr }); i > 0 {
		if n := x.spans[i-1].best; n >= 0 {
			return x.funcs[n]
		}
		gap = x.spans[i-1].low
	}
	end := x.after(f, addr)
	if end == 0 {
		return -1
	}
	s := &f.symbols[x.funcs[end-1]]
	// A label inside of a sized function does not reach out of it.
	if s.Size != 0 || s.Value < gap || !f.sameCode(s.Value, addr) {
		return -1
	}
	return x.funcs[end-1]
}

// sameCode tells whether one executable section holds both addresses.
func (f *File) sameCode(a, b uint64) bool {
	i := sort.Search(len(f.code), func(i int) bool { return f.code[i].Low > a })
	return i > 0 && f.code[i-1].Contains(a) && f.code[i-1].Contains(b)
}
