package sites

import (
	"slices"
	"sort"
	"strings"

	"github.com/surehook/surehook/dwarfinfo"
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

	roots  []int32 // abstract instances, indices in Data.Funcs
	bodies []bodyRef
	copies []int32 // indices in Data.Copies
	parts  []elfbin.Symbol
	colds  []elfbin.Symbol
	names  []string // every other spelling a hook may use
}

// bodyRef is one out-of-line body.
type bodyRef struct {
	die   int32  // index in Data.Funcs, -1 for a symbol without debug information
	entry uint64 // virtual address
	sym   elfbin.Symbol
	named bool // sym is a symbol of the file
	clone bool // the compiler made it: .isra, .constprop ...
	part  bool // .part: the tail of calls that began elsewhere
}

// index finds functions by name and by entry address.
type index struct {
	funcs       []*function
	byRoot      map[int32]*function // by index in Data.Funcs
	byEntry     map[uint64]*function
	named       map[string][]*function // by source and mangled name
	undescribed int                    // functions that the debug information says nothing of
	ghosts      []*function            // known by name only: no body, no copy
	symbols     []elfbin.Symbol        // function symbols, one an address and name, by address
}

// key groups the abstract instances of one source function: a static inline
// function of a header has one in every unit that uses it.
type key struct {
	name, linkage, file string
	line                int
}

func newIndex(b *Binary) *index {
	x := &index{byRoot: map[int32]*function{}, byEntry: map[uint64]*function{}, named: map[string][]*function{}}
	if b.loaded != nil {
		x.addDIEs(b)
	}
	x.addSymbols(b)
	live := x.funcs[:0]
	for _, f := range x.funcs {
		if len(f.bodies)+len(f.copies)+len(f.parts) == 0 {
			x.ghosts = append(x.ghosts, f)
			continue
		}
		sort.SliceStable(f.bodies, func(i, j int) bool { return f.bodies[i].rank() < f.bodies[j].rank() })
		live = append(live, f)
	}
	x.funcs = live
	sort.SliceStable(x.funcs, func(i, j int) bool {
		if x.funcs[i].name != x.funcs[j].name {
			return x.funcs[i].name < x.funcs[j].name
		}
		return x.funcs[i].declFile < x.funcs[j].declFile
	})
	return x
}

// rank puts the plain body before clones and these before parts.
func (r bodyRef) rank() int {
	switch {
	case r.part:
		return 2
	case r.clone:
		return 1
	}
	return 0
}

// addDIEs groups the functions of the debug information.
func (x *index) addDIEs(b *Binary) {
	d := b.loaded
	groups := map[key]*function{}
	of := func(root int32) *function {
		if f := x.byRoot[root]; f != nil {
			return f
		}
		r := &d.Funcs[root]
		if r.Name == "" && r.LinkageName == "" {
			return nil
		}
		k := key{qualified(r), r.LinkageName, r.DeclFile, r.DeclLine}
		f := groups[k]
		if f == nil {
			f = &function{name: k.name, linkage: k.linkage, declFile: k.file, declLine: k.line}
			if f.name == "" {
				f.name = k.linkage
			}
			groups[k] = f
			x.funcs = append(x.funcs, f)
		}
		f.roots = append(f.roots, root)
		x.byRoot[root] = f
		return f
	}
	again := map[int32]bool{} // DIEs of bodies that have another
	for i := range d.Funcs {
		fn := &d.Funcs[i]
		if len(fn.Ranges) == 0 {
			continue
		}
		entry := fn.Ranges[0].Low
		if fn.HasEntry {
			entry = fn.EntryPC
		}
		// Linkers leave the DIEs of dropped sections at address 0, 1 or -1.
		if !b.file.Executable(entry) {
			continue
		}
		f := of(fn.Root)
		if f != nil && f.hasBody(entry) {
			// An inline function of C++ has a DIE in every unit, and the
			// linker leads all of them to the instance that it kept.
			again[int32(i)] = true
			continue
		}
		if f != nil {
			f.bodies = append(f.bodies, bodyRef{die: int32(i), entry: entry})
			x.byEntry[entry] = f
		}
	}
	for i := range d.Copies {
		c := &d.Copies[i]
		if c.Origin < 0 || again[c.Func] || !b.liveFunc(c.Func) {
			continue
		}
		if f := of(c.Origin); f != nil {
			f.copies = append(f.copies, int32(i))
		}
	}
	for i := range d.Funcs {
		of(d.Funcs[i].Root)
	}
	x.addDecls(d)
}

