package dwarfinfo

import (
	"debug/dwarf"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	dt "github.com/surehook/surehook/dwarfinfo/dwarftest"
	"github.com/surehook/surehook/elfbin"
)

func pairs(ranges []elfbin.Range) (out [][2]uint64) {
	for _, r := range ranges {
		out = append(out, [2]uint64{r.Low, r.High})
	}
	return out
}

func lowPC(v int) dt.Attr { return attr(dwarf.AttrLowpc, dt.Addr, v) }

func TestRanges(t *testing.T) {
	type ranges = [][2]uint64
	all := dt.List{
		{Kind: dt.OffsetPair, A: 0x10, B: 0x20},                               // from the unit's low_pc
		{Kind: dt.BaseAddressx, A: 0x2000}, {Kind: dt.OffsetPair, A: 1, B: 1}, // empty
		{Kind: dt.OffsetPair, A: 3, B: 2}, // turned around
		{Kind: dt.OffsetPair, A: 1, B: 2},
		{Kind: dt.StartxEndx, A: 0x3000, B: 0x3004}, {Kind: dt.StartxLength, A: 0x4000, B: 4},
		{Kind: dt.BaseAddress, A: 0x5000}, {Kind: dt.OffsetPair, A: 0, B: 300},
		{Kind: dt.StartEnd, A: 0x6000, B: 0x6001}, {Kind: dt.StartLength, A: 0x7000, B: 0x200},
	}
	want := ranges{{0x1010, 0x1020}, {0x2001, 0x2002}, {0x3000, 0x3004}, {0x4000, 0x4004},
		{0x5000, 0x512c}, {0x6000, 0x6001}, {0x7000, 0x7200}}
	old := dt.List{{Kind: dt.OffsetPair, A: 0x10, B: 0x20}, {Kind: dt.OffsetPair, A: 5, B: 5},
		{Kind: dt.BaseAddress, A: 0x2000}, {Kind: dt.OffsetPair, A: 1, B: 2}}
	for _, tt := range []struct {
		name    string
		version uint16
		attrs   []dt.Attr
		want    ranges
	}{
		{"high address", 4, []dt.Attr{lowPC(0x100), attr(dwarf.AttrHighpc, dt.Addr, 0x180)}, ranges{{0x100, 0x180}}},
		{"high offset", 4, []dt.Attr{attr(dwarf.AttrHighpc, dt.Data4, 0x80), lowPC(0x100)}, ranges{{0x100, 0x180}}},
		{"high implicit", 5, []dt.Attr{attr(dwarf.AttrHighpc, dt.ImplicitConst, 0x80), lowPC(0x100)}, ranges{{0x100, 0x180}}},
		{"high addrx", 5, []dt.Attr{attr(dwarf.AttrLowpc, dt.Addrx, 0x100), attr(dwarf.AttrHighpc, dt.Addrx2, 0x180)}, ranges{{0x100, 0x180}}},
		{"GNU index", 4, []dt.Attr{attr(dwarf.AttrLowpc, dt.GNUAddrIndex, 0x100), attr(dwarf.AttrHighpc, dt.Data1, 1)}, ranges{{0x100, 0x101}}},
		{"empty", 4, []dt.Attr{lowPC(0x100), attr(dwarf.AttrHighpc, dt.Data4, 0)}, nil},
		{"wraps", 4, []dt.Attr{lowPC(0x100), attr(dwarf.AttrHighpc, dt.Data8, ^uint64(0))}, nil},
		{"low only", 4, []dt.Attr{lowPC(0x100)}, nil},
		{"list 2", 2, []dt.Attr{attr(dwarf.AttrRanges, dt.Data4, old)}, ranges{{0x1010, 0x1020}, {0x2001, 0x2002}}},
		{"list 4", 4, []dt.Attr{attr(dwarf.AttrRanges, dt.SecOffset, old)}, ranges{{0x1010, 0x1020}, {0x2001, 0x2002}}},
		{"list 5", 5, []dt.Attr{attr(dwarf.AttrRanges, dt.SecOffset, all)}, want},
		{"list 5 indexed", 5, []dt.Attr{attr(dwarf.AttrRanges, dt.Rnglistx, all)}, want},
	} {
		for _, size := range []uint8{4, 8} {
			for _, is64 := range []bool{false, true} {
				f := function("f")
				f.Attrs = append(f.Attrs, tt.attrs...)
				c := inlined(f)
				c.Attrs = append(c.Attrs, tt.attrs...)
				f.Children = []*dt.Entry{c}
				u := unitOf(tt.version, []dt.Attr{lowPC(0x1000)}, f)
				u.AddrSize, u.Dwarf64 = size, is64
				if tt.name == "list 2" && is64 {
					f.Attrs[1].Form, c.Attrs[1].Form = dt.Data8, dt.Data8
				}
				d := loadWhole(t, fileOf(u))
				for what, got := range map[string]ranges{"function": pairs(d.Funcs[0].Ranges), "copy": pairs(d.Copies[0].Ranges)} {
					if diff := cmp.Diff(tt.want, got); diff != "" {
						t.Errorf("%s, %s, address size %d, 64-bit %v:\n%s", tt.name, what, size, is64, diff)
					}
				}
			}
		}
	}
}

