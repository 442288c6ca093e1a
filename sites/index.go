package sites

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/surehook/surehook/elfbin"
)

// function is one function of the source: all DIEs, bodies, copies and
// symbols that belong to it.
type function struct {
	name     string // source name, qualified by namespaces
	linkage  string // mangled name, empty where it does not differ
	declFile string
	declLine int
	decls    []place // every declaration and definition
	defined  bool    // one of them is a definition

	roots  []int32 // abstract instances, indices in Data.Funcs
	bodies []bodyRef
	copies []int32 // indices in Data.Copies
	parts  []elfbin.Symbol
	colds  []elfbin.Symbol
	names  []string // every other spelling a hook may use

	number int32 // in index.all
}

// bodyRef is one out-of-line body.
type bodyRef struct {
	die   int32  // index in Data.Funcs, -1 for a symbol without debug information
	entry uint64 // virtual address
	sym   elfbin.Symbol
	named bool // sym is a symbol of the file
	clone bool // the compiler made it: .isra, .constprop ...
	part  bool // .part: the tail of calls that began elsewhere

	wrapper bool // Go: only passes the call on, from one calling convention to the other
}

// index finds functions by name and by entry address.
type index struct {
	stored *storedIndex // if it is one from the cache: then only symbols is set besides

	all     []*function // in the order they were found
	funcs   []*function // those that have code
	byRoot  []*function // by index in Data.Funcs, nil without a name
	byEntry map[uint64]*function
	named   map[string][]*function // by source and mangled name
	symbols func() []elfbin.Symbol // function symbols, one an address and name, by address

	asked atomic.Int32    // how often spelled searched all
	names func() []uint64 // see nameEntries, computed once
}

func newIndex(b *Binary) *index {
	x := &index{symbols: b.symbols, byEntry: map[uint64]*function{}}
	x.names = sync.OnceValue(func() []uint64 { return nameEntries(x.all) })
	if b.loaded != nil {
		x.addDIEs(b)
	}
	var wg sync.WaitGroup
	wg.Go(x.addNames)
	if b.loaded != nil {
		x.addDecls(b.loaded)
		x.markWrappers(b.loaded)
	}
	wg.Wait()
	x.addSymbols(b)
	x.all, x.funcs = x.funcs, nil
	for i, f := range x.all {
		f.number = int32(i)
		if f.ghost() {
			continue
		}
		slices.SortStableFunc(f.bodies, func(a, b bodyRef) int { return cmp.Compare(a.rank(), b.rank()) })
		x.funcs = append(x.funcs, f)
	}
	return x
}

// rank puts the plain body before clones and these before parts.
func (r bodyRef) rank() int {
	switch {
	case r.part, r.wrapper:
		return 2
	case r.clone:
		return 1
	}
	return 0
}

// place is a position in a source file.
type place struct {
	file      string
	line, col int // col 0: not recorded
}

// addSymbols hangs every function symbol on the function it belongs to, and
// makes functions of those the debug information does not know.
func (x *index) addSymbols(b *Binary) {
	bare := x.named
	for _, s := range x.symbols() {
		if goMarker(s) {
			continue
		}
		base, suffix := splitClone(s.Name)
		if b.goText(s.Value) { // Go's compiler hangs no suffixes on names
			base, suffix = s.Name, cloneSuffix{}
		}
		if suffix.cold {
			for _, f := range bare[base] {
				f.colds = append(f.colds, s)
			}
			continue
		}
		if f := x.byEntry[s.Value]; f != nil && !s.IFunc() {
			f.hang(s, suffix)
			continue
		}
		if f := b.patched(bare[base], s); f != nil {
			x.byEntry[s.Value] = f
			f.hang(s, suffix)
			continue
		}
		f := &function{name: base}
		if known := b.adopter(bare[base], s, suffix); known != nil {
			f = known // a clone or, with line tables only or of folded code, a body without a DIE of its own
			if !s.IFunc() {
				x.byEntry[s.Value] = f
			}
		} else {
			x.funcs = append(x.funcs, f)
			bare[base] = append(bare[base], f)
			if !s.IFunc() { // the resolver at that address is another function
				x.byEntry[s.Value] = f
			}
		}
		f.bodies = append(f.bodies, bodyRef{die: -1, entry: s.Value})
		f.hang(s, suffix)
	}
	eachChunk(len(x.funcs), func(_, from, to int) {
		for _, f := range x.funcs[from:to] {
			f.spell()
		}
	})
}