// place is a position in a source file.
type place struct {
	file      string
	line, col int // col 0: not recorded
}

// addDecls gathers where each function is declared and defined. A C++ member's
// root is its declaration in the class; the line table speaks of the definition.
func (x *index) addDecls(d *dwarfinfo.Data) {
	for i := range d.Funcs {
		fn := &d.Funcs[i]
		f := x.byRoot[fn.Root]
		p := place{fn.DeclFile, fn.DeclLine, fn.DeclCol}
		if f == nil || fn.DeclLine == 0 || slices.Contains(f.decls, p) {
			continue
		}
		f.decls = append(f.decls, p)
		if !fn.Declaration {
			f.declFile, f.declLine = p.file, p.line
		}
	}
}

// liveFunc tells whether a body lies in the file's code.
func (b *Binary) liveFunc(die int32) bool {
	if die < 0 || die >= b.data.NumFuncs() {
		return false
	}
	for _, r := range b.data.Func(die).Ranges {
		if b.file.Executable(r.Low) {
			return true
		}
	}
	return false
}

// qualified is the source name with its namespaces.
func qualified(f *dwarfinfo.Func) string {
	if f.Scope != "" && f.Name != "" {
		return f.Scope + "::" + f.Name
	}
	return f.Name
}

// addSymbols hangs every function symbol on the function it belongs to, and
// makes functions of those the debug information does not know.
func (x *index) addSymbols(b *Binary) {
	x.symbols = functionSymbols(b.file)
	bare := x.named
	for _, f := range x.funcs {
		bare[f.name] = append(bare[f.name], f)
		if f.linkage != "" && f.linkage != f.name {
			bare[f.linkage] = append(bare[f.linkage], f)
		}
	}
	for _, s := range x.symbols {
		base, suffix := splitClone(s.Name)
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
		f := &function{name: base}
		if known := bare[base]; len(known) == 1 && (suffix.clone || len(known[0].bodies) == 0 && len(known[0].copies) > 0) {
			f = known[0] // a clone or, with line tables only, a body without a DIE of its own
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
	for _, f := range x.funcs {
		f.spell()
		if len(f.bodies) > 0 && f.bodies[0].die < 0 && len(f.roots) == 0 && !startFiles[f.name] {
			x.undescribed++
		}
	}
}

// startFiles are the functions that the compiler's and the C library's start
// files bring into every program, without debug information.
var startFiles = map[string]bool{
	"_start": true, "_init": true, "_fini": true, "deregister_tm_clones": true, "register_tm_clones": true,
	"__do_global_dtors_aux": true, "frame_dummy": true, "_dl_relocate_static_pie": true, "call_weak_fn": true,
	"__libc_csu_init": true, "__libc_csu_fini": true, "atexit": true, "at_quick_exit": true,
}

// hang names the bodies at the symbol's address.
func (f *function) hang(s elfbin.Symbol, suffix cloneSuffix) {
	// A deleting destructor (Itanium C++ ABI 5.1.4.3) calls the complete one,
	// or holds an inlined copy of it: an execution begins there.
	deleting := deletingDestructor(s.Name)
	for i := range f.bodies {
		r := &f.bodies[i]
		if r.entry != s.Value {
			continue
		}
		base, _ := splitClone(s.Name)
		own := base == f.name || base == f.linkage
		if !r.named || (own && !suffix.clone && r.clone) {
			r.sym, r.named, r.clone, r.part = s, true, suffix.clone, suffix.part || deleting
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
	type at struct {
		name string
		addr uint64
	}
	seen := map[at]bool{}
	var out []elfbin.Symbol
	for _, s := range file.Symbols() {
		k := at{s.Name, s.Value}
		if (!s.Func() && !s.IFunc()) || seen[k] || !file.Executable(s.Value) {
			continue
		}
		seen[k] = true
		out = append(out, s)
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Value < out[j].Value })
	return out
}

// ofRoot gives the function of an abstract instance, by index in Data.Funcs;
// nil if it has no name.
func (x *index) ofRoot(i int32) *function { return x.byRoot[i] }

// at gives the function whose body begins at a virtual address, or nil.
func (x *index) at(addr uint64) *function { return x.byEntry[addr] }

// called gives the functions of a source or mangled name.
func (x *index) called(name string) []*function { return x.named[name] }
