package elfbin

import (
	"debug/elf"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplitVersion(t *testing.T) {
	tests := []struct {
		in, name, version string
		hidden            bool
	}{
		{"memcpy", "memcpy", "", false},
		{"memcpy@GLIBC_2.2.5", "memcpy", "GLIBC_2.2.5", true},
		{"memcpy@@GLIBC_2.14", "memcpy", "GLIBC_2.14", false},
		{"?f@@YAXXZ", "?f@@YAXXZ", "", false},
		{"@feat.00", "@feat.00", "", false},
		{"f@", "f@", "", false},
		{"f@@", "f@@", "", false},
		{"a@b@c", "a@b@c", "", false},
	}
	for _, tt := range tests {
		s := Symbol{Name: tt.in}
		s.splitVersion()
		if want := (Symbol{Name: tt.name, Version: tt.version, Hidden: tt.hidden}); s != want {
			t.Errorf("%s: got %+v", tt.in, s)
		}
	}
}

// versioned is a library with f in two versions and one versioned import.
func versioned() image {
	im := image{sections: []part{code(".text", 0x1000, make([]byte, 256)...)}}
	im.sections = append(im.sections, symbolTable(".dynsym", ".dynstr", elf.SHT_DYNSYM,
		sym{"f", 0x1000, 8, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"f", 0x1010, 8, elf.STT_GNU_IFUNC, elf.STB_GLOBAL, 1},
		sym{"puts", 0, 0, elf.STT_FUNC, elf.STB_GLOBAL, 0},
		sym{"g", 0x1020, 8, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"V_1", 0, 0, elf.STT_OBJECT, elf.STB_GLOBAL, 0xfff1},
		sym{"V_2", 0, 0, elf.STT_OBJECT, elf.STB_GLOBAL, 0xfff1},
		sym{"GLIBC_9", 0, 0, elf.STT_OBJECT, elf.STB_GLOBAL, 0xfff1})...)
	names := string(im.sections[2].data)
	at := func(s string) uint32 { return uint32(strings.Index(names, s)) }
	def := func(index, flags uint16, name string, next uint32) []byte {
		return pack(uint16(1), flags, index, uint16(1), uint32(0), uint32(20), next, at(name), uint32(0))
	}
	im.sections = append(im.sections,
		part{name: ".gnu.version", typ: elf.SHT_GNU_VERSYM, link: ".dynsym",
			data: pack([]uint16{0, 0x8002, 3, 4, 1, 2, 3, 1})},
		part{name: ".gnu.version_d", typ: elf.SHT_GNU_VERDEF, link: ".dynstr", info: 3,
			data: append(append(def(1, 1, "puts", 28), def(2, 0, "V_1", 28)...), def(3, 0, "V_2", 0)...)},
		part{name: ".gnu.version_r", typ: elf.SHT_GNU_VERNEED, link: ".dynstr", info: 1,
			data: pack(uint16(1), uint16(1), at("puts"), uint32(16), uint32(0),
				uint32(0), uint16(0), uint16(4), at("GLIBC_9"), uint32(0))},
	)
	return im
}

func TestLookup(t *testing.T) {
	f := versioned().open(t)
	tests := []struct {
		name string
		want []uint64
	}{
		{"f", []uint64{0x1000, 0x1010}},
		{"f@V_1", []uint64{0x1000}},
		{"f@V_2", []uint64{0x1010}},
		{"f@@V_2", []uint64{0x1010}},
		{"f@@V_1", nil},
		{"f@V_3", nil},
		{"f@", nil},
		{"@V_1", nil},
		{"puts@GLIBC_9", []uint64{0}},
		{"g", []uint64{0x1020}},
		{"", nil},
		{"absent", nil},
	}
	for _, tt := range tests {
		var got []uint64
		for _, s := range f.Lookup(tt.name) {
			got = append(got, s.Value)
		}
		if d := cmp.Diff(tt.want, got); d != "" {
			t.Errorf("%s: %s", tt.name, d)
		}
	}
	if s := f.Lookup("puts")[0]; s.Defined() || s.Version != "GLIBC_9" || !s.Hidden {
		t.Errorf("import: got %+v", s)
	}
	if s := f.Lookup("f@@V_2")[0]; !s.IFunc() || s.Func() {
		t.Errorf("IFUNC: got %+v", s)
	}
}

// TestVersionDamage is about chains of records that leave their section.
func TestVersionDamage(t *testing.T) {
	for _, tt := range []struct {
		section int
		at      int
		value   byte
	}{
		{4, 16, 255}, // vd_next leaves the section
		{4, 12, 255}, // vd_aux
		{4, 28 + 20, 255},
		{5, 8, 255},  // vn_aux
		{5, 12, 1},   // vn_next: overlapping records run out
		{5, 27, 255}, // vna_name
	} {
		im := versioned()
		im.sections[tt.section].data[tt.at] = tt.value
		b := im.bytes()
		_, err := New(strings.NewReader(string(b)), int64(len(b)), "lib")
		if err == nil {
			t.Errorf("section %d with byte %d changed is accepted", tt.section, tt.at)
		}
	}
}

// nested has overlapping, aliased and unsized functions.
func nested() image {
	im := image{sections: []part{
		code(".text", 0x1000, make([]byte, 0x100)...),
		code(".fini", 0x1200, make([]byte, 0x10)...),
	}}
	im.sections = append(im.sections, symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB,
		sym{"outer", 0x1000, 0x40, elf.STT_FUNC, elf.STB_LOCAL, 1},
		sym{"inner", 0x1010, 0x10, elf.STT_FUNC, elf.STB_LOCAL, 1},
		sym{"unsized", 0x1018, 0, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"data", 0x1012, 4, elf.STT_OBJECT, elf.STB_GLOBAL, 1},
		sym{"_alias", 0x1050, 0x10, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"alias", 0x1050, 0x10, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"weak", 0x1050, 0x10, elf.STT_FUNC, elf.STB_WEAK, 1},
		sym{"static", 0x1050, 0x20, elf.STT_FUNC, elf.STB_LOCAL, 1},
		sym{"asm1", 0x1080, 0, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"asm2", 0x1090, 0, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"undefined", 0x1080, 0x100, elf.STT_FUNC, elf.STB_GLOBAL, 0},
	)...)
	return im
}

