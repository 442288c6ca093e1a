package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// typical is a small program with one of everything that New reads.
func typical() image {
	im := image{entry: 0x1000, sections: []part{
		code(".text", 0x1000, bytes.Repeat([]byte{0x90}, 64)...),
		{name: ".data", typ: elf.SHT_PROGBITS, flags: aw, addr: 0x4000, data: make([]byte, 64)},
		{name: ".bss", typ: elf.SHT_NOBITS, flags: aw, addr: 0x5000, size: 1 << 30},
		{name: ".rela.dyn", typ: elf.SHT_RELA, flags: ao, addr: 0x600, link: ".dynsym",
			data: rela(0x4000, 0, uint32(elf.R_X86_64_RELATIVE), 0x1010)},
		note("\xab\xcd\xef"),
	}}
	im.sections = append(im.sections, symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB,
		sym{"main", 0x1000, 16, elf.STT_FUNC, elf.STB_GLOBAL, 1})...)
	im.sections = append(im.sections, symbolTable(".dynsym", ".dynstr", elf.SHT_DYNSYM,
		sym{"main", 0x1000, 16, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"puts", 0, 0, elf.STT_FUNC, elf.STB_GLOBAL, 0})...)
	return im
}

func TestNew(t *testing.T) {
	f := typical().open(t)
	if f.Type() != elf.ET_DYN || f.Arch() != AMD64 || f.EntryPoint() != 0x1000 || f.BuildID() != "abcdef" {
		t.Errorf("got %v %v %#x %q", f.Type(), f.Arch(), f.EntryPoint(), f.BuildID())
	}
	if n := len(f.Symbols()); n != 3 {
		t.Errorf("%d symbols, want 3: none merged, no null symbol", n)
	}
}

// damage is one way to spoil a good file, and what the error says then.
type damage struct {
	name string
	make func(b []byte) []byte
	want string
}

// sectionHeader gives the bytes of a section's header.
func sectionHeader(t *testing.T, b []byte, name string) []byte {
	t.Helper()
	shoff := binary.LittleEndian.Uint64(b[40:])
	for i, s := range mustNew(t, b).Sections() {
		if s.Name == name {
			return b[shoff+uint64(i)*sectionHeaderSize:]
		}
	}
	t.Fatal("no section " + name)
	return nil
}

// refuse spoils a good file in every way: each gets one error that says where.
func refuse(t *testing.T, tests []damage) {
	t.Helper()
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := tt.make(typical().bytes())
			f, err := New(bytes.NewReader(b), int64(len(b)), "prog")
			var bad *FormatError
			if f != nil || !errors.As(err, &bad) {
				t.Fatalf("got %v, %v, want a FormatError", f, err)
			}
			if !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "prog: ") {
				t.Errorf("got %q, want %q in it", err, tt.want)
			}
		})
	}
}

func TestRefusedHeaders(t *testing.T) {
	le := binary.LittleEndian
	refuse(t, []damage{
		{"empty", func(b []byte) []byte { return nil }, "not an ELF file"},
		{"text", func(b []byte) []byte { return []byte("hello, world, this is text") }, "not an ELF file (it starts with 68 65 6c 6c)"},
		{"script", func(b []byte) []byte { return []byte("#!/bin/sh\nexec true\n") }, "script: give the path of its interpreter"},
		{"magic only", func(b []byte) []byte { return b[:4] }, "not an ELF file"},
		{"ident only", func(b []byte) []byte { return b[:16] }, "truncated"},
		{"32 bit", func(b []byte) []byte { b[4] = 1; return b }, "ELFCLASS32"},
		{"big endian", func(b []byte) []byte { b[5] = 2; return b }, "ELFDATA2MSB"},
		{"riscv", func(b []byte) []byte { b[18] = 243; return b }, "EM_RISCV"},
		{"bpf object", func(b []byte) []byte { b[18] = 247; return b }, "EM_BPF"},
		{"core", func(b []byte) []byte { b[16] = 4; return b }, "ET_CORE"},
		{"cut in program headers", func(b []byte) []byte { le.PutUint64(b[40:], 0); return b[:100] }, "program headers"},
		{"cut before section headers", func(b []byte) []byte { return b[:le.Uint64(b[40:])] }, "section headers"},
		{"cut in section headers", func(b []byte) []byte { return b[:len(b)-1] }, "section headers"},
		{"program header size", func(b []byte) []byte { b[54] = 32; return b }, "an entry has 32 bytes"},
		{"section header size", func(b []byte) []byte { b[58] = 40; return b }, "an entry has 40 bytes"},
		{"section headers past the end", func(b []byte) []byte { le.PutUint64(b[40:], 1<<40); return b }, "section headers at file offset 0x10000000000"},
		{"program headers past the end", func(b []byte) []byte { le.PutUint64(b[32:], 1<<63); return b }, "program headers at file offset 0x8000000000000000"},
		{"many sections", func(b []byte) []byte {
			le.PutUint64(b[le.Uint64(b[40:])+32:], 1<<61)
			le.PutUint16(b[60:], 0)
			return b
		}, "2305843009213693952 entries"},
		{"many program headers", func(b []byte) []byte {
			le.PutUint32(b[le.Uint64(b[40:])+44:], 1<<31)
			le.PutUint16(b[56:], 0xffff)
			return b
		}, "more than the kernel loads"},
	})
}

