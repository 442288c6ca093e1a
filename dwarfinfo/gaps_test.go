package dwarfinfo

import (
	"bytes"
	"debug/dwarf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

// References into an alternate file are known for what they are and never
// followed into this one, where the same offset is something else.
func TestAltFile(t *testing.T) {
	target := function("wrong")
	for _, tt := range []struct {
		form dt.Form
		name bool
	}{
		{dt.GNURefAlt, false}, {dt.RefSup4, false}, {dt.RefSup8, false},
		{dt.GNUStrpAlt, true}, {dt.StrpSup, true},
	} {
		var e *dt.Entry
		f := function("f")
		if tt.name {
			e = entryOf(dwarf.TagSubprogram, []dt.Attr{attr(dwarf.AttrName, tt.form, 0)})
		} else {
			e = inlined(target)
			e.Attrs = []dt.Attr{attr(dwarf.AttrAbstractOrigin, tt.form, target)}
			f.Children = []*dt.Entry{e, inlined(target), {Tag: e.Tag, Attrs: e.Attrs}}
		}
		d := load(t, fileOf(unitOf(5, nil, target, f, e)))
		if len(d.Gaps) == 0 || d.Gaps[0].Kind != GapAltFile || d.Gaps[0].Offset != e.Offset() && tt.name {
			t.Fatalf("form %#x: gaps %v", tt.form, d.Gaps)
		}
		if tt.name {
			if got := d.Funcs[2].Name; got != "" {
				t.Errorf("form %#x: name %q", tt.form, got)
			}
			continue
		}
		if d.Copies[0].Origin != -1 || d.Copies[1].Origin != 0 {
			t.Errorf("form %#x: copies %+v", tt.form, d.Copies)
		}
		if !strings.Contains(d.Gaps[0].Detail, "and 2 more") {
			t.Errorf("form %#x: gaps are not counted: %v", tt.form, d.Gaps)
		}
	}
}

// Two files have entries at equal offsets; each reference finds its own.
func TestAltFileEqualOffsets(t *testing.T) {
	own, other := function("own"), function("other")
	alt := fileOf(unitOf(5, nil, function("x"), other))
	main := fileOf(unitOf(5, nil, function("y"), own, function("f", inlined(own),
		entryOf(dwarf.TagInlinedSubroutine, []dt.Attr{attr(dwarf.AttrAbstractOrigin, dt.RefSup4, 0x12)}))))
	d, err := LoadLinked(main, Links{Alt: alt, AltPath: "alt"})
	if err != nil || len(d.Gaps) > 0 || own.Offset() != 0x12 || other.Offset() != 0x12 {
		t.Fatalf("%v, gaps %v, offsets %#x, %#x", err, d.Gaps, own.Offset(), other.Offset())
	}
	if d.Alone() {
		t.Error("an alternate file was read")
	}
	for alone, f := range map[bool]*dt.File{true: alt, false: main} {
		if got := load(t, f).Alone(); got != alone {
			t.Errorf("alone %v: gaps %v", got, load(t, f).Gaps)
		}
	}
	if a, b := d.Funcs[d.Copies[0].Origin].Name, d.Funcs[d.Copies[1].Origin].Name; a != "own" || b != "other" {
		t.Errorf("origins %s, %s", a, b)
	}
}

// Names, scopes and files of an origin in another file.
func TestAltFileResolved(t *testing.T) {
	for _, version := range []uint16{4, 5} {
		for _, form := range []dt.Form{dt.GNURefAlt, dt.RefSup4, dt.RefSup8} {
			there := entryOf(dwarf.TagSubprogram, named("there",
				attr(dwarf.AttrDeclFile, dt.Data1, 1), attr(dwarf.AttrInline, dt.Data1, 1)))
			lines := &dt.Lines{Version: version, Dirs: []string{"/alt", "d"}, Files: []dt.LineFile{{Name: "a.c", Dir: 1}, {Name: "b.c", Dir: 1}}}
			partial := unitOf(version, []dt.Attr{attr(dwarf.AttrStmtList, dt.SecOffset, lines), attr(dwarf.AttrCompDir, dt.Strp, "/alt")},
				entryOf(dwarf.TagNamespace, named("ns"), there), function("wrong"))
			partial.Root.Tag, partial.Kind = dwarf.TagPartialUnit, 3
			alt := fileOf(partial)
			if _, err := alt.Section(".debug_info"); err != nil {
				t.Fatal(err)
			}
			str, _ := alt.Section(".debug_str")
			nsAt := bytes.Index(str, []byte("ns\x00"))
			c := entryOf(dwarf.TagInlinedSubroutine, []dt.Attr{attr(dwarf.AttrAbstractOrigin, form, there.Offset())})
			here := entryOf(dwarf.TagSubprogram, []dt.Attr{attr(dwarf.AttrName, dt.GNUStrpAlt, nsAt)}, c, inlined(partial.Root))
			u := unitOf(version, named("main.c"), entryOf(dwarf.TagNamespace, named("here"), function("padding"), here))
			c2 := here.Children[1]
			c2.Attrs = []dt.Attr{attr(dwarf.AttrAbstractOrigin, dt.RefAddr, here)}
			d, err := LoadLinked(fileOf(u), Links{Alt: alt, AltPath: "/alt/file"})
			if err != nil || len(d.Gaps) > 0 || len(d.Units) != 2 {
				t.Fatalf("form %#x: %v, gaps %v", form, err, d.Gaps)
			}
			f := d.Funcs[d.Copies[0].Origin]
			if f.Name != "there" || f.Scope != "ns" || f.DeclFile != map[uint16]string{4: "/alt/a.c", 5: "/alt/d/b.c"}[version] || d.Units[f.Unit].File != "/alt/file" {
				t.Errorf("form %#x: origin %+v in %+v", form, f, d.Units[f.Unit])
			}
			if f := d.Funcs[d.Copies[1].Origin]; f.Name != "ns" || f.Scope != "here" || d.Units[f.Unit].File != "" {
				t.Errorf("form %#x: origin in the same file %+v", form, f)
			}
			if _, err := d.Lines(1); err != nil {
				t.Errorf("lines of the alternate file: %v", err)
			}
		}
	}
}

// An alternate file refers to no further one, and a damaged one costs what is
// in it.
func TestAltFileDamaged(t *testing.T) {
	main := unitOf(5, nil, function("f", entryOf(dwarf.TagInlinedSubroutine, []dt.Attr{attr(dwarf.AttrAbstractOrigin, dt.RefSup4, 1<<20)})), function("g"))
	alt := unitOf(5, nil, entryOf(dwarf.TagSubprogram, []dt.Attr{attr(dwarf.AttrName, dt.StrpSup, 0)}))
	d, err := LoadLinked(fileOf(main), Links{Alt: fileOf(alt, alt), AltPath: "alt"})
	if err != nil || len(d.Gaps) != 3 || d.Gaps[0].Kind != GapOrigin || d.Gaps[1].Kind != GapAltFile || d.Gaps[1].File != "alt" {
		t.Errorf("%v, gaps %v", err, d.Gaps)
	}
	if d, err = LoadLinked(fileOf(main), Links{Alt: failingSource{}, AltPath: "alt"}); err != nil || len(d.Gaps) != 2 || !strings.Contains(d.Gaps[1].Error(), "alt: ") {
		t.Errorf("%v, gaps %v", err, d.Gaps)
	}
	if got := names(d.Funcs); !cmp.Equal(got, []string{"f", "g"}) {
		t.Errorf("functions %q", got)
	}
}

func TestSplit(t *testing.T) {
	f := function("f")
	for what, u := range map[string]*dt.Unit{
		"GNU": unitOf(4, []dt.Attr{attr(dwarf.Attr(attrGNUDwoName), dt.Strp, "a.dwo")}, f),
		"DWARF 5": {Version: 5, Kind: unitSkeleton, Root: &dt.Entry{Tag: dwarf.TagSkeletonUnit,
			Attrs:    []dt.Attr{attr(dwarf.AttrDwoName, dt.Strp, "a.dwo")},
			Children: []*dt.Entry{f}}},
	} {
		d := load(t, fileOf(u))
		want := []Gap{{Kind: GapSplit, Detail: "a.dwo: no .dwo files are looked for"}}
		if diff := cmp.Diff(want, d.Gaps); diff != "" {
			t.Errorf("%s: %s", what, diff)
		}
		if len(d.Funcs) != 1 { // clang leaves inlined copies in the skeleton
			t.Errorf("%s: functions %q", what, names(d.Funcs))
		}
	}
}

// Type units hold no code; a partial unit is a unit as any other.
func TestOtherUnits(t *testing.T) {
	partial := unitOf(5, nil, function("p"))
	partial.Kind, partial.Root.Tag = 3, dwarf.TagPartialUnit
	types := unitOf(5, nil, function("t"))
	types.Kind, types.Root.Tag = unitType, dwarf.TagTypeUnit
	d := loadWhole(t, fileOf(types, partial, unitOf(4, nil, function("c"))))
	if diff := cmp.Diff([]string{"p", "c"}, names(d.Funcs)); diff != "" {
		t.Error(diff)
	}
	if len(d.Units) != 2 || d.Units[1].Version != 4 {
		t.Errorf("units %+v", d.Units)
	}
}

// One damaged unit costs what follows in it, not its neighbours.
func TestDamagedUnit(t *testing.T) {
	bad := func(form dt.Form, val any) *dt.Entry {
		return entryOf(dwarf.TagVariable, []dt.Attr{attr(dwarf.AttrByteSize, form, val)})
	}
	sib := func(v any) *dt.Entry {
		return entryOf(dwarf.TagArrayType, []dt.Attr{attr(dwarf.AttrSibling, dt.Ref8, v)}, bad(dt.Data1, 0))
	}
	for what, tt := range map[string]struct {
		kind   GapKind
		damage func(u *dt.Unit)
	}{
		"version":      {GapVersion, func(u *dt.Unit) { u.Version = 6 }},
		"version 1":    {GapVersion, func(u *dt.Unit) { u.Version = 1 }},
		"address size": {GapBadUnit, func(u *dt.Unit) { u.AddrSize = 3 }},
		"form":         {GapForm, func(u *dt.Unit) { u.Root.Children[1] = bad(0x7f, dt.Raw{1}) }},
		"huge form":    {GapForm, func(u *dt.Unit) { u.Root.Children[1] = bad(0xffff, dt.Raw{1}) }},
		"wanted form": {GapForm, func(u *dt.Unit) {
			u.Root.Children[1] = function("x")
			u.Root.Children[1].Attrs[0] = attr(dwarf.AttrName, 0x7f, dt.Raw{1})
		}},
		"indirect form":  {GapForm, func(u *dt.Unit) { u.Root.Children[1] = bad(dt.Indirect, dt.Raw{0x7f, 1}) }},
		"indirect twice": {GapBadUnit, func(u *dt.Unit) { u.Root.Children[1] = bad(dt.Indirect, dt.Raw{0x16, 1}) }},
		"indirect const": {GapBadUnit, func(u *dt.Unit) { u.Root.Children[1] = bad(dt.Indirect, dt.Raw{0x21}) }},
		"block length":   {GapBadUnit, func(u *dt.Unit) { u.Root.Children[1] = bad(dt.Block4, dt.Raw{255, 255, 255, 255}) }},
		"block wrap":     {GapBadUnit, func(u *dt.Unit) { u.Root.Children[1] = bad(dt.Block, dt.Raw(dt.AppendULEB(nil, ^uint64(0)))) }},
		"sibling back":   {GapBadUnit, func(u *dt.Unit) { u.Root.Children[1] = sib(1) }},
		"sibling far":    {GapBadUnit, func(u *dt.Unit) { u.Root.Children[1] = sib(1 << 40) }},
		"abbreviation":   {GapBadUnit, func(*dt.Unit) {}}, // see below
	} {
		second := unitOf(5, nil, function("kept"), function("lost"), function("lost too"))
		tt.damage(second)
		f := fileOf(unitOf(4, nil, function("before")), second, unitOf(5, nil, function("after")))
		if what == "abbreviation" {
			info, _ := f.Section(".debug_info")
			off := second.Root.Children[0].Offset()
			info = append([]byte(nil), info...)
			info[off] = 99
			f = &dt.File{Sections: map[string][]byte{".debug_info": info}, Units: f.Units}
		}
		d := load(t, f)
		if len(d.Gaps) == 0 || d.Gaps[0].Kind != tt.kind || d.Gaps[0].Unit != 1 {
			t.Errorf("%s: gaps %v", what, d.Gaps)
		}
		got := strings.Join(names(d.Funcs), " ")
		if !strings.HasPrefix(got, "before") || !strings.HasSuffix(got, "after") || strings.Contains(got, "lost") {
			t.Errorf("%s: functions %q", what, got)
		}
		if len(d.Units) != 3 {
			t.Errorf("%s: %d units", what, len(d.Units))
		}
	}
}

// A unit that claims more than there is hides what follows, and says so.
func TestUnitLength(t *testing.T) {
	f := fileOf(unitOf(4, nil, function("a")), unitOf(4, nil, function("b")))
	info, _ := f.Section(".debug_info")
	for what, length := range map[string]uint32{"long": 1 << 20, "reserved": 0xfffffff5} {
		cut := append([]byte(nil), info...)
		second := load(t, f).Units[1].Offset
		binary.LittleEndian.PutUint32(cut[second:], length)
		d := load(t, &dt.File{Units: f.Units, Sections: map[string][]byte{".debug_info": cut}})
		if len(d.Funcs) != 1 || len(d.Gaps) != 1 || d.Gaps[0].Unit != -1 || d.Gaps[0].Offset != second {
			t.Errorf("%s: functions %q, gaps %v", what, names(d.Funcs), d.Gaps)
		}
	}
	for n := range len(info) { // truncated anywhere: never silence, never panic
		if d := load(t, &dt.File{Units: f.Units, Sections: map[string][]byte{".debug_info": info[:n]}}); len(d.Gaps) == 0 && n > 0 && n != int(load(t, f).Units[1].Offset) {
			t.Errorf("cut to %d of %d bytes: no gap", n, len(info))
		}
	}
}

// Every unit may have a table of its own, but not each one inside another's.
func TestAbbrevOverlap(t *testing.T) {
	const n = 64
	data := make([]byte, 0, n*7+1)
	var units []header
	for i := range n { // code, tag, no children, no attributes
		units = append(units, header{abbrev: uint64(len(data))})
		data = append(data, byte(i+1), 0x2e, 0, 0, 0)
	}
	data = append(data, 0)
	tabs := newTables(data, units)
	if _, err := tabs.get(0, encoding{addrSize: 8}); err == nil || !strings.Contains(err.Error(), "too many others") {
		t.Errorf("first table: %v", err)
	}
	last, err := tabs.get(units[n-maxOverlap].abbrev, encoding{addrSize: 8})
	if err != nil || last.find(n) == nil || last.find(1) != nil {
		t.Errorf("last tables: %v, %v", last, err)
	}
}

func TestAbbrevManyAttributes(t *testing.T) {
	var attrs []dt.Attr
	for range maxAttrs + 1 {
		attrs = append(attrs, attr(dwarf.AttrPrototyped, dt.FlagPresent, nil))
	}
	d := load(t, fileOf(unitOf(4, nil, entryOf(dwarf.TagSubprogram, attrs)), unitOf(4, nil, function("f"))))
	if len(d.Gaps) != 1 || d.Gaps[0].Unit != 0 || len(d.Funcs) != 1 {
		t.Errorf("gaps %v, functions %q", d.Gaps, names(d.Funcs))
	}
}

// Codes need not be 1, 2, 3...
func TestAbbrevSparse(t *testing.T) {
	data := []byte{}
	for i, code := range []uint64{1, 3, 1 << 40, 2, 3} {
		tag := []byte{0x2e, 0x2e, 0x2e, 0x2e, 0x1d}[i]
		data = append(dt.AppendULEB(data, code), tag, 0, 0, 0)
	}
	tabs := newTables(append(data, 0), nil)
	table, err := tabs.get(0, encoding{addrSize: 8})
	if err != nil {
		t.Fatal(err)
	}
	if table.find(3).act != actFunc {
		t.Error("of two abbreviations with one code the second was taken")
	}
	for code, want := range map[uint64]bool{0: false, 1: true, 2: true, 3: true, 4: false, 1 << 40: true, 1<<40 + 1: false} {
		if got := table.find(code) != nil; got != want {
			t.Errorf("code %d: %v, want %v", code, got, want)
		}
	}
}
