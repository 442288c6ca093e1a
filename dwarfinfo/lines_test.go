package dwarfinfo

import (
	"debug/dwarf"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
)

// program writes line number opcodes.
type program []byte

func (p program) address(a uint32) program {
	return append(p, 0, 9, lneSetAddress, byte(a), byte(a>>8), byte(a>>16), byte(a>>24), 0, 0, 0, 0)
}
func (p program) op(op byte, args ...uint64) program {
	p = append(p, op)
	for _, a := range args {
		p = dt.AppendULEB(p, a)
	}
	return p
}
func (p program) line(delta int64) program {
	return dt.AppendSLEB(append(p, lnsAdvanceLine), delta)
}
func (p program) end() program { return append(p, 0, 1, lneEndSequence) }

// special advances by the opcode arithmetic of the builder's header.
func (p program) special(addr, line int) program {
	return append(p, byte(line+5+14*addr+13))
}

func linesOf(t *testing.T, version uint16, p program) (*LineTable, error) {
	t.Helper()
	l := &dt.Lines{Version: version, Dirs: []string{"/src", "sub"}, Program: p,
		Files: []dt.LineFile{{Name: "a.c"}, {Name: "b.h", Dir: 1}}}
	d := loadWhole(t, fileOf(unitOf(version, []dt.Attr{
		attr(dwarf.AttrStmtList, dt.Data4, l), attr(dwarf.AttrCompDir, dt.String, "/comp")})))
	return d.Lines(0)
}

func TestLineProgram(t *testing.T) {
	p := program{}.
		address(0x2000).op(lnsCopy).end(). // the higher sequence first
		address(0x1000).line(9).op(lnsSetColumn, 7).special(0, 0).
		special(2, 3).
		op(lnsNegateStmt).op(lnsSetFile, 2).line(-5).op(lnsCopy).
		op(lnsAdvancePC, 0x10).op(lnsConstAddPC).append(lnsFixedAdvancePC, 0x01, 0x01).
		append(0, 2, 4, 9). // discriminator
		append(0, 0).       // empty extended opcode
		op(11).op(12, 3).   // epilogue_begin, set_isa
		op(lnsCopy).
		op(lnsAdvancePC, 4).end().
		address(0x3000).op(lnsCopy) // no end: dropped
	want := []Row{
		{Addr: 0x1000, File: 1, Line: 10, Column: 7, IsStmt: true},
		{Addr: 0x1002, File: 1, Line: 13, Column: 7, IsStmt: true},
		{Addr: 0x1002, File: 2, Line: 8, Column: 7},
		{Addr: 0x1124, File: 2, Line: 8, Column: 7},
		{Addr: 0x1128, File: 2, Line: 8, Column: 7, EndSeq: true},
		{Addr: 0x2000, File: 1, Line: 1, IsStmt: true},
		{Addr: 0x2000, File: 1, Line: 1, IsStmt: true, EndSeq: true},
	}
	for version := uint16(2); version <= 5; version++ {
		table, err := linesOf(t, version, p)
		if err != nil {
			t.Fatal(version, err)
		}
		if diff := cmp.Diff(want, table.Rows); diff != "" {
			t.Errorf("version %d:\n%s", version, diff)
		}
	}
}

// A sequence without its end is dropped: its last row covers nobody knows what.
func TestLineProgramUnended(t *testing.T) {
	table, err := linesOf(t, 5, program{}.address(0x1000).op(lnsCopy).op(lnsAdvancePC, 1).end().address(0x2000).op(lnsCopy))
	if err != nil || len(table.Rows) != 2 {
		t.Errorf("rows %+v, %v", table, err)
	}
}

func (p program) append(b ...byte) program { return append(p, b...) }