func TestSymbolAt(t *testing.T) {
	f := nested().open(t)
	tests := []struct {
		addr uint64
		want string
	}{
		{0xfff, ""},
		{0x1000, "outer"},
		{0x100f, "outer"},
		{0x1010, "inner"},
		{0x1018, "inner"}, // a sized function goes before a label in it
		{0x101f, "inner"},
		{0x1020, "outer"},
		{0x103f, "outer"},
		{0x1040, ""},
		{0x1050, "alias"},
		{0x105f, "alias"},
		{0x1060, "static"}, // only the longer one reaches here
		{0x1070, ""},
		{0x1080, "asm1"},
		{0x108f, "asm1"},
		{0x1090, "asm2"},
		{0x10ff, "asm2"},
		{0x1100, ""}, // the section has ended
		{0x1200, ""}, // another section
		{^uint64(0), ""},
	}
	for _, tt := range tests {
		s, ok := f.SymbolAt(tt.addr)
		if s.Name != tt.want || ok != (tt.want != "") {
			t.Errorf("%#x: got %q, want %q", tt.addr, s.Name, tt.want)
		}
	}
}

func TestFuncsAt(t *testing.T) {
	f := nested().open(t)
	var got []string
	for _, s := range f.FuncsAt(0x1050) {
		got = append(got, s.Name)
	}
	if d := cmp.Diff([]string{"alias", "_alias", "weak", "static"}, got); d != "" {
		t.Error(d)
	}
	if got := f.FuncsAt(0x1051); got != nil {
		t.Errorf("inside a function: got %v", got)
	}
}

// TestBestName is about several versions of one function at one address.
func TestBestName(t *testing.T) {
	im := versioned()
	symbols := im.sections[1].data
	copy(symbols[symbolSize+8:symbolSize+16], pack(uint64(0x1020))) // f@V_1 is an alias of g
	f := im.open(t)
	if s, _ := f.SymbolAt(0x1020); s.Name != "g" {
		t.Errorf("got %+v, want the name that is not hidden", s)
	}
}
