package accuracy

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
)

// decl is where a function is declared.
type decl struct {
	fn   function
	file string // base name of the declaring file
	line int
	ok   bool // it has a name and is the program's own
}

// walker goes through the debug information once.
type walker struct {
	data    *dwarf.Data
	tree    string
	modules []string
	out     *image
	decls   map[dwarf.Offset]decl     // of abstract instances, as they are asked for
	files   map[dwarf.Offset][]string // absolute paths, by unit
	units   []dwarf.Offset            // of unit entries, ascending
}

func (w *walker) walk() error {
	r := w.data.Reader()
	for {
		e, err := r.Next()
		if err != nil {
			return err
		}
		if e == nil {
			return w.entries()
		}
		if e.Tag == dwarf.TagCompileUnit || e.Tag == dwarf.TagPartialUnit {
			w.units = append(w.units, e.Offset)
			if err := w.readFiles(e); err != nil {
				return err
			}
		}
		r.SkipChildren()
	}
}

// readFiles reads the file names of a unit.
func (w *walker) readFiles(unit *dwarf.Entry) error {
	lr, err := w.data.LineReader(unit)
	if err != nil || lr == nil {
		return err
	}
	// The file table is complete only when the whole program is read.
	var le dwarf.LineEntry
	for err = lr.Next(&le); err == nil; err = lr.Next(&le) {
	}
	if !errors.Is(err, io.EOF) {
		return fmt.Errorf("line table of unit %#x: %w", unit.Offset, err)
	}
	dir, _ := unit.Val(dwarf.AttrCompDir).(string)
	for _, f := range lr.Files() {
		name := ""
		if f != nil {
			name = f.Name
			if !filepath.IsAbs(name) { // clang shortens what lies below its working directory
				name = filepath.Join(dir, name)
			}
		}
		w.files[unit.Offset] = append(w.files[unit.Offset], name)
	}
	return nil
}

// entries collects bodies and inlined copies.
func (w *walker) entries() error {
	r := w.data.Reader()
	for {
		e, err := r.Next()
		if err != nil || e == nil {
			return err
		}
		switch e.Tag {
		case dwarf.TagSubprogram, dwarf.TagInlinedSubroutine:
			if err := w.entry(e); err != nil {
				return err
			}
		}
	}
}

func (w *walker) entry(e *dwarf.Entry) error {
	ranges, err := w.data.Ranges(e)
	if err != nil {
		return fmt.Errorf("ranges of entry %#x: %w", e.Offset, err)
	}
	// What the linker dropped keeps its entries, with addresses at or near 0.
	ranges = slices.DeleteFunc(ranges, func(g [2]uint64) bool { return !w.out.executable(g[0]) })
	inlined := e.Tag == dwarf.TagInlinedSubroutine
	if !inlined && len(ranges) == 0 && e.Val(dwarf.AttrInline) == nil {
		return nil // a declaration
	}
	d, err := w.declOf(e, 0)
	if err != nil || !d.ok {
		return err
	}
	x := w.out.functions[d.fn]
	if x == nil {
		x = &facts{File: d.file, Line: d.line}
		w.out.functions[d.fn] = x
	}
	code := 0
	for _, g := range ranges {
		if g[1] > g[0] {
			code++
		}
	}
	switch {
	case inlined && code == 0:
		x.Empty++
	case inlined:
		x.Copies++
		if code > 1 {
			x.Split++
		}
	case code > 0 && deleting(linkageOf(e)):
		// A deleting destructor begins nothing: the destructor that it calls does.
	case code > 0:
		entry := ranges[0][0] // the first range holds the entry, others are cold
		if low, ok := e.Val(dwarf.AttrLowpc).(uint64); ok {
			entry = low
		}
		x.Bodies = append(x.Bodies, entry)
		w.out.atBody[entry] = d.fn
	}
	return nil
}

// maxOrigins ends a chain of abstract origins: concrete, abstract,
// specification is the longest that compilers write.
const maxOrigins = 8

// declOf follows origins and specifications to the declaration.
func (w *walker) declOf(e *dwarf.Entry, depth int) (decl, error) {
	if d, ok := w.decls[e.Offset]; ok {
		return d, nil
	}
	origin, ok := e.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)
	if !ok {
		origin, ok = e.Val(dwarf.AttrSpecification).(dwarf.Offset)
	}
	if ok && depth < maxOrigins {
		r := w.data.Reader()
		r.Seek(origin)
		o, err := r.Next()
		if err != nil || o == nil {
			return decl{}, err
		}
		d, err := w.declOf(o, depth+1)
		w.decls[e.Offset] = d
		return d, err
	}
	var d decl
	name, _ := e.Val(dwarf.AttrName).(string)
	index, _ := e.Val(dwarf.AttrDeclFile).(int64)
	line, _ := e.Val(dwarf.AttrDeclLine).(int64)
	files := w.files[w.unitOf(e.Offset)]
	if len(w.modules) > 0 {
		own := slices.ContainsFunc(w.modules, func(m string) bool { return strings.HasPrefix(name, m) })
		d = decl{fn: function{Name: name}, line: int(line), ok: own}
	} else if name != "" && index >= 0 && int(index) < len(files) && under(files[index], w.tree) {
		file := filepath.Base(files[index])
		d = decl{function{name, file}, file, int(line), true}
		if link := linkageOf(e); link != "" {
			d.fn = function{Name: family(link)}
		}
	}
	w.decls[e.Offset] = d
	return d, nil
}

// unitOf is the unit that contains the entry.
func (w *walker) unitOf(off dwarf.Offset) dwarf.Offset {
	lo, hi := 0, len(w.units)
	for lo < hi {
		if mid := (lo + hi) / 2; w.units[mid] <= off {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo == 0 {
		return 0
	}
	return w.units[lo-1]
}
