package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFileOffset(t *testing.T) {
	f := typical().open(t)
	text, data := offsetOf(t, f, ".text"), offsetOf(t, f, ".data")
	tests := []struct {
		addr, want uint64
		ok         bool
	}{
		{0x1000, text, true},
		{0x103f, text + 63, true},
		{0x1040, 0, false},
		{0xfff, 0, false},
		{0x4000, 0, false}, // data
		{0, 0, false},
		{^uint64(0), 0, false},
	}
	for _, tt := range tests {
		got, ok := f.FileOffset(tt.addr)
		if got != tt.want || ok != tt.ok {
			t.Errorf("FileOffset(%#x) = %#x, %v", tt.addr, got, ok)
		}
		if back, ok := f.Address(got); tt.ok && (!ok || back != tt.addr) {
			t.Errorf("Address(%#x) = %#x, %v", got, back, ok)
		}
	}
	if _, ok := f.Address(data); ok {
		t.Error("data has an address of code")
	}
}

// TestDebugFileSegments is about a separate debug file: code has addresses
// and no bytes.
func TestDebugFileSegments(t *testing.T) {
	f := image{sections: []part{
		{name: ".text", typ: elf.SHT_NOBITS, flags: ax, addr: 0x1000, size: 64},
		debug(".debug_info", []byte{1}),
	}}.open(t)
	if _, ok := f.FileOffset(0x1000); ok || f.Bytes(0x1000, 4) != nil {
		t.Error("code that is not in the file has bytes")
	}
	if !f.Executable(0x1000) || f.Executable(0x1040) {
		t.Error("the code's addresses are not known")
	}
}

func TestBytes(t *testing.T) {
	f := image{sections: []part{
		code(".text", 0x1000, 1, 2, 3, 4),
		{name: ".bss", typ: elf.SHT_NOBITS, flags: aw, addr: 0x2000, size: 64},
	}}.open(t)
	tests := []struct {
		addr uint64
		n    int
		want []byte
	}{
		{0x1000, 4, []byte{1, 2, 3, 4}},
		{0x1002, 100, []byte{3, 4}},
		{0x1004, 1, nil},
		{0x1000, 0, nil},
		{0x1000, -1, nil},
		{0x2000, 8, nil},
		{^uint64(0), 8, nil},
	}
	for _, tt := range tests {
		if got := f.Bytes(tt.addr, tt.n); !bytes.Equal(got, tt.want) || (got == nil) != (tt.want == nil) {
			t.Errorf("Bytes(%#x, %d) = % x", tt.addr, tt.n, got)
		}
	}
	if b := f.Bytes(0x1000, 2); cap(b) != 2 {
		t.Error("a caller that appends would write into the file's image")
	}
}

func TestExecutable(t *testing.T) {
	f := typical().open(t)
	for addr, want := range map[uint64]bool{0x1000: true, 0x103f: true, 0x1040: false, 0x4000: false, 0: false} {
		if f.Executable(addr) != want {
			t.Errorf("%#x: want %v", addr, want)
		}
	}
}

// TestExecutableRodata is about read-only data in the executable segment.
func TestExecutableRodata(t *testing.T) {
	b := typical().bytes()
	binary.LittleEndian.PutUint64(b[elfHeaderSize+40:], 0x100) // memory size of .text's segment
	f := mustNew(t, b)
	if f.Executable(0x1050) || !f.Executable(0x1030) {
		t.Error("what no executable section holds is taken for code")
	}
	copy(b[40:48], make([]byte, 8)) // no section headers
	copy(b[60:62], make([]byte, 2))
	if f := mustNew(t, b); !f.Executable(0x1050) || f.Executable(0x1100) {
		t.Error("without section headers the segment decides")
	}
}

// TestExtendedCounts is about counts that do not fit the ELF header's 16 bits
// and are in section header 0 instead.
func TestExtendedCounts(t *testing.T) {
	b := typical().bytes()
	le := binary.LittleEndian
	zero := b[le.Uint64(b[40:]):]
	le.PutUint64(zero[32:], uint64(le.Uint16(b[60:])))
	le.PutUint32(zero[40:], uint32(le.Uint16(b[62:])))
	le.PutUint32(zero[44:], uint32(le.Uint16(b[56:])))
	le.PutUint16(b[60:], 0)
	le.PutUint16(b[62:], 0xffff)
	le.PutUint16(b[56:], 0xffff)
	f, want := mustNew(t, b), typical().open(t)
	if len(f.Sections()) != len(want.Sections()) || f.Lookup("main") == nil || f.Bytes(0x1000, 4) == nil {
		t.Errorf("%d sections, want %d", len(f.Sections()), len(want.Sections()))
	}
}

