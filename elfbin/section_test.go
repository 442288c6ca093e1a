package elfbin

import (
	"bytes"
	"compress/zlib"
	"debug/elf"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

func zlibbed(t testing.TB, b []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	w.Write(b)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func zstded(t testing.TB, b []byte) []byte {
	t.Helper()
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	return w.EncodeAll(b, nil)
}

func chdr(typ uint32, size uint64, b []byte) []byte {
	return append(pack(typ, uint32(0), size, uint64(1)), b...)
}

func compressed(name string, data []byte) part {
	return part{name: name, typ: elf.SHT_PROGBITS, flags: elf.SHF_COMPRESSED, data: data}
}

func TestSection(t *testing.T) {
	text := []byte(strings.Repeat("what a debug section holds ", 100))
	n := uint64(len(text))
	bomb := make([]byte, 8<<20)
	tests := []struct {
		name    string
		section part
		want    []byte
		err     string
	}{
		{"plain", debug(".debug_info", text), text, ""},
		{"empty", debug(".debug_info", []byte{}), []byte{}, ""},
		{"no bits", part{name: ".debug_info", typ: elf.SHT_NOBITS, size: 1 << 40}, nil, ""},
		{"absent", debug(".debug_line", text), nil, ""},
		{"zlib", compressed(".debug_info", chdr(1, n, zlibbed(t, text))), text, ""},
		{"zstd", compressed(".debug_info", chdr(2, n, zstded(t, text))), text, ""},
		{"zdebug", debug(".zdebug_info", append(binary.BigEndian.AppendUint64([]byte("ZLIB"), n), zlibbed(t, text)...)), text, ""},
		{"zdebug stored", debug(".zdebug_info", text), text, ""},
		{"past the end", part{name: ".debug_info", typ: elf.SHT_PROGBITS, size: 1 << 40}, nil, "past the end of the file"},
		{"header cut", compressed(".debug_info", []byte{1, 0, 0}), nil, "cut short"},
		{"unknown", compressed(".debug_info", chdr(9, n, text)), nil, "unknown compression"},
		{"zlib short", compressed(".debug_info", chdr(1, n+1, zlibbed(t, text))), nil, errSize.Error()},
		{"zlib long", compressed(".debug_info", chdr(1, n-1, zlibbed(t, text))), nil, errSize.Error()},
		{"zstd short", compressed(".debug_info", chdr(2, n+1, zstded(t, text))), nil, errSize.Error()},
		{"zstd long", compressed(".debug_info", chdr(2, n-1, zstded(t, text))), nil, "decompressing"},
		{"zlib damaged", compressed(".debug_info", chdr(1, n, text)), nil, "decompressing"},
		{"zstd damaged", compressed(".debug_info", chdr(2, n, text)), nil, "decompressing"},
		{"bomb", compressed(".debug_info", chdr(2, 8<<20, zstded(t, bomb))), nil, "beyond the limits"},
		{"claims a lot", compressed(".debug_info", chdr(2, 1<<60, zstded(t, text))), nil, "beyond the limits"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := image{sections: []part{tt.section}}.open(t)
			got, err := f.Section(".debug_info")
			if tt.err != "" {
				var bad *FormatError
				if !errors.As(err, &bad) || !strings.Contains(err.Error(), tt.err) || got != nil {
					t.Fatalf("got %d bytes, %v, want an error with %q", len(got), err, tt.err)
				}
				return
			}
			if err != nil || !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
				t.Fatalf("got %q, %v", got, err)
			}
			if has := f.HasDWARF(); has != (len(tt.want) > 0) {
				t.Errorf("HasDWARF is %v", has)
			}
		})
	}
}

// TestSectionOnce proves that a section is read and decompressed once.
func TestSectionOnce(t *testing.T) {
	f := image{sections: []part{compressed(".debug_str", chdr(2, 5, zstded(t, []byte("hello"))))}}.open(t)
	a, _ := f.Section(".debug_str")
	b, _ := f.Section(".debug_str")
	if len(a) == 0 || &a[0] != &b[0] {
		t.Error("two calls gave two copies")
	}
}

