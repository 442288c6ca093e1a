package sites

import (
	"slices"

	"github.com/surehook/surehook/dwarfinfo"
)

// grouping makes functions of the DIEs of the debug information: a static
// inline function of a header has an abstract instance in every unit that uses
// it. A kernel has a quarter of a million, hence slices and numbers instead of maps.
type grouping struct {
	x      *index
	b      *Binary
	first  []int32     // see firstSources
	groups []*function // by the first abstract instance
	pool   []function
}

// addDIEs groups the functions of the debug information.
func (x *index) addDIEs(b *Binary) {
	d := b.loaded
	x.byRoot = make([]*function, len(d.Funcs))
	g := &grouping{x: x, b: b, first: firstSources(d), groups: make([]*function, len(d.Funcs))}
	coded, live := g.code(d)
	x.byEntry = make(map[uint64]*function, len(coded)+len(coded)/4) // some have symbols only
	g.bodies(coded, live)
	g.copies(d, live)
	for i := range g.first {
		if g.first[i] >= 0 {
			g.of(int32(i))
		}
	}
}

// of gives the function of a root, nil if it has no name.
func (g *grouping) of(root int32) *function {
	if f := g.x.byRoot[root]; f != nil {
		return f
	}
	n := g.first[root]
	if n < 0 {
		return nil
	}
	f := g.groups[n]
	if f == nil {
		r := g.b.loaded.Func(root)
		f = g.new()
		*f = function{name: qualified(r), linkage: r.LinkageName, declFile: r.DeclFile, declLine: r.DeclLine}
		if g.b.loaded.Units[r.Unit].Language == langGo {
			f.name, f.linkage = r.Name, ""
		}
		if f.name == "" {
			f.name = r.LinkageName
		}
		g.groups[n] = f
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

// codedBody is an out-of-line body that lies in code.
type codedBody struct {
	die, root int32
	entry     uint64
}

// code finds the bodies that begin in code, and tells of every DIE whether one
// of its ranges does. Linkers leave the DIEs of dropped sections at address 0,
// 1 or -1.
func (g *grouping) code(d *dwarfinfo.Data) (coded []codedBody, live []bool) {
	live = make([]bool, len(d.Funcs))
	parts := make([][]codedBody, chunks(len(d.Funcs)))
	eachChunk(len(d.Funcs), func(chunk, from, to int) {
		for i := from; i < to; i++ {
			fn := &d.Funcs[i]
			if len(fn.Ranges) == 0 {
				continue
			}
			live[i] = g.b.liveFunc(int32(i))
			entry := fn.Ranges[0].Low
			if fn.HasEntry {
				entry = fn.EntryPC
			}
			if g.b.file.Executable(entry) {
				parts[chunk] = append(parts[chunk], codedBody{int32(i), fn.Root, entry})
			}
		}
	})
	return slices.Concat(parts...), live
}

// bodies adds the out-of-line bodies. A DIE that is another one of a body that
// is known lives no more: an inline function of C++ has one in every unit, and
// the linker leads all of them to the instance that it kept.
func (g *grouping) bodies(coded []codedBody, live []bool) {
	for _, c := range coded {
		f := g.of(c.root)
		switch {
		case f == nil:
		case f.hasBody(c.entry):
			live[c.die] = false
		default:
			f.bodies = append(f.bodies, bodyRef{die: c.die, entry: c.entry})
			g.x.byEntry[c.entry] = f
		}
	}
}

// copies adds the inlined copies that lie in code.
func (g *grouping) copies(d *dwarfinfo.Data, live []bool) {
	type copyOf struct{ number, origin int32 }
	parts := make([][]copyOf, chunks(len(d.Copies)))
	eachChunk(len(d.Copies), func(chunk, from, to int) {
		for i := from; i < to; i++ {
			if c := &d.Copies[i]; c.Origin >= 0 && live[c.Func] {
				parts[chunk] = append(parts[chunk], copyOf{int32(i), c.Origin})
			}
		}
	})
	for _, part := range parts {
		for _, c := range part {
			if f := g.of(c.origin); f != nil {
				f.copies = append(f.copies, c.number)
			}
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