func TestBuildID(t *testing.T) {
	other := part{name: ".note.ABI-tag", typ: elf.SHT_NOTE, data: pack(uint32(4), uint32(4), uint32(1), "GNU\x00", uint32(7))}
	foreign := part{name: ".note.x", typ: elf.SHT_NOTE, data: pack(uint32(3), uint32(4), uint32(3), "Go\x00\x00", uint32(7))}
	// Aligned to 8 bytes, as .note.gnu.property is, an odd size has more padding.
	wide := part{name: ".notes", typ: elf.SHT_NOTE, data: pack(uint32(4), uint32(12), uint32(5), "GNU\x00", make([]byte, 16),
		uint32(4), uint32(2), uint32(3), "GNU\x00\x0c\x0d", make([]byte, 6))}
	long := note(strings.Repeat("x", maxBuildID+1))
	joined := part{name: ".notes", typ: elf.SHT_NOTE, data: append(append([]byte{}, other.data...), note("\x01\x02\x03").data...)}
	cut := part{name: ".note", typ: elf.SHT_NOTE, data: note("\x01\x02\x03\x04").data[:18]}
	huge := part{name: ".note", typ: elf.SHT_NOTE, data: pack(^uint32(0), ^uint32(0), uint32(3), "GNU\x00")}
	onlySegment := note("\x0a\x0b")
	tests := []struct {
		name     string
		sections []part
		want     string
	}{
		{"none", nil, ""},
		{"second section", []part{other, note("\xab\xcd")}, "abcd"},
		{"second note", []part{joined}, "010203"},
		{"foreign owner", []part{foreign}, ""},
		{"too long", []part{long}, ""},
		{"cut", []part{cut}, ""},
		{"huge", []part{huge}, ""},
		{"wide segment", []part{wide}, "0c0d"},
		{"segment", []part{onlySegment}, "0a0b"},
	}
	for _, tt := range tests {
		b := image{sections: tt.sections}.bytes()
		if strings.HasSuffix(tt.name, "segment") {
			copy(b[40:48], make([]byte, 8)) // no section headers
			copy(b[60:62], make([]byte, 2))
			if tt.name == "wide segment" {
				b[elfHeaderSize+48] = 8
			}
		}
		if got := mustNew(t, b).BuildID(); got != tt.want {
			t.Errorf("%s: got %q", tt.name, got)
		}
	}
}

func TestDynamic(t *testing.T) {
	text := "\x00libm.so.6\x00libc.so.6\x00libx.so.1\x00"
	at := func(s string) uint64 { return uint64(strings.Index(text, s)) }
	f := image{sections: []part{
		{name: ".interp", typ: elf.SHT_PROGBITS, flags: ao, addr: 0x200, data: []byte("/lib64/ld.so\x00")},
		{name: ".dynstr", typ: elf.SHT_STRTAB, flags: ao, addr: 0x300, data: []byte(text)},
		{name: ".dynamic", typ: elf.SHT_DYNAMIC, flags: aw, addr: 0x400, link: ".dynstr", data: pack(
			uint64(elf.DT_NEEDED), at("libm"), uint64(elf.DT_NEEDED), at("libc"), uint64(elf.DT_NEEDED), uint64(1<<40),
			uint64(elf.DT_SONAME), at("libx"), uint64(elf.DT_STRTAB), uint64(0x300), uint64(0), uint64(0),
			uint64(elf.DT_NEEDED), at("libx"))},
	}}.open(t)
	if d := cmp.Diff([]string{"libm.so.6", "libc.so.6"}, f.Needed()); d != "" {
		t.Error(d)
	}
	if f.SoName() != "libx.so.1" || f.Interp() != "/lib64/ld.so" {
		t.Errorf("soname %q, interpreter %q", f.SoName(), f.Interp())
	}
}