// The base of an entry address that is a constant (DWARF5 §2.18).
func TestEntryPC(t *testing.T) {
	list := attr(dwarf.AttrRanges, dt.SecOffset, dt.List{
		{Kind: dt.OffsetPair, A: 0x500, B: 0x500}, {Kind: dt.OffsetPair, A: 0x200, B: 0x300}})
	for _, tt := range []struct {
		name  string
		attrs []dt.Attr
		want  uint64
		copy  bool // a copy has it too
		has   bool
	}{
		{"none", nil, 0, false, false},
		{"low only", []dt.Attr{lowPC(0x100)}, 0x100, false, true},
		{"address", []dt.Attr{attr(dwarf.AttrEntrypc, dt.Addr, 0x123), lowPC(0x100)}, 0x123, true, true},
		{"address alone", []dt.Attr{attr(dwarf.AttrEntrypc, dt.Addr, 0x123)}, 0x123, true, true},
		{"offset from low", []dt.Attr{attr(dwarf.AttrEntrypc, dt.Data1, 5), lowPC(0x100)}, 0x105, true, true},
		{"offset from list", []dt.Attr{attr(dwarf.AttrEntrypc, dt.Udata, 5), list}, 0x505, true, true},
		{"offset from nothing", []dt.Attr{attr(dwarf.AttrEntrypc, dt.Data1, 5)}, 0, false, false},
		{"list only", []dt.Attr{list}, 0, false, false},
	} {
		f := function("f")
		f.Attrs = append(f.Attrs, tt.attrs...)
		c := inlined(f)
		c.Attrs = append(c.Attrs, tt.attrs...)
		f.Children = []*dt.Entry{c}
		d := loadWhole(t, fileOf(unitOf(4, nil, f)))
		if f := d.Funcs[0]; f.EntryPC != tt.want || f.HasEntry != tt.has {
			t.Errorf("%s: function enters at %#x, %v", tt.name, f.EntryPC, f.HasEntry)
		}
		if c := d.Copies[0]; c.HasEntry != tt.copy || c.HasEntry && c.EntryPC != tt.want {
			t.Errorf("%s: copy enters at %#x, %v", tt.name, c.EntryPC, c.HasEntry)
		}
	}
}

func TestRangesDamaged(t *testing.T) {
	for what, a := range map[string]dt.Attr{
		"offset outside":   attr(dwarf.AttrRanges, dt.SecOffset, 1<<20),
		"index outside":    attr(dwarf.AttrRanges, dt.Rnglistx, 1<<62),
		"form":             attr(dwarf.AttrRanges, dt.String, "x"),
		"address index":    attr(dwarf.AttrLowpc, dt.Addrx, dt.Raw(dt.AppendULEB(nil, 1<<60))),
		"unending":         attr(dwarf.AttrRanges, dt.SecOffset, 12),
		"entry kind":       attr(dwarf.AttrRanges, dt.SecOffset, 13),
		"entry of no base": attr(dwarf.AttrEntrypc, dt.Addrx, dt.Raw{9}),
	} {
		f := function("f")
		f.Attrs = append(f.Attrs, a)
		src := fileOf(unitOf(5, nil, f, function("g")))
		src.Sections = map[string][]byte{".debug_rnglists": append(make([]byte, 12), rleStartLength, 99)}
		d := load(t, src)
		if len(d.Gaps) != 1 || d.Gaps[0].Kind != GapBadUnit || len(d.Funcs) != 2 || len(d.Funcs[0].Ranges) != 0 {
			t.Errorf("%s: gaps %v, functions %+v", what, d.Gaps, d.Funcs)
		}
	}
}

// A list that everybody shares must not be kept once for each.
func TestRangesShared(t *testing.T) {
	list := make(dt.List, 1000)
	for i := range list {
		list[i] = dt.Item{Kind: dt.OffsetPair, A: uint64(2*i + 1), B: uint64(2*i + 2)}
	}
	fs := []*dt.Entry{function("first")}
	fs[0].Attrs = append(fs[0].Attrs, attr(dwarf.AttrRanges, dt.SecOffset, list))
	for range 1000 {
		f := function("f")
		f.Attrs = append(f.Attrs, attr(dwarf.AttrRanges, dt.SecOffset, 0))
		fs = append(fs, f)
	}
	d := load(t, fileOf(unitOf(4, nil, fs...)))
	total := 0
	for _, f := range d.Funcs {
		total += len(f.Ranges)
	}
	if total > 2*listFactor*len(list) || len(d.Gaps) != 1 || !strings.Contains(d.Gaps[0].Detail, "shared") {
		t.Errorf("%d ranges, gaps %v", total, d.Gaps)
	}
}

func TestTableEntry(t *testing.T) {
	data := []byte{1, 0, 0, 0, 2, 0, 0, 0, 3, 0}
	for _, tt := range []struct {
		base, i uint64
		size    uint8
		want    uint64
		ok      bool
	}{
		{0, 0, 4, 1, true}, {0, 1, 4, 2, true}, {4, 0, 4, 2, true}, {0, 0, 8, 2<<32 | 1, true}, {0, 2, 4, 0, false},
		{0, 1 << 62, 4, 0, false}, {0, 1 << 61, 8, 0, false}, {^uint64(0), 1, 4, 0, false}, {^uint64(0) - 3, 1, 4, 0, false},
	} {
		if got, err := entry(data, tt.base, tt.i, tt.size); got != tt.want || (err == nil) != tt.ok {
			t.Errorf("base %#x, index %#x, size %d: %d, %v", tt.base, tt.i, tt.size, got, err)
		}
	}
}
