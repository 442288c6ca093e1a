package dwarfinfo

import (
	"debug/dwarf"
	"encoding/binary"
	"errors"
	"reflect"
	"strings"
	"testing"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

// indexOf writes a package's index: of each unit its id, and for each column
// offset and size.
func indexOf(version uint32, columns []uint32, units ...pkgUnit) []byte {
	var b []byte
	num := func(n ...uint32) {
		for _, v := range n {
			b = binary.LittleEndian.AppendUint32(b, v)
		}
	}
	num(version, uint32(len(columns)), uint32(len(units)), uint32(len(units)))
	for _, u := range units {
		b = binary.LittleEndian.AppendUint64(b, u.id)
	}
	for i := range units {
		num(uint32(i + 1))
	}
	num(columns...)
	for _, u := range units {
		for _, p := range u.parts {
			num(uint32(p.off))
		}
	}
	for _, u := range units {
		for _, p := range u.parts {
			num(uint32(p.size))
		}
	}
	return b
}

type pkgUnit struct {
	id    uint64
	parts []part
}

// splitOf makes a skeleton and its contents: .dwo sections without suffix.
func splitOf(version uint16, name string) (skeleton *dt.Unit, contents *dt.File) {
	const id = 0
	f := function("f")
	body := entryOf(dwarf.TagSubprogram, named("body", attr(dwarf.AttrLowpc, dt.GNUAddrIndex, dt.Raw{0}), attr(dwarf.AttrHighpc, dt.Data1, 16)), inlined(f))
	in := unitOf(version, named(name+".c"), f, body)
	out := unitOf(version, []dt.Attr{attr(dwarf.AttrDwoName, dt.String, name+".dwo"), attr(dwarf.Attr(attrGNUDwoID), dt.Data8, id)})
	if version >= 5 {
		in.Kind, out.Kind, out.Root.Tag = unitSplitCompile, unitSkeleton, dwarf.TagSkeletonUnit
	} else {
		in.Root.Attrs = append(in.Root.Attrs, attr(dwarf.Attr(attrGNUDwoID), dt.Data8, id))
	}
	return out, fileOf(in)
}

// dwoSections renames the sections as in a split file.
func dwoSections(file *dt.File) sectionMap {
	out := sectionMap{}
	for _, name := range []string{".debug_info", ".debug_abbrev", ".debug_str", ".debug_str_offsets", ".debug_rnglists", ".debug_line"} {
		out[name+".dwo"], _ = file.Section(name)
	}
	return out
}

// mainOf is the program of a skeleton, with one address.
func mainOf(skeleton *dt.Unit) *dt.File {
	addr := binary.LittleEndian.AppendUint64(nil, 0x1000)
	if skeleton.Version >= 5 {
		addr = append([]byte{12, 0, 0, 0, 5, 0, 8, 0}, addr...)
	}
	return &dt.File{Units: []*dt.Unit{skeleton}, Sections: map[string][]byte{".debug_addr": addr}}
}

func TestPackage(t *testing.T) {
	for _, version := range []uint16{4, 5} {
		skeleton, contents := splitOf(version, "a")
		dwo := dwoSections(contents)
		// The unit's parts lie behind others.
		pad := []byte{0xff, 0xff, 0xff}
		size := func(s string) uint64 { return uint64(len(dwo[s])) }
		info, abbrev := part{3, size(".debug_info.dwo")}, part{3, size(".debug_abbrev.dwo")}
		pkg := sectionMap{".debug_str.dwo": dwo[".debug_str.dwo"]}
		for _, s := range []string{".debug_info.dwo", ".debug_abbrev.dwo"} {
			pkg[s] = append(append([]byte(nil), pad...), dwo[s]...)
		}
		indexVersion := uint32(2)
		if version >= 5 {
			indexVersion = 5
		}
		index := func(id uint64, parts ...part) []byte {
			return indexOf(indexVersion, []uint32{sectInfo, sectAbbrev}, pkgUnit{7, []part{{0, 3}, {0, 3}}}, pkgUnit{id, parts})
		}
		tests := []struct {
			name  string
			index []byte
			gap   string
		}{
			{"good", index(0, info, abbrev), ""},
			{"another id", index(1, info, abbrev), "a.dwo: not in the directory"},
			{"outside", index(0, part{3, info.size + 1}, abbrev), "leads outside its section"},
			{"empty", index(0, part{0, 0}, abbrev), "holds no unit"},
			{"no index", nil, "data ends in the middle"},
			{"version", indexOf(3, []uint32{1}), "version of the package's index"},
			{"no columns", indexOf(indexVersion, nil, pkgUnit{}), "has no or too many columns"},
			{"nothing", indexOf(indexVersion, nil), "not in the directory"},
		}
		for _, tt := range tests {
			pkg[".debug_cu_index"] = tt.index
			d, err := LoadLinked(mainOf(skeleton), Links{
				Package: func() (Source, string) { return pkg, "prog.dwp" },
				Split:   func(SplitUnit, func(Source, string) error) error { return errors.New("not in the directory") },
			})
			if err != nil {
				t.Fatal(err)
			}
			if tt.gap != "" {
				if len(d.Gaps) == 0 || d.Gaps[0].Kind != GapSplit || !strings.Contains(d.Gaps[0].Detail+d.Gaps[len(d.Gaps)-1].Detail, tt.gap) || len(d.Funcs) > 0 {
					t.Errorf("version %d, %s: gaps %v", version, tt.name, d.Gaps)
				}
				continue
			}
			if len(d.Gaps) > 0 || len(d.Copies) != 1 {
				t.Fatalf("version %d: gaps %v, %d copies", version, d.Gaps, len(d.Copies))
			}
			body := d.Funcs[d.Copies[0].Func]
			if body.Name != "body" || body.EntryPC != 0x1000 || d.Units[body.Unit].File != "prog.dwp" ||
				body.Offset != contents.Units[0].Root.Children[1].Offset()+3 || d.Units[body.Unit].Offset != 3 {
				t.Errorf("version %d: %+v in %+v", version, body, d.Units[body.Unit])
			}
		}
	}
}

// Rows must not make more of a package than it is.
func TestPackageShared(t *testing.T) {
	p := &pkgFile{spent: map[*[]byte]*spending{}}
	data := make([]byte, 100)
	for i := range uint64(2) {
		if err := p.spend(&data, part{i, 99}); err != nil {
			t.Fatal(err)
		}
		if err := p.spend(&data, part{i, 99}); err != nil { // the same again costs nothing
			t.Fatal(err)
		}
	}
	_ = p.spend(&data, part{0, 98})
	_ = p.spend(&data, part{0, 97})
	if err := p.spend(&data, part{0, 96}); !errors.Is(err, errPkgShared) {
		t.Error(err)
	}
}

// FuzzPackage reads any bytes as an index: an index xor an error, and its rows.
func FuzzPackage(f *testing.F) {
	f.Add(indexOf(2, []uint32{sectInfo, sectAbbrev, sectStrOffsets}, pkgUnit{1, []part{{0, 4}, {0, 4}, {0, 4}}}, pkgUnit{2, []part{{4, 8}, {0, 4}, {4, 4}}}))
	f.Add(indexOf(5, []uint32{sectInfo, sectAbbrev, sectRnglists}, pkgUnit{1, []part{{0, 4}, {0, 4}, {0, 4}}}))
	f.Fuzz(func(t *testing.T, data []byte) {
		x, err := readPkgIndex(data, ".debug_cu_index")
		if (x == nil) == (err == nil) {
			t.Fatalf("index %v and error %v", x, err)
		}
		if err != nil {
			return
		}
		p := &pkgFile{secs: &sections{info: data, abbrev: data, strOffsets: data, rnglists: data, line: data}, main: &sections{},
			spent: map[*[]byte]*spending{}, tabs: map[part]*tables{}, heads: map[*tables][]header{}}
		total := 0
		for _, row := range x.rows {
			s, err := p.row(x, row)
			if (s == nil) == (err == nil) {
				t.Fatalf("sections %v and error %v", s, err)
			}
			if err == nil {
				total += len(s.abbrev)
			}
		}
		if len(p.tabs) > len(data) || len(x.rows) > len(data)/12 {
			t.Fatalf("%d tables, %d rows of %d bytes", len(p.tabs), len(x.rows), len(data))
		}
	})
}

// FuzzSplit reads a program with a .dwo file and with a package.
func FuzzSplit(f *testing.F) {
	for _, version := range []uint16{4, 5} {
		skeleton, contents := splitOf(version, "a")
		dwo := dwoSections(contents)
		main := mainOf(skeleton)
		info, _ := main.Section(".debug_info")
		abbrev, _ := main.Section(".debug_abbrev")
		addr, _ := main.Section(".debug_addr")
		index := indexOf(uint32(version/5*3+2), []uint32{sectInfo, sectAbbrev},
			pkgUnit{0, []part{{0, uint64(len(dwo[".debug_info.dwo"]))}, {0, uint64(len(dwo[".debug_abbrev.dwo"]))}}})
		f.Add(info, abbrev, addr, dwo[".debug_info.dwo"], dwo[".debug_abbrev.dwo"], index)
	}
	f.Fuzz(func(t *testing.T, info, abbrev, addr, dwoInfo, dwoAbbrev, index []byte) {
		src := sectionMap{".debug_info": info, ".debug_abbrev": abbrev, ".debug_addr": addr, ".debug_str": abbrev, ".debug_ranges": addr, ".debug_line": index}
		dwo := sectionMap{".debug_info.dwo": dwoInfo, ".debug_abbrev.dwo": dwoAbbrev, ".debug_str.dwo": abbrev, ".debug_str_offsets.dwo": addr,
			".debug_rnglists.dwo": addr, ".debug_cu_index": index, ".debug_types.dwo": dwoInfo, ".debug_tu_index": index}
		split := func(u SplitUnit, take func(Source, string) error) error { return take(dwo, "a.dwo") }
		for _, links := range []Links{{Split: split}, {Split: split, Package: func() (Source, string) { return dwo, "prog.dwp" }}} {
			d, err := LoadLinked(src, links)
			if err != nil {
				t.Fatalf("sections can be had, and yet: %v", err)
			}
			d.check(t, len(info)+maxAdopted*len(dwoInfo), 2*len(addr))
			again, err := LoadLinked(src, links)
			if err != nil || !reflect.DeepEqual(d.Funcs, again.Funcs) || !reflect.DeepEqual(d.Copies, again.Copies) || !reflect.DeepEqual(d.Gaps, again.Gaps) {
				t.Fatal("a second reading differs")
			}
		}
	})
}