func TestLineLookup(t *testing.T) {
	p := program{}.
		address(0x1000).special(0, 1).special(0, 1).special(4, 1).special(4, 1).op(lnsAdvancePC, 4).end().
		address(0x100c).special(0, 6).op(lnsAdvancePC, 4).end(). // follows at once
		address(0x1100).special(0, 7).special(2, -1).op(lnsAdvancePC, 4).end().
		address(0x1104).special(0, 2).op(lnsAdvancePC, 0x20).end(). // overlaps the one before
		address(0x1200).line(10).op(lnsCopy).op(lnsAdvancePC, 0x100).end().
		address(0x1240).line(11).op(lnsCopy).op(lnsAdvancePC, 0x10).end() // lies inside the one before
	table, err := linesOf(t, 4, p)
	if err != nil {
		t.Fatal(err)
	}
	for addr, want := range map[uint64]uint32{0xfff: 0, 0x1000: 3, 0x1003: 3, 0x1004: 4, 0x100b: 5, 0x100c: 7,
		0x100f: 7, 0x1010: 0, 0x10ff: 0, 0x1100: 8, 0x1103: 7, 0x1104: 3, 0x1123: 3, 0x1124: 0, 0x1240: 12,
		0x1250: 11, 0x12ff: 11, 0x1300: 0, ^uint64(0): 0} {
		if row, ok := table.At(addr); row.Line != want || ok != (want != 0) {
			t.Errorf("at %#x: %+v, %v; want line %d", addr, row, ok, want)
		}
	}
	for _, tt := range []struct {
		low, high uint64
		want      string
	}{
		{0x1000, 0x1001, "[2 3]"}, {0x1001, 0x1004, "[]"}, {0x1004, 0x100d, "[4 5 7]"}, {0, 0x1000, "[]"},
		{0x100c, 0x1010, "[7]"}, {0x1010, 0x1100, "[]"}, {0, ^uint64(0), "[2 3 4 5 7 8 7 3 11 12]"},
		{0x1102, 0x1105, "[7 3]"}, {0x2000, 0x1000, "[]"},
	} {
		got := []uint32{}
		for _, r := range table.Between(tt.low, tt.high) {
			got = append(got, r.Line)
		}
		if fmt.Sprint(got) != tt.want {
			t.Errorf("between %#x and %#x: lines %v, want %s", tt.low, tt.high, got, tt.want)
		}
	}
}

// A sequence whose addresses go back is kept as written and still searched.
func TestLineLookupUnsorted(t *testing.T) {
	p := program{}.address(0x1010).special(0, 1).address(0x1000).special(0, 1).special(4, 1).op(lnsAdvancePC, 0x20).end()
	table, err := linesOf(t, 4, p)
	if err != nil {
		t.Fatal(err)
	}
	if row, ok := table.At(0x1010); !ok || row.Line != 4 {
		t.Errorf("at: %+v, %v", row, ok)
	}
	if rows := table.Between(0x1001, 0x1011); len(rows) != 2 || rows[0].Line != 2 || rows[1].Line != 4 {
		t.Errorf("between: %+v", rows)
	}
}

// Files of rows, declarations and calls are joined alike: they compare equal.
func TestFileNames(t *testing.T) {
	files := []dt.LineFile{{Name: "a.c"}, {Name: "b.h", Dir: 1}, {Name: "/abs//c.h", Dir: 1},
		{Name: "../d.h", Dir: 1}, {Name: "e.h", Dir: 2}, {Name: "f.h", Dir: 99}}
	for _, tt := range []struct {
		version uint16
		comp    string
		dirs    []string
		want    []string
	}{
		{4, "/comp", []string{"sub", "/inc"},
			[]string{"", "/comp/a.c", "/comp/sub/b.h", "/abs/c.h", "/comp/d.h", "/inc/e.h", "/comp/f.h"}},
		{5, "/comp", []string{"/comp", "sub", "/inc"},
			[]string{"/comp/a.c", "/comp/sub/b.h", "/abs/c.h", "/comp/d.h", "/inc/e.h", "/comp/f.h"}},
		{5, "/comp/./x/", []string{".", "..", "/inc/"},
			[]string{"/comp/x/a.c", "/comp/b.h", "/abs/c.h", "/d.h", "/inc/e.h", "/comp/x/f.h"}},
		{3, "", []string{"sub"}, []string{"", "a.c", "sub/b.h", "/abs/c.h", "d.h", "e.h", "f.h"}},
	} {
		var entries []*dt.Entry
		for i := range tt.want {
			f := function("f")
			f.Attrs = append(f.Attrs, attr(dwarf.AttrDeclFile, dt.Data1, i))
			c := inlined(f)
			c.Attrs = append(c.Attrs, attr(dwarf.AttrCallFile, dt.ImplicitConst, i),
				attr(dwarf.AttrCallLine, dt.Data2, 300), attr(dwarf.AttrCallColumn, dt.Data1, 5))
			f.Children = []*dt.Entry{c}
			entries = append(entries, f)
		}
		entries = append(entries, function("none"))
		d := loadWhole(t, fileOf(unitOf(tt.version, []dt.Attr{attr(dwarf.AttrCompDir, dt.String, tt.comp),
			attr(dwarf.AttrStmtList, dt.Data4, &dt.Lines{Version: tt.version, Dirs: tt.dirs, Files: files})},
			entries...)))
		table, err := d.Lines(0)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want, table.Files); diff != "" {
			t.Errorf("version %d: table:\n%s", tt.version, diff)
		}
		for i, want := range append(tt.want, "") {
			if got := d.Funcs[i].DeclFile; got != want {
				t.Errorf("version %d: declaration in %q, want %q", tt.version, got, want)
			}
			if i < len(d.Copies) && (d.Copies[i].CallFile != want || d.Copies[i].CallLine != 300 || d.Copies[i].CallCol != 5) {
				t.Errorf("version %d: call in %+v, want %q", tt.version, d.Copies[i], want)
			}
		}
	}
}

