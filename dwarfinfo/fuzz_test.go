package dwarfinfo

import (
	"bytes"
	"debug/dwarf"
	"io"
	"reflect"
	"testing"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

// seedFiles are small files with something of everything; compiled ones are
// in testdata/fuzz.
func seedFiles() []*dt.File {
	var files []*dt.File
	for _, version := range []uint16{2, 4, 5} {
		list := dt.List{{Kind: dt.OffsetPair, A: 1, B: 9}, {Kind: dt.BaseAddress, A: 64}, {Kind: dt.OffsetPair, A: 3, B: 4}}
		lines := &dt.Lines{Version: version, Dirs: []string{"/d", "e"}, Files: []dt.LineFile{{Name: "a.c"}, {Name: "b.c", Dir: 1}},
			Program: program{}.address(1).op(lnsCopy).special(2, 1).op(lnsConstAddPC).end()}
		decl := function("method")
		body := specified(decl, attr(dwarf.AttrLowpc, dt.Addr, 1), attr(dwarf.AttrHighpc, dt.Addr, 90),
			attr(dwarf.AttrDeclFile, dt.Data1, 1))
		c := inlined(body, inlined(decl))
		c.Attrs = append(c.Attrs, attr(dwarf.AttrRanges, dt.Data4, list), attr(dwarf.AttrEntrypc, dt.Data1, 2),
			attr(dwarf.AttrCallFile, dt.Udata, 1))
		body.Children = []*dt.Entry{c, function("nested", inlined(decl)), inlined(body),
			entryOf(dwarf.TagCallSite, []dt.Attr{attr(dwarf.AttrCallReturnPC, dt.Addr, 7), attr(dwarf.AttrCallOrigin, dt.Ref4, decl)}),
			entryOf(dwarf.TagLabel, []dt.Attr{attr(dwarf.AttrLowpc, dt.Addr, 9)})}
		class := entryOf(dwarf.TagClassType, named("cls", attr(dwarf.AttrSibling, dt.Ref4, dt.After{})), decl)
		files = append(files, fileOf(
			unitOf(version, named("a.c", attr(dwarf.AttrStmtList, dt.Data4, lines), attr(dwarf.AttrLowpc, dt.Addr, 16),
				attr(dwarf.AttrCompDir, dt.Strp, "/comp")),
				entryOf(dwarf.TagNamespace, named("ns"), class), body),
			unitOf(version, nil, function("other", inlined(decl)), bodyOf(body))))
	}
	return files
}

func FuzzLoad(f *testing.F) {
	for _, file := range seedFiles() {
		get := func(name string) []byte { b, _ := file.Section(name); return b }
		f.Add(get(".debug_info"), get(".debug_abbrev"), get(".debug_str"),
			append(get(".debug_ranges"), get(".debug_rnglists")...), get(".debug_line"))
	}
	f.Fuzz(func(t *testing.T, info, abbrev, str, lists, line []byte) {
		src := sectionMap{".debug_info": info, ".debug_abbrev": abbrev, ".debug_str": str,
			".debug_line_str": str, ".debug_str_offsets": lists, ".debug_addr": lists,
			".debug_ranges": lists, ".debug_rnglists": lists, ".debug_line": line, ".debug_types": info}
		d, err := Load(src)
		if err != nil {
			t.Fatalf("sections can be had, and yet: %v", err)
		}
		d.check(t, len(info), len(lists))
		for i := range d.Units {
			if table, err := d.Lines(int32(i)); (table == nil) == (err == nil) {
				t.Fatalf("lines: %v and %v", table, err)
			}
		}
		again, err := Load(inParts{src})
		if err != nil || !reflect.DeepEqual(d.Units, again.Units) || !reflect.DeepEqual(d.Funcs, again.Funcs) ||
			!reflect.DeepEqual(d.Copies, again.Copies) || !reflect.DeepEqual(d.Calls, again.Calls) || !reflect.DeepEqual(d.Gaps, again.Gaps) {
			t.Fatal("a second reading, in parts, differs")
		}
	})
}

// inParts is a partSource.
type inParts struct{ sectionMap }

func (p inParts) SectionReader(name string) (*io.SectionReader, bool) {
	b := p.sectionMap[name]
	return io.NewSectionReader(bytes.NewReader(b), 0, int64(len(b))), true
}

// FuzzLinked reads a file with an alternate one.
func FuzzLinked(f *testing.F) {
	there := function("there")
	alt := fileOf(unitOf(4, nil, entryOf(dwarf.TagNamespace, named("ns"), there)))
	if _, err := alt.Section(".debug_info"); err != nil {
		f.Fatal(err)
	}
	main := fileOf(unitOf(4, nil, entryOf(dwarf.TagSubprogram, []dt.Attr{attr(dwarf.AttrName, dt.GNUStrpAlt, 0)},
		entryOf(dwarf.TagInlinedSubroutine, []dt.Attr{attr(dwarf.AttrAbstractOrigin, dt.GNURefAlt, there.Offset())}))))
	get := func(file *dt.File, name string) []byte { b, _ := file.Section(name); return b }
	f.Add(get(main, ".debug_info"), get(main, ".debug_abbrev"), get(alt, ".debug_info"), get(alt, ".debug_abbrev"), get(alt, ".debug_str"))
	f.Fuzz(func(t *testing.T, info, abbrev, altInfo, altAbbrev, str []byte) {
		src := sectionMap{".debug_info": info, ".debug_abbrev": abbrev, ".debug_str": str, ".debug_line": altInfo, ".debug_ranges": abbrev}
		links := Links{Alt: sectionMap{".debug_info": altInfo, ".debug_abbrev": altAbbrev, ".debug_str": str, ".debug_line": info}, AltPath: "alt"}
		d, err := LoadLinked(src, links)
		if err != nil {
			t.Fatalf("sections can be had, and yet: %v", err)
		}
		d.check(t, len(info)+len(altInfo), len(abbrev))
		again, err := LoadLinked(inParts{src}, links)
		if err != nil || !reflect.DeepEqual(d.Funcs, again.Funcs) || !reflect.DeepEqual(d.Copies, again.Copies) || !reflect.DeepEqual(d.Gaps, again.Gaps) {
			t.Fatal("a second reading differs")
		}
	})
}

// check tests what everyone relies on, whatever the bytes were.
func (d *Data) check(t *testing.T, info, lists int) {
	t.Helper()
	funcs, copies := int32(len(d.Funcs)), int32(len(d.Copies))
	ranges, text := 0, 0
	next := int32(0)
	for i, f := range d.Funcs {
		if f.Root < 0 || f.Root >= funcs || d.Funcs[f.Root].Root != f.Root {
			t.Fatalf("function %d: root %d is not one", i, f.Root)
		}
		if f.FirstCopy != next || f.EndCopy < f.FirstCopy {
			t.Fatalf("function %d: copies %d to %d do not follow %d", i, f.FirstCopy, f.EndCopy, next)
		}
		if i > 0 && f.Offset <= d.Funcs[i-1].Offset && f.Unit == d.Funcs[i-1].Unit {
			t.Fatalf("function %d is out of order", i)
		}
		next = f.EndCopy
		for c := f.FirstCopy; c < f.EndCopy; c++ {
			if d.Copies[c].Func != int32(i) {
				t.Fatalf("copy %d is not in function %d", c, i)
			}
		}
		ranges += len(f.Ranges)
		text += len(f.DeclFile)
	}
	if next != copies {
		t.Fatalf("%d copies of %d have a function", next, copies)
	}
	for i, c := range d.Copies {
		if c.Parent < -1 || c.Parent >= int32(i) || c.Parent >= 0 && d.Copies[c.Parent].Func != c.Func {
			t.Fatalf("copy %d: parent %d", i, c.Parent)
		}
		if c.Origin < -1 || c.Origin >= funcs || c.Origin >= 0 && d.Funcs[c.Origin].Root != c.Origin {
			t.Fatalf("copy %d: origin %d", i, c.Origin)
		}
		for _, r := range c.Ranges {
			if r.Empty() {
				t.Fatalf("copy %d: empty range %v", i, r)
			}
		}
		ranges += len(c.Ranges)
	}
	for i, c := range d.Calls {
		if c.Func < 0 || c.Func >= funcs || c.Copy < -1 || c.Copy >= copies || c.Callee < -1 || c.Callee >= funcs {
			t.Fatalf("call %d: %+v", i, c)
		}
	}
	if ranges > info+2*(listFactor*lists+4096) || len(d.Funcs)+len(d.Copies)+len(d.Calls) > info ||
		len(d.Gaps) > 2+2*maxGaps*len(d.Units) || text > (pathsPerByte+4096)*info {
		t.Fatalf("%d bytes became %d ranges, %d gaps, %d bytes of file names", info, ranges, len(d.Gaps), text)
	}
}

func FuzzLines(f *testing.F) {
	for _, file := range seedFiles() {
		line, _ := file.Section(".debug_line")
		f.Add(line, []byte("str\x00"), uint8(8))
	}
	f.Fuzz(func(t *testing.T, line, str []byte, addrSize uint8) {
		secs := &sections{line: line, str: str, lineStr: str, strOffsets: str, lines: make([]lineOnce, 1)}
		d := &Data{secs: secs, Units: []Unit{{HasLines: true, addrSize: addrSize, CompDir: "/comp"}}}
		table, err := d.Lines(0)
		if (table == nil) == (err == nil) {
			t.Fatalf("lines: %v and %v", table, err)
		}
		if err != nil {
			return
		}
		size := 0
		for _, name := range table.Files {
			size += len(name)
		}
		if len(table.Rows) > len(line) || size > lineFactor*len(line) {
			t.Fatalf("%d bytes became %d rows and %d bytes of names", len(line), len(table.Rows), size)
		}
		for i, r := range table.Rows {
			if n := len(table.Between(r.Addr, r.Addr+1)); n == 0 && !r.EndSeq && r.Addr+1 != 0 && !table.emptySeq(i) {
				t.Fatalf("row %+v is not found", r)
			}
			if got, ok := table.At(r.Addr); ok && got.Addr > r.Addr {
				t.Fatalf("row at %#x begins at %#x", r.Addr, got.Addr)
			}
			if i > 200 {
				break // quadratic
			}
		}
	})
}

// emptySeq tells whether row i is in a sequence that covers nothing, or one
// that goes back: those are not searched by their first address.
func (t *LineTable) emptySeq(i int) bool {
	for _, s := range t.seqs {
		if s.first <= i && i < s.end {
			return s.low == s.high || !s.sorted || t.Rows[i].Addr == s.high
		}
	}
	return true
}