func TestRefusedTables(t *testing.T) {
	le := binary.LittleEndian
	section := func(b []byte, name string) []byte { return sectionHeader(t, b, name) }
	refuse(t, []damage{
		{"section names elsewhere", func(b []byte) []byte { le.PutUint16(b[62:], 99); return b }, "section 99 of"},
		{"section name past its table", func(b []byte) []byte { le.PutUint32(section(b, ".text"), 1<<30); return b }, "past the string table"},
		{"symbols past the end", func(b []byte) []byte { le.PutUint64(section(b, ".symtab")[24:], uint64(len(b))); return b }, ".symtab"},
		{"symbols of huge size", func(b []byte) []byte { le.PutUint64(section(b, ".dynsym")[32:], 1<<63); return b }, ".dynsym"},
		{"relocations wrap around", func(b []byte) []byte { le.PutUint64(section(b, ".rela.dyn")[32:], ^uint64(0)); return b }, ".rela.dyn"},
		{"symbols without a string table", func(b []byte) []byte { le.PutUint32(section(b, ".symtab")[40:], 77); return b }, "section 77 of"},
		{"symbol name past its table", func(b []byte) []byte {
			le.PutUint32(b[le.Uint64(section(b, ".symtab")[24:])+symbolSize:], 1<<20)
			return b
		}, "names of .symtab"},
		{"names not terminated", func(b []byte) []byte {
			s := section(b, ".strtab")
			le.PutUint64(s[32:], le.Uint64(s[32:])-1)
			return b
		}, "not terminated"},
		{"overlapping segments", func(b []byte) []byte {
			for i := range 4 {
				le.PutUint64(b[elfHeaderSize+i*programHeaderSize+8:], 0)
				le.PutUint64(b[elfHeaderSize+i*programHeaderSize+32:], ^uint64(0))
			}
			le.PutUint32(b[elfHeaderSize+4*programHeaderSize:], uint32(elf.PT_LOAD))
			le.PutUint64(b[elfHeaderSize+4*programHeaderSize+8:], 0)
			le.PutUint64(b[elfHeaderSize+4*programHeaderSize+32:], ^uint64(0))
			return b
		}, "segments overlap"},
	})
}

// TestSectionsOverlap is about a file whose sections would cost many times
// its size to read.
func TestSectionsOverlap(t *testing.T) {
	im := typical()
	for range 6 {
		im.sections = append(im.sections, part{name: ".x", typ: elf.SHT_PROGBITS, size: 1 << 40})
	}
	b := im.bytes()
	shoff := binary.LittleEndian.Uint64(b[40:])
	for h := b[shoff:]; len(h) > 0; h = h[sectionHeaderSize:] {
		if binary.LittleEndian.Uint64(h[32:]) == 1<<40 {
			binary.LittleEndian.PutUint64(h[24:], 0)
		}
	}
	_, err := New(bytes.NewReader(b), int64(len(b)), "prog")
	if err == nil || !strings.Contains(err.Error(), "sections overlap") {
		t.Errorf("got %v, want that sections overlap", err)
	}
}

// TestTruncated cuts a file at every length: an error or a file, no panic,
// and never a file that silently lost its symbols.
func TestTruncated(t *testing.T) {
	whole := typical().bytes()
	for n := range whole {
		f, err := New(bytes.NewReader(whole[:n]), int64(n), "prog")
		if (f == nil) == (err == nil) {
			t.Fatalf("cut at %d: got %v and %v", n, f, err)
		}
		if err == nil {
			t.Errorf("cut at %d of %d is accepted", n, len(whole))
		}
	}
}

func TestShrinking(t *testing.T) {
	b := typical().bytes()
	if _, err := New(bytes.NewReader(b[:200]), int64(len(b)), "prog"); err == nil || !strings.Contains(err.Error(), "shrunk") {
		t.Errorf("got %v, want that the file has shrunk", err)
	}
}

func TestOpen(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "prog")
	if err := os.WriteFile(path, typical().bytes(), 0o755); err != nil {
		t.Fatal(err)
	}
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Path() != path {
		t.Errorf("Path is %q", f.Path())
	}
	if err := f.Close(); err != nil {
		t.Error(err)
	}
	if _, err := Open(filepath.Join(dir, "absent")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("absent file: got %v", err)
	}
	if _, err := Open(dir); !errors.Is(err, ErrNotELF) {
		t.Errorf("directory: got %v", err)
	}
}