// addNames finds functions by name. Most names have one: these lists share
// memory.
func (x *index) addNames() {
	x.named = make(map[string][]*function, len(x.funcs))
	pool := slices.Clone(x.funcs)
	add := func(name string, i int) {
		if list, ok := x.named[name]; ok {
			x.named[name] = append(list, x.funcs[i])
		} else {
			x.named[name] = pool[i : i+1 : i+1]
		}
	}
	for i, f := range x.funcs {
		add(f.name, i)
		if f.linkage != "" && f.linkage != f.name {
			add(f.linkage, i)
		}
	}
}

// startFiles are the functions that the compiler's and the C library's start
// files bring into every program, without debug information.
var startFiles = map[string]bool{
	"_start": true, "_init": true, "_fini": true, "deregister_tm_clones": true, "register_tm_clones": true,
	"__do_global_dtors_aux": true, "frame_dummy": true, "_dl_relocate_static_pie": true, "call_weak_fn": true,
	"__clang_call_terminate": true, // clang's own: catches and terminates
	"__libc_csu_init":        true, "__libc_csu_fini": true, "atexit": true, "at_quick_exit": true,
}

// hang names the bodies at the symbol's address.
func (f *function) hang(s elfbin.Symbol, suffix cloneSuffix) {
	for i := range f.bodies {
		r := &f.bodies[i]
		if r.entry != s.Value {
			continue
		}
		base, _ := splitClone(s.Name)
		own := base == f.name || base == f.linkage
		if !r.named || (own && !suffix.clone && r.clone) {
			r.sym, r.named, r.clone, r.part = s, true, suffix.clone, suffix.part
		}
	}
	if suffix.part {
		f.parts = append(f.parts, s)
	}
	f.names = append(f.names, s.Name)
	if s.Version != "" {
		f.names = append(f.names, s.Name+"@"+s.Version, s.Name+"@@"+s.Version)
	}
}

// deletingDestructor tells whether a mangled name is that of a destructor that
// also frees the object.
func deletingDestructor(name string) bool {
	return strings.HasPrefix(name, "_Z") && (strings.HasSuffix(name, "D0Ev") || strings.Contains(name, "D0Ev."))
}

// functionSymbols lists the symbols that name code, each name and address
// once, by address.
func functionSymbols(file *elfbin.File) []elfbin.Symbol {
	symbols := file.Symbols()
	count := 0
	for i := range symbols {
		if s := &symbols[i]; s.Func() || s.IFunc() {
			count++
		}
	}
	out := make([]elfbin.Symbol, 0, count)
	for _, s := range symbols {
		if (s.Func() || s.IFunc()) && file.Executable(s.Value) && !prefix(file, s) {
			out = append(out, s)
		}
	}
	out = sorted(out, func(a, b *elfbin.Symbol) int { return cmp.Compare(a.Value, b.Value) })
	kept := out[:0]
	names := map[string]bool{} // at the address
	for i, s := range out {
		switch {
		case i+1 < len(out) && out[i+1].Value == s.Value:
			if i == 0 || len(kept) > 0 && kept[len(kept)-1].Value != s.Value {
				clear(names)
			}
		case len(kept) == 0 || kept[len(kept)-1].Value != s.Value:
			kept = append(kept, s) // the only one, as nearly always
			continue
		}
		if !names[s.Name] {
			names[s.Name] = true
			kept = append(kept, s)
		}
	}
	return kept
}

