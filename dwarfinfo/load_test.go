package dwarfinfo

import (
	"debug/dwarf"
	"errors"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

func TestLoadSourceFails(t *testing.T) {
	if d, err := Load(failingSource{}); !errors.Is(err, errSource) || d != nil {
		t.Errorf("got %v, %v", d, err)
	}
	if d, err := Load(sectionMap{}); err != nil || len(d.Units) != 0 || len(d.Gaps) != 0 {
		t.Errorf("no debug information: %v, %v", d, err)
	}
}

// Every form that a name can have gives the same name, in both formats and
// before the base attribute that it needs.
func TestNameForms(t *testing.T) {
	for _, form := range []dt.Form{dt.String, dt.Strp, dt.LineStrp, dt.Strx, dt.Strx1, dt.Strx2, dt.Strx3, dt.Strx4} {
		for _, is64 := range []bool{false, true} {
			u := unitOf(5, []dt.Attr{
				attr(dwarf.AttrName, form, "unit.c"),
				attr(dwarf.AttrStrOffsetsBase, dt.SecOffset, map[bool]int{false: 8, true: 16}[is64]),
			}, entryOf(dwarf.TagSubprogram, []dt.Attr{attr(dwarf.AttrName, form, "first")}),
				entryOf(dwarf.TagSubprogram, []dt.Attr{
					attr(dwarf.AttrName, dt.Indirect, dt.Via{Form: form, Val: "second"})}))
			u.Dwarf64 = is64
			d := loadWhole(t, fileOf(u))
			if got := append(names(d.Funcs), d.Units[0].Name); !cmp.Equal(got, []string{"first", "second", "unit.c"}) {
				t.Errorf("form %#x, 64-bit %v: %q", form, is64, got)
			}
		}
	}
}

// An attribute nobody asks for is stepped over, whatever its form: the next
// function is still found.
func TestSkippedForms(t *testing.T) {
	block := []byte{1, 2, 3}
	for _, a := range []dt.Attr{
		{Form: dt.Addr, Val: 1}, {Form: dt.Block1, Val: block}, {Form: dt.Block2, Val: block},
		{Form: dt.Block4, Val: block}, {Form: dt.Block, Val: block}, {Form: dt.Exprloc, Val: block},
		{Form: dt.Data1, Val: 1}, {Form: dt.Data2, Val: 1}, {Form: dt.Data4, Val: 1}, {Form: dt.Data8, Val: 1},
		{Form: dt.Data16, Val: 1}, {Form: dt.Sdata, Val: -1 << 63}, {Form: dt.Udata, Val: 1 << 40},
		{Form: dt.String, Val: "text"}, {Form: dt.Strp, Val: 0}, {Form: dt.LineStrp, Val: 0},
		{Form: dt.Flag, Val: 1}, {Form: dt.FlagPresent}, {Form: dt.ImplicitConst, Val: -300},
		{Form: dt.Ref1, Val: 1}, {Form: dt.Ref2, Val: 1}, {Form: dt.Ref4, Val: 1}, {Form: dt.Ref8, Val: 1},
		{Form: dt.RefUdata, Val: 1}, {Form: dt.RefAddr, Val: 1}, {Form: dt.RefSig8, Val: 1},
		{Form: dt.RefSup4, Val: 1}, {Form: dt.RefSup8, Val: 1}, {Form: dt.StrpSup, Val: 1},
		{Form: dt.GNURefAlt, Val: 1}, {Form: dt.GNUStrpAlt, Val: 1}, {Form: dt.SecOffset, Val: 1},
		{Form: dt.Strx, Val: 1}, {Form: dt.Strx1, Val: 1}, {Form: dt.Strx2, Val: 1}, {Form: dt.Strx3, Val: 1},
		{Form: dt.Strx4, Val: 1}, {Form: dt.Addrx, Val: 1}, {Form: dt.Addrx1, Val: 1}, {Form: dt.Addrx2, Val: 1},
		{Form: dt.Addrx3, Val: 1}, {Form: dt.Addrx4, Val: 1}, {Form: dt.Loclistx, Val: 1}, {Form: dt.Rnglistx, Val: 1},
		{Form: dt.GNUAddrIndex, Val: 1}, {Form: dt.GNUStrIndex, Val: 1},
		{Form: dt.Indirect, Val: dt.Via{Form: dt.Block1, Val: block}},
	} {
		a.At = dwarf.AttrByteSize
		for _, version := range []uint16{2, 3, 4, 5} {
			for _, is64 := range []bool{false, true} {
				u := unitOf(version, nil,
					entryOf(dwarf.TagVariable, []dt.Attr{a}),
					entryOf(dwarf.TagArrayType, []dt.Attr{a}, entryOf(dwarf.TagSubrangeType, []dt.Attr{a})),
					entryOf(dwarf.TagSubprogram, []dt.Attr{a, attr(dwarf.AttrName, dt.String, "f"), a}))
				u.Dwarf64 = is64
				u.AddrSize = map[bool]uint8{false: 4, true: 8}[is64]
				d := loadWhole(t, fileOf(u))
				if got := names(d.Funcs); !cmp.Equal(got, []string{"f"}) {
					t.Errorf("form %#x, version %d, 64-bit %v: functions %q", a.Form, version, is64, got)
				}
			}
		}
	}
}

// A sibling attribute leads over the children; without one they are walked
// over. C's types are skipped, C++'s are not.
func TestSkipTypes(t *testing.T) {
	for _, form := range []dt.Form{0, dt.Ref1, dt.Ref2, dt.Ref4, dt.Ref8, dt.RefUdata, dt.RefAddr} {
		for lang, want := range map[int][]string{0x0c: {"f"}, 0x21: {"method", "f"}} {
			attrs := named("s", attr(dwarf.AttrByteSize, dt.Udata, 1<<20))
			if form != 0 {
				attrs = append(attrs, attr(dwarf.AttrSibling, form, dt.After{}))
			}
			inner := entryOf(dwarf.TagStructType, attrs, function("method"))
			d := loadWhole(t, fileOf(unitOf(4, []dt.Attr{attr(dwarf.AttrLanguage, dt.Data2, lang)},
				entryOf(dwarf.TagStructType, attrs, entryOf(dwarf.TagMember, named("m")), inner),
				function("f"))))
			if got := names(d.Funcs); !cmp.Equal(got, want) {
				t.Errorf("sibling form %#x, language %#x: %q, want %q", form, lang, got, want)
			}
		}
	}
}

// What is known of a function's attributes and who inherits them.
func TestFuncAttributes(t *testing.T) {
	decl := entryOf(dwarf.TagSubprogram, named("f",
		attr(dwarf.AttrLinkageName, dt.String, "_Z1fv"),
		attr(dwarf.AttrExternal, dt.FlagPresent, nil),
		attr(dwarf.AttrDeclaration, dt.FlagPresent, nil),
		attr(dwarf.AttrNoreturn, dt.Flag, 1),
		attr(dwarf.AttrDeclLine, dt.Data1, 7)))
	abstract := entryOf(dwarf.TagSubprogram, []dt.Attr{
		attr(dwarf.AttrSpecification, dt.Ref4, decl),
		attr(dwarf.AttrInline, dt.ImplicitConst, 3),
		attr(dwarf.AttrDeclLine, dt.ImplicitConst, 9)})
	body := entryOf(dwarf.TagSubprogram, []dt.Attr{
		attr(dwarf.AttrAbstractOrigin, dt.Ref4, abstract),
		attr(dwarf.AttrArtificial, dt.Flag, 1),
		attr(dwarf.AttrLowpc, dt.Addr, 0x10), attr(dwarf.AttrHighpc, dt.Data1, 4)})
	d := loadWhole(t, fileOf(unitOf(4, nil, decl, abstract, body)))
	f := d.Funcs[d.at(t, body)]
	f.Offset, f.Ranges = 0, nil
	want := Func{Name: "f", LinkageName: "_Z1fv", External: true, NoReturn: true, Artificial: true,
		DeclLine: 9, Inline: 3, EntryPC: 0x10, HasEntry: true}
	if diff := cmp.Diff(want, f); diff != "" {
		t.Error(diff)
	}
	for _, e := range []*dt.Entry{decl, abstract, body} {
		if f := d.Funcs[d.at(t, e)]; f.Inline != 3 || f.Declaration != (e == decl) {
			t.Errorf("function %#x: inline %d, declaration %v", f.Offset, f.Inline, f.Declaration)
		}
	}
}

// Copies of one function stand together even when another function, with
// copies of its own, is written in the middle of it, or inside a copy.
func TestCopiesContiguous(t *testing.T) {
	a, b := function("a"), function("b")
	call := func(pc int) *dt.Entry {
		return entryOf(dwarf.TagCallSite, []dt.Attr{attr(dwarf.AttrCallReturnPC, dt.Addr, pc)})
	}
	parents := map[*dt.Entry]*dt.Entry{} // every copy
	copyOf := func(origin *dt.Entry, children ...*dt.Entry) *dt.Entry {
		c := inlined(origin, children...)
		parents[c] = nil
		for _, child := range children {
			if _, ok := parents[child]; ok {
				parents[child] = c
			}
		}
		return c
	}
	deep := copyOf(a, call(4))
	mid := copyOf(b, deep)
	local := function("local", copyOf(b, copyOf(a)))
	nested := function("nested", copyOf(b, copyOf(a, call(2)), call(1), local))
	block := copyOf(b)
	first := copyOf(a, entryOf(dwarf.TagLexDwarfBlock, nil, block))
	parents[block] = first
	outer := function("outer", first, nested, mid, call(3))
	after := function("after", copyOf(a))
	d := loadWhole(t, fileOf(unitOf(4, nil, function("x", copyOf(b))), unitOf(5, nil, a, b, outer, after)))
	for e, want := range map[*dt.Entry]int{outer: 4, nested: 2, local: 2, after: 1, a: 0} {
		if f := d.Funcs[d.at(t, e)]; int(f.EndCopy-f.FirstCopy) != want {
			t.Errorf("%s: copies %d to %d, want %d", f.Name, f.FirstCopy, f.EndCopy, want)
		}
	}
	d.check(t, 1<<20, 0)
	for e, parent := range parents {
		for i, c := range d.Copies {
			if c.Offset != e.Offset() {
				continue
			}
			if (c.Parent >= 0) != (parent != nil) || parent != nil && d.Copies[c.Parent].Offset != parent.Offset() {
				t.Errorf("copy %d at %#x: parent is %d", i, c.Offset, c.Parent)
			}
		}
	}
	for _, c := range d.Calls {
		want := map[uint64]uint64{1: nested.Children[0].Offset(), 2: nested.Children[0].Children[0].Offset(), 4: deep.Offset()}[c.PC]
		if (c.Copy >= 0) != (want != 0) || c.Copy >= 0 && d.Copies[c.Copy].Offset != want {
			t.Errorf("call %d: copy %d, want the one at %#x", c.PC, c.Copy, want)
		}
	}
}

func TestCallSites(t *testing.T) {
	g := function("g")
	const (
		callSite      = dwarf.TagCallSite
		gnuCallSite   = dwarf.Tag(tagGNUCallSite)
		gnuTailCall   = dwarf.Attr(attrGNUTailCall)
		callReturnPC  = dwarf.AttrCallReturnPC
		callSiteParam = dwarf.TagCallSiteParameter
	)
	body := function("body",
		entryOf(callSite, []dt.Attr{attr(callReturnPC, dt.Addr, 0x105), attr(dwarf.AttrCallOrigin, dt.Ref4, g)},
			entryOf(callSiteParam, []dt.Attr{attr(dwarf.AttrLocation, dt.Exprloc, []byte{1})})),
		inlined(g, entryOf(gnuCallSite, []dt.Attr{attr(dwarf.AttrLowpc, dt.Addr, 0x115),
			attr(dwarf.AttrAbstractOrigin, dt.RefAddr, g), attr(gnuTailCall, dt.FlagPresent, nil)})),
		entryOf(callSite, []dt.Attr{attr(dwarf.AttrCallPC, dt.Addr, 0x120), attr(dwarf.AttrCallTailCall, dt.FlagPresent, nil)}),
	)
	d := loadWhole(t, fileOf(unitOf(5, nil, g, body)))
	want := []Call{
		{PC: 0x105, Func: 1, Copy: -1, Callee: 0},
		{PC: 0x115, Func: 1, Copy: 0, Callee: 0, Tail: true},
		{CallPC: 0x120, Func: 1, Copy: -1, Callee: -1, Tail: true},
	}
	if diff := cmp.Diff(want, d.Calls); diff != "" {
		t.Error(diff)
	}
	sameWithoutCalls(t, fileOf(unitOf(5, nil, g, body)), d)
}

// sameWithoutCalls: nothing but the calls is left out.
func sameWithoutCalls(t *testing.T, src Source, d *Data) {
	t.Helper()
	less, err := LoadLinked(src, Links{WithoutCalls: true})
	if err != nil {
		t.Fatal(err)
	}
	if len(less.Calls) > 0 {
		t.Errorf("%d calls are left", len(less.Calls))
	}
	if !reflect.DeepEqual(d.Funcs, less.Funcs) || !reflect.DeepEqual(d.Copies, less.Copies) || !reflect.DeepEqual(d.Gaps, less.Gaps) {
		t.Error("without calls functions, copies or gaps differ")
	}
}

func TestLabels(t *testing.T) {
	label := func(addr int) *dt.Entry {
		return entryOf(dwarf.TagLabel, named("l", attr(dwarf.AttrLowpc, dt.Addr, addr)))
	}
	inner := function("inner", label(3))
	outer := function("outer", label(1), inner, inlined(inner, label(2)),
		entryOf(dwarf.TagLabel, named("without code")))
	d := loadWhole(t, fileOf(unitOf(4, nil, outer, function("none"))))
	got := [][]uint64{d.Funcs[0].Labels, d.Funcs[1].Labels, d.Funcs[2].Labels}
	if diff := cmp.Diff([][]uint64{{1, 2}, {3}, nil}, got); diff != "" {
		t.Error(diff)
	}
}