// TestSectionTwice is about two sections of one name, as debug files have them.
func TestSectionTwice(t *testing.T) {
	f := image{sections: []part{
		{name: ".debug_info", typ: elf.SHT_NOBITS, size: 4},
		debug(".debug_info", []byte("first")),
		debug(".debug_info", []byte("second")),
	}}.open(t)
	if b, err := f.Section(".debug_info"); string(b) != "first" || err != nil {
		t.Errorf("got %q, %v", b, err)
	}
}

// TestObject is about relocatable files: addresses are file offsets, and
// relocations are applied.
func TestObject(t *testing.T) {
	im := image{typ: elf.ET_REL, sections: []part{
		code(".text", 0, 0x90, 0xe8, 0, 0, 0, 0, 0xc3, 0x90),
		{name: ".text.f", typ: elf.SHT_PROGBITS, flags: ax, data: []byte{0xc3, 0x90}},
		debug(".debug_info", make([]byte, 12)),
		{name: ".rela.text", typ: elf.SHT_RELA, link: ".symtab", info: 1, data: rela(2, 1, uint32(elf.R_X86_64_PLT32), -4)},
		{name: ".rela.debug_info", typ: elf.SHT_RELA, link: ".symtab", info: 3,
			data: append(rela(0, 1, uint32(elf.R_X86_64_64), 1), rela(8, 2, uint32(elf.R_X86_64_32), 7)...)},
	}}
	im.sections = append(im.sections, symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB,
		sym{"f", 0, 2, elf.STT_FUNC, elf.STB_GLOBAL, 2},
		sym{"", 0, 0, elf.STT_SECTION, elf.STB_LOCAL, 3})...) // a reference into it is an offset
	f := im.open(t)
	text, fAt := offsetOf(t, f, ".text"), offsetOf(t, f, ".text.f")
	if s := f.Lookup("f"); len(s) != 1 || s[0].Value != fAt {
		t.Errorf("f is %+v, want it at %#x", s, fAt)
	}
	if s, ok := f.SymbolAt(fAt + 1); !ok || s.Name != "f" {
		t.Errorf("SymbolAt: %+v", s)
	}
	if off, ok := f.FileOffset(fAt); !ok || off != fAt {
		t.Errorf("FileOffset: %#x, %v", off, ok)
	}
	if _, ok := f.FileOffset(offsetOf(t, f, ".debug_info")); ok || f.Executable(offsetOf(t, f, ".debug_info")) {
		t.Error("debug information is taken for code")
	}
	call := f.Bytes(text+1, 5)
	if len(call) != 5 || text+6+uint64(int64(int32(binary.LittleEndian.Uint32(call[1:])))) != fAt {
		t.Errorf("the call % x does not lead to %#x", call, fAt)
	}
	info, err := f.Section(".debug_info")
	if err != nil || binary.LittleEndian.Uint64(info) != fAt+1 || binary.LittleEndian.Uint32(info[8:]) != 7 {
		t.Errorf("relocated: % x, %v", info, err)
	}
}

func TestObjectDamage(t *testing.T) {
	f := image{typ: elf.ET_REL, sections: []part{
		debug(".debug_info", make([]byte, 12)),
		{name: ".rela.debug_info", typ: elf.SHT_RELA, info: 1, data: rela(12, 0, uint32(elf.R_X86_64_64), 1)},
	}}.open(t)
	if b, err := f.Section(".debug_info"); err == nil || b != nil {
		t.Errorf("got % x, %v", b, err)
	}
}

// gcc gives each type unit of a .dwo file a section of its own.
func TestSplitSections(t *testing.T) {
	im := image{typ: elf.ET_REL, sections: []part{
		debug(".debug_info.dwo", []byte("one")), debug(".debug_str.dwo", []byte("text")), debug(".debug_info.dwo", []byte("two")),
		compressed(".debug_info.dwo", chdr(1, 5, zlibbed(t, []byte("three")))),
	}}
	f := im.open(t)
	for name, want := range map[string]string{".debug_info.dwo": "onetwothree", ".debug_str.dwo": "text", ".debug_line.dwo": ""} {
		if b, err := f.Section(name); string(b) != want || err != nil || (b == nil) != (want == "") {
			t.Errorf("%s: %q, %v", name, b, err)
		}
	}
	im.typ = elf.ET_DYN
	if b, err := im.open(t).Section(".debug_info.dwo"); string(b) != "one" || err != nil {
		t.Errorf("in a program: %q, %v", b, err)
	}
}