// prefix tells whether a symbol names the space in front of a function: the
// kernel's __pfx_f (objtool --prefix) and __cfi_f, which nothing executes.
func prefix(file *elfbin.File, s elfbin.Symbol) bool {
	f, ok := strings.CutPrefix(s.Name, "__pfx_")
	if !ok {
		f, ok = strings.CutPrefix(s.Name, "__cfi_")
	}
	return ok && slices.ContainsFunc(file.Lookup(f), func(y elfbin.Symbol) bool { return y.Value == s.Value+s.Size })
}

// byName orders functions by name; those of one name by file.
func byName(funcs []*function) []*function {
	return sorted(funcs, func(f, g **function) int {
		if c := strings.Compare((*f).name, (*g).name); c != 0 {
			return c
		}
		return strings.Compare((*f).declFile, (*g).declFile)
	})
}

// sorted sorts and keeps the order of equals. It moves numbers instead of
// values, which makes it several times as fast as a stable sort of those.
func sorted[T any](in []T, compare func(a, b *T) int) []T {
	order := make([]int32, len(in))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortFunc(order, func(i, j int32) int {
		if c := compare(&in[i], &in[j]); c != 0 {
			return c
		}
		return cmp.Compare(i, j)
	})
	out := make([]T, len(in))
	for to, from := range order {
		out[to] = in[from]
	}
	return out
}

// ghost tells that a function is known by name only: it has no body and no copy.
func (f *function) ghost() bool { return len(f.bodies)+len(f.copies)+len(f.parts) == 0 }

// live gives all functions that have code.
func (x *index) live() []*function {
	if x.stored == nil {
		return x.funcs
	}
	return slices.DeleteFunc(slices.Clone(x.stored.every()), (*function).ghost)
}

// ofRoot gives the function of an abstract instance, by index in Data.Funcs;
// nil if it has no name.
func (x *index) ofRoot(i int32) *function {
	if x.stored != nil {
		return x.stored.ofRoot(i)
	}
	if i < 0 || int(i) >= len(x.byRoot) {
		return nil
	}
	return x.byRoot[i]
}

// at gives the function whose body begins at a virtual address, or nil.
func (x *index) at(addr uint64) *function {
	if x.stored != nil {
		return x.stored.at(addr)
	}
	return x.byEntry[addr]
}

// called gives the functions of a source or mangled name.
func (x *index) called(name string) []*function {
	if x.stored == nil {
		return x.named[name]
	}
	return slices.DeleteFunc(x.stored.spelled(name), func(f *function) bool { return f.name != name && f.linkage != name })
}

// match lists the functions a name or a glob means, by name.
func (x *index) match(pattern string, glob bool) []*function {
	var from []*function
	if glob {
		from = x.live()
	} else {
		from = slices.DeleteFunc(x.spelled(pattern), (*function).ghost)
	}
	var out []*function
	for _, f := range from {
		if f.matches(pattern, glob) {
			out = append(out, f)
		}
	}
	return byName(out)
}

// fewQuestions are answered by a look at all functions: less work than a
// table of their names.
const fewQuestions = 16

// spelled gives the functions, ghosts too, that have a spelling with the name's
// hash, in the order of their numbers.
func (x *index) spelled(name string) []*function {
	if x.stored != nil {
		return x.stored.spelled(name)
	}
	var out []*function
	if x.asked.Add(1) <= fewQuestions {
		for _, f := range x.all {
			if f.matches(name, false) {
				out = append(out, f)
			}
		}
		return out
	}
	names, first := x.names(), nameEntry(name, 0)
	at, _ := slices.BinarySearch(names, first)
	for ; at < len(names) && names[at]>>32 == first>>32; at++ {
		out = append(out, x.all[uint32(names[at])])
	}
	return out
}

// ghosts lists the functions of a name that have no code.
func (x *index) ghosts(name string) []*function {
	var out []*function
	for _, f := range x.spelled(name) {
		if f.ghost() && f.matches(name, false) {
			out = append(out, f)
		}
	}
	return out
}
