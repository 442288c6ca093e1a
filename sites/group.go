package sites

import (
	"slices"

	"github.com/surehook/surehook/dwarfinfo"
)

// key groups the abstract instances of one source function: a static inline
// function of a header has one in every unit that uses it.
type key struct {
	name, linkage string
	file          int32 // see grouping.files
	line          int
}

// grouping makes functions of the DIEs of the debug information. A kernel has
// a quarter of a million, hence the slices and numbers instead of maps.
type grouping struct {
	x      *index
	b      *Binary
	groups map[key]*function
	files  map[string]int32 // numbers of source files: paths take long to hash
	last   string           // the file asked for last
	number int32            // and its number
	pool   []function
}

// addDIEs groups the functions of the debug information.
func (x *index) addDIEs(b *Binary) {
	d := b.loaded
	x.byRoot = make([]*function, len(d.Funcs))
	g := &grouping{x: x, b: b, groups: make(map[key]*function, len(d.Funcs)/2), files: map[string]int32{}}
	again := g.bodies(d)
	g.copies(d, again)
	for i := range d.Funcs {
		g.of(d.Funcs[i].Root)
	}
	x.addDecls(d)
	x.markWrappers(d)
}

// of gives the function of a root, nil if it has no name.
func (g *grouping) of(root int32) *function {
	if f := g.x.byRoot[root]; f != nil {
		return f
	}
	r := g.b.loaded.Func(root)
	if r.Name == "" && r.LinkageName == "" {
		return nil
	}
	k := key{qualified(r), r.LinkageName, g.file(r.DeclFile), r.DeclLine}
	if g.b.loaded.Units[r.Unit].Language == langGo {
		k = key{name: r.Name} // one a program; abstract instances have no file
	}
	f := g.groups[k]
	if f == nil {
		f = g.new()
		*f = function{name: k.name, linkage: k.linkage, declFile: r.DeclFile, declLine: r.DeclLine}
		if f.name == "" {
			f.name = k.linkage
		}
		g.groups[k] = f
		g.x.funcs = append(g.x.funcs, f)
	}
	f.roots = append(f.roots, root)
	g.x.byRoot[root] = f
	return f
}

// new takes a function from a chunk: one allocation for many.
func (g *grouping) new() *function {
	const chunk = 256
	if len(g.pool) == 0 {
		g.pool = make([]function, chunk)
	}
	f := &g.pool[0]
	g.pool = g.pool[1:]
	return f
}

// file numbers a source file. Neighbours are often declared in one.
func (g *grouping) file(path string) int32 {
	if path == g.last && len(g.files) > 0 {
		return g.number
	}
	n, ok := g.files[path]
	if !ok {
		n = int32(len(g.files))
		g.files[path] = n
	}
	g.last, g.number = path, n
	return n
}

// bodies adds the out-of-line bodies. It tells which DIEs are another one of a
// body that is known: an inline function of C++ has one in every unit, and the
// linker leads all of them to the instance that it kept.
func (g *grouping) bodies(d *dwarfinfo.Data) (again []bool) {
	again = make([]bool, len(d.Funcs))
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
		if !g.b.file.Executable(entry) {
			continue
		}
		f := g.of(fn.Root)
		switch {
		case f == nil:
		case f.hasBody(entry):
			again[i] = true
		default:
			f.bodies = append(f.bodies, bodyRef{die: int32(i), entry: entry})
			g.x.byEntry[entry] = f
		}
	}
	return again
}

// copies adds the inlined copies that lie in code.
func (g *grouping) copies(d *dwarfinfo.Data, again []bool) {
	at, live := int32(-1), false // copies of one body follow each other
	for i := range d.Copies {
		c := &d.Copies[i]
		if c.Func != at {
			at, live = c.Func, !again[c.Func] && g.b.liveFunc(c.Func)
		}
		if c.Origin < 0 || !live {
			continue
		}
		if f := g.of(c.Origin); f != nil {
			f.copies = append(f.copies, int32(i))
		}
	}
}

// addDecls gathers where each function is declared and defined. A C++ member's
// root is its declaration in the class; the line table speaks of the definition.
func (x *index) addDecls(d *dwarfinfo.Data) {
	for i := range d.Funcs {
		fn := &d.Funcs[i]
		f := x.byRoot[fn.Root]
		p := place{fn.DeclFile, fn.DeclLine, fn.DeclCol}
		if f != nil && !fn.Declaration {
			f.defined = true
		}
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
	for _, r := range b.loaded.Func(die).Ranges {
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
