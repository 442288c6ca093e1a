package dwarfinfo

import (
	"debug/dwarf"
	"fmt"
	"strings"
	"testing"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

func specified(by *dt.Entry, more ...dt.Attr) *dt.Entry {
	return entryOf(dwarf.TagSubprogram, append([]dt.Attr{attr(dwarf.AttrSpecification, dt.RefAddr, by)}, more...))
}

func bodyOf(origin *dt.Entry, children ...*dt.Entry) *dt.Entry {
	return entryOf(dwarf.TagSubprogram,
		[]dt.Attr{attr(dwarf.AttrAbstractOrigin, dt.RefAddr, origin)}, children...)
}

// C++: body, abstract instance, specification, declaration in a class; the
// copy in another unit as LTO writes it, before and after its origin.
func TestRootAcrossUnits(t *testing.T) {
	decl := function("method")
	abstract := specified(decl)
	body := bodyOf(abstract)
	early, late := function("early", inlined(abstract)), function("late", inlined(body),
		entryOf(dwarf.TagCallSite, []dt.Attr{attr(dwarf.AttrCallOrigin, dt.RefAddr, body)}))
	class := entryOf(dwarf.TagClassType, named("cls"), decl)
	ns := entryOf(dwarf.TagNamespace, named("ns"), entryOf(dwarf.TagNamespace, nil, class))
	for _, version := range []uint16{2, 3, 4, 5} {
		d := loadWhole(t, fileOf(
			unitOf(version, nil, early),
			unitOf(version, nil, ns, abstract),
			unitOf(version, nil, body, late)))
		root := d.at(t, decl)
		for _, e := range []*dt.Entry{decl, abstract, body} {
			f := d.Funcs[d.at(t, e)]
			if f.Root != root || f.Name != "method" || f.Scope != "ns::(anonymous namespace)::cls" {
				t.Errorf("version %d, %#x: root %d (want %d), name %q, scope %q",
					version, e.Offset(), f.Root, root, f.Name, f.Scope)
			}
		}
		if len(d.Calls) != 1 || d.Calls[0].Callee != root {
			t.Errorf("version %d: calls %+v, want callee %d", version, d.Calls, root)
		}
		if len(d.Copies) != 2 || d.Copies[0].Origin != root || d.Copies[1].Origin != root {
			t.Errorf("version %d: copies %+v, want origin %d", version, d.Copies, root)
		}
	}
}

// A nested class that is defined outside of the class that declares it.
func TestScopeThroughSpecification(t *testing.T) {
	declared := entryOf(dwarf.TagClassType, named("Impl", attr(dwarf.AttrDeclaration, dt.FlagPresent, nil)))
	outer := entryOf(dwarf.TagClassType, named("Outer"), declared)
	m := function("m")
	d := loadWhole(t, fileOf(unitOf(4, nil,
		entryOf(dwarf.TagNamespace, named("ns"), outer),
		entryOf(dwarf.TagClassType, []dt.Attr{attr(dwarf.AttrSpecification, dt.Ref4, declared)}, m))))
	if f := d.Funcs[d.at(t, m)]; f.Scope != "ns::Outer::Impl" {
		t.Errorf("scope %q", f.Scope)
	}
}

// Whichever way a cycle is entered, its root is the same and the reading ends.
func TestOriginCycle(t *testing.T) {
	for size := 1; size <= 4; size++ {
		ring := make([]*dt.Entry, size)
		for i := range ring {
			ring[i] = entryOf(dwarf.TagSubprogram, nil)
		}
		for i, e := range ring {
			e.Attrs = []dt.Attr{attr(dwarf.AttrAbstractOrigin, dt.RefAddr, ring[(i+1)%size])}
		}
		before, after := bodyOf(ring[size-1]), bodyOf(ring[size/2])
		d := load(t, fileOf(unitOf(4, nil, before), unitOf(4, nil, append(ring, after)...)))
		root := d.at(t, ring[0])
		for i := range d.Funcs {
			if d.Funcs[i].Root != root {
				t.Errorf("ring of %d: root of %d is %d, want %d", size, i, d.Funcs[i].Root, root)
			}
		}
		if len(d.Gaps) != 1 || d.Gaps[0].Kind != GapOrigin {
			t.Errorf("ring of %d: gaps %v", size, d.Gaps)
		}
	}
}

// A long chain costs its length, not its square.
func TestOriginChain(t *testing.T) {
	const n = 50000
	chain := []*dt.Entry{function("end")}
	for i := range n {
		chain = append(chain, bodyOf(chain[i]))
	}
	d := loadWhole(t, fileOf(unitOf(4, nil, chain...)))
	if f := d.Funcs[n]; f.Root != 0 || f.Name != "end" {
		t.Errorf("root %d, name %q", f.Root, f.Name)
	}
}

// Origins that lead nowhere are said, and cost only themselves.
func TestOriginNowhere(t *testing.T) {
	variable := entryOf(dwarf.TagVariable, named("v"))
	for what, a := range map[string]dt.Attr{
		"another entry":    attr(dwarf.AttrAbstractOrigin, dt.Ref4, variable),
		"into an entry":    attr(dwarf.AttrAbstractOrigin, dt.Ref1, 13),
		"outside the unit": attr(dwarf.AttrAbstractOrigin, dt.Ref8, 1<<62),
		"wraps around":     attr(dwarf.AttrAbstractOrigin, dt.Ref8, ^uint64(0)),
		"outside the file": attr(dwarf.AttrAbstractOrigin, dt.RefAddr, 1<<30),
		"type unit":        attr(dwarf.AttrAbstractOrigin, dt.RefSig8, 1),
		"no attribute":     attr(dwarf.AttrCallLine, dt.Data1, 1),
	} {
		f := function("f", entryOf(dwarf.TagInlinedSubroutine, []dt.Attr{a}))
		d := load(t, fileOf(unitOf(5, nil, variable, f)))
		if len(d.Copies) != 1 || d.Copies[0].Origin != -1 {
			t.Errorf("%s: copies %+v", what, d.Copies)
		}
		if len(d.Gaps) != 1 || d.Gaps[0].Kind != GapOrigin || d.Gaps[0].Unit != 0 {
			t.Errorf("%s: gaps %v", what, d.Gaps)
		}
	}
}

// Thousands of nested scopes with long names must not make a name of
// millions of bytes for each function.
func TestScopesBounded(t *testing.T) {
	e := function("f")
	for i := range maxScopes + 1 {
		e = entryOf(dwarf.TagNamespace, named(fmt.Sprintf("n%d", i)), e)
	}
	d := load(t, fileOf(unitOf(4, nil, e)))
	if d.Funcs[0].Scope != "" || len(d.Gaps) != 1 || d.Gaps[0].Kind != GapBadUnit {
		t.Errorf("scope %q, gaps %v", d.Funcs[0].Scope, d.Gaps)
	}

	long := strings.Repeat("x", 1<<17)
	var many []*dt.Entry
	for range 100 {
		many = append(many, entryOf(dwarf.TagNamespace, []dt.Attr{attr(dwarf.AttrName, dt.Strp, dt.Raw{0, 0, 0, 0})},
			entryOf(dwarf.TagNamespace, []dt.Attr{attr(dwarf.AttrName, dt.Strp, dt.Raw{1, 0, 0, 0})}, function("g"))))
	}
	f := fileOf(unitOf(4, nil, many...))
	f.Sections = map[string][]byte{".debug_str": []byte(long + "\x00")}
	d = load(t, f)
	if len(d.Gaps) != 1 || !strings.Contains(d.Gaps[0].Detail, "proportion") {
		t.Errorf("gaps %v", d.Gaps)
	}
}