func TestLinesMissing(t *testing.T) {
	d := loadWhole(t, fileOf(unitOf(4, nil), unitOf(4, nil)))
	if _, err := d.Lines(1); !errors.Is(err, ErrNoLines) {
		t.Errorf("unit without lines: %v", err)
	}
	for _, unit := range []int32{-1, 2} {
		if table, err := d.Lines(unit); err == nil || table != nil {
			t.Errorf("unit %d: %v, %v", unit, table, err)
		}
	}
}

// Damage in a line table is one error with its place, for that unit only.
func TestLinesDamaged(t *testing.T) {
	good := &dt.Lines{Version: 5, Dirs: []string{"/"}, Files: []dt.LineFile{{Name: "a"}},
		Program: program{}.address(1).op(lnsCopy).end()}
	src := fileOf(unitOf(5, []dt.Attr{attr(dwarf.AttrStmtList, dt.SecOffset, good)}))
	line, _ := src.Section(".debug_line")
	set := func(at int, b ...byte) []byte {
		out := append([]byte(nil), line...)
		copy(out[at:], b)
		return out
	}
	for what, data := range map[string][]byte{
		"length":        set(0, 0xff),
		"reserved":      set(0, 0xf1, 0xff, 0xff, 0xff),
		"version":       set(4, 6),
		"header length": set(8, 0xff),
		"opcode base":   set(17, 0),
		"line range":    append(set(16, 0)[:len(line)-3:len(line)-3], 255, 1, 1),
		"columns":       set(30, 255),
		"no columns":    set(33, 100, 0, 100),
		"file form":     set(32, 0x7f),
		"nothing":       nil,
	} {
		d := load(t, &dt.File{Units: src.Units, Sections: map[string][]byte{".debug_line": data}})
		table, err := d.Lines(0)
		var format *FormatError
		if table != nil || !errors.As(err, &format) || format.Section != ".debug_line" {
			t.Errorf("%s: %v, %v", what, table, err)
		}
	}
	d := load(t, &dt.File{Units: src.Units, Sections: map[string][]byte{".debug_line": set(30, 0, 100)}})
	if _, err := d.Lines(0); !errors.Is(err, errFileForm) {
		t.Errorf("files without columns: %v", err)
	}
	for n := range line {
		d := load(t, &dt.File{Units: src.Units, Sections: map[string][]byte{".debug_line": line[:n]}})
		if table, err := d.Lines(0); (table == nil) == (err == nil) {
			t.Fatalf("cut to %d: %v, %v", n, table, err)
		}
	}
}

// Short references to long directories must not fill memory.
func TestFileNamesBounded(t *testing.T) {
	l := &dt.Lines{Version: 5, Dirs: []string{"/" + strings.Repeat("d", 1<<16)}}
	for range 5000 {
		l.Files = append(l.Files, dt.LineFile{Name: "f"})
	}
	var fs []*dt.Entry
	for i := range 500 {
		f := function("f")
		f.Attrs = append(f.Attrs, attr(dwarf.AttrDeclFile, dt.Data2, i))
		fs = append(fs, f)
	}
	d := load(t, fileOf(unitOf(5, []dt.Attr{attr(dwarf.AttrStmtList, dt.SecOffset, l)}, fs...)))
	if len(d.Gaps) != 1 || !strings.Contains(d.Gaps[0].Detail, "proportion") || d.Funcs[0].DeclFile == "" {
		t.Errorf("gaps %v", d.Gaps)
	}
	if _, err := d.Lines(0); !errors.Is(err, errManyPaths) {
		t.Errorf("lines: %v", err)
	}
}

func TestLinesConcurrent(t *testing.T) {
	l := &dt.Lines{Version: 4, Program: program{}.address(1).op(lnsCopy).end()}
	d := loadWhole(t, fileOf(unitOf(4, []dt.Attr{attr(dwarf.AttrStmtList, dt.SecOffset, l)})))
	var wg sync.WaitGroup
	tables := make([]*LineTable, 8)
	for i := range tables {
		wg.Go(func() { tables[i], _ = d.Lines(0) })
	}
	wg.Wait()
	for _, table := range tables {
		if table == nil || table != tables[0] {
			t.Fatalf("tables differ: %v", tables)
		}
	}
}
