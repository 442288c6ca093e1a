package dwarftest_test

import (
	"debug/dwarf"
	"testing"

	"github.com/surehook/surehook/dwarfinfo/dwarftest"
)

// The standard library must read what is written here.
func TestStandardLibraryReadsIt(t *testing.T) {
	for _, version := range []uint16{4, 5} {
		fn := &dwarftest.Entry{Tag: dwarf.TagSubprogram, Attrs: []dwarftest.Attr{
			{At: dwarf.AttrName, Form: dwarftest.Strp, Val: "f"},
			{At: dwarf.AttrRanges, Form: dwarftest.SecOffset, Val: dwarftest.List{
				{Kind: dwarftest.BaseAddress, A: 0x1000},
				{Kind: dwarftest.OffsetPair, A: 0x10, B: 0x20},
			}},
		}}
		lines := &dwarftest.Lines{Version: version, Dirs: []string{"/d"},
			Files: []dwarftest.LineFile{{Name: "a.c"}}}
		f := &dwarftest.File{Units: []*dwarftest.Unit{{Version: version, Root: &dwarftest.Entry{
			Tag: dwarf.TagCompileUnit,
			Attrs: []dwarftest.Attr{
				{At: dwarf.AttrName, Form: dwarftest.String, Val: "a.c"},
				{At: dwarf.AttrStmtList, Form: dwarftest.SecOffset, Val: lines},
			},
			Children: []*dwarftest.Entry{fn, {Tag: dwarf.TagInlinedSubroutine, Attrs: []dwarftest.Attr{
				{At: dwarf.AttrAbstractOrigin, Form: dwarftest.Ref4, Val: fn}}}},
		}}}}
		checkWithStd(t, f, fn)
	}
}

func checkWithStd(t *testing.T, f *dwarftest.File, fn *dwarftest.Entry) {
	t.Helper()
	get := func(name string) []byte { b, _ := f.Section(name); return b }
	d, err := dwarf.New(get(".debug_abbrev"), nil, nil, get(".debug_info"),
		get(".debug_line"), nil, get(".debug_ranges"), get(".debug_str"))
	if err != nil {
		t.Fatal(err)
	}
	if b := get(".debug_rnglists"); b != nil {
		if err := d.AddSection(".debug_rnglists", b); err != nil {
			t.Fatal(err)
		}
	}
	r := d.Reader()
	unit, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	if lr, err := d.LineReader(unit); err != nil || lr == nil {
		t.Errorf("line table: %v, %v", lr, err)
	}
	e, err := r.Next()
	if err != nil || e.Val(dwarf.AttrName) != "f" || uint64(e.Offset) != fn.Offset() {
		t.Fatalf("function: %v, %v; written at %#x", e, err, fn.Offset())
	}
	ranges, err := d.Ranges(e)
	if err != nil || len(ranges) != 1 || ranges[0] != [2]uint64{0x1010, 0x1020} {
		t.Errorf("ranges: %#x, %v", ranges, err)
	}
	c, err := r.Next()
	if err != nil || uint64(c.Val(dwarf.AttrAbstractOrigin).(dwarf.Offset)) != fn.Offset() {
		t.Errorf("copy: %v, %v", c, err)
	}
}
