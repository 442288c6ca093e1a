package dwarfinfo

import (
	"debug/dwarf"
	"debug/elf"
	"errors"
	"testing"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

// The builder's verbs, short because tests are made of them.

func unitOf(version uint16, attrs []dt.Attr, children ...*dt.Entry) *dt.Unit {
	return &dt.Unit{Version: version, Root: &dt.Entry{
		Tag: dwarf.TagCompileUnit, Attrs: attrs, Children: children}}
}

func attr(at dwarf.Attr, form dt.Form, val any) dt.Attr {
	return dt.Attr{At: at, Form: form, Val: val}
}

func entryOf(tag dwarf.Tag, attrs []dt.Attr, children ...*dt.Entry) *dt.Entry {
	return &dt.Entry{Tag: tag, Attrs: attrs, Children: children}
}

func named(name string, more ...dt.Attr) []dt.Attr {
	return append([]dt.Attr{attr(dwarf.AttrName, dt.Strp, name)}, more...)
}

func function(name string, children ...*dt.Entry) *dt.Entry {
	return entryOf(dwarf.TagSubprogram, named(name), children...)
}

func inlined(origin *dt.Entry, children ...*dt.Entry) *dt.Entry {
	return entryOf(dwarf.TagInlinedSubroutine,
		[]dt.Attr{attr(dwarf.AttrAbstractOrigin, dt.RefAddr, origin)}, children...)
}

func fileOf(units ...*dt.Unit) *dt.File { return &dt.File{Units: units} }

func load(t *testing.T, src Source) *Data {
	t.Helper()
	d, err := Load(src)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// loadWhole also fails on gaps.
func loadWhole(t *testing.T, src Source) *Data {
	t.Helper()
	d := load(t, src)
	for _, g := range d.Gaps {
		t.Errorf("gap: %v", g)
	}
	return d
}

// at finds the function written by an entry.
func (d *Data) at(t *testing.T, e *dt.Entry) int32 {
	t.Helper()
	for i := range d.Funcs {
		if d.Funcs[i].Offset == e.Offset() {
			return int32(i)
		}
	}
	t.Fatalf("no function at %#x", e.Offset())
	return -1
}

func names(funcs []Func) (out []string) {
	for i := range funcs {
		out = append(out, funcs[i].Name)
	}
	return out
}

var errSource = errors.New("disk on fire")

type failingSource struct{}

func (failingSource) Section(string) ([]byte, error) { return nil, errSource }

type sectionMap map[string][]byte

func (m sectionMap) Section(name string) ([]byte, error) { return m[name], nil }

func openFile(path string) (elfSource, error) {
	f, err := elf.Open(path)
	return elfSource{f}, err
}
