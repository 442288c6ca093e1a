package elfbin

import (
	"bytes"
	"debug/elf"
	"os"
	"path"
	"testing"
	"testing/fstest"
)

// FuzzNew reads any bytes as an ELF file and calls every method: a file xor
// an error, and no panic.
func FuzzNew(f *testing.F) {
	for _, im := range []image{typical(), versioned(), nested(), stripped("\x01\x02\x03", 7), withDWARF("\x01\x02\x03"),
		linked(elf.EM_X86_64, code(".plt", 0x3000, jump(0x3000, 0x4028, "", 16)...)),
		linked(elf.EM_AARCH64, code(".plt", 0x3000, adrp(0x3000, 0x4028)...)),
		{typ: elf.ET_REL, sections: []part{debug(".debug_info", make([]byte, 12)),
			{name: ".rela.debug_info", typ: elf.SHT_RELA, info: 1, data: rela(0, 0, uint32(elf.R_X86_64_64), 1)}}},
		{typ: elf.ET_REL, machine: elf.EM_AARCH64, sections: append([]part{code(".text", 0, make([]byte, 16)...),
			{name: ".bss", typ: elf.SHT_NOBITS, flags: aw, size: 8},
			{name: ".rela.text", typ: elf.SHT_RELA, info: 1, link: ".symtab", data: rela(4, 2, uint32(elf.R_AARCH64_CALL26), 0)}},
			symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB, sym{"a", 8, 4, elf.STT_FUNC, elf.STB_LOCAL, 1}, sym{"b", 0, 0, elf.STT_FUNC, elf.STB_GLOBAL, 0})...)},
		{sections: []part{compressed(".debug_info", chdr(2, 5, zstded(f, []byte("hello")))),
			compressed(".debug_line", chdr(1, 5, zlibbed(f, []byte("hello"))))}},
	} {
		f.Add(im.bytes())
	}
	if b, err := os.ReadFile("/bin/true"); err == nil {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		file, err := New(bytes.NewReader(b), int64(len(b)), "/bin/fuzzed")
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v and error %v", file, err)
		}
		if err == nil {
			other := mustNew(t, b)
			if err := other.placeLike(file); file.Type() == elf.ET_REL && err != nil {
				t.Fatalf("the places of the same file: %v", err)
			}
			exercise(t, file, len(b))
		}
	})
}

// exercise calls every method of a file of n bytes.
func exercise(t *testing.T, f *File, n int) {
	defer f.Close()
	f.BuildID()
	f.Interp()
	f.SoName()
	f.HasMiniDebug()
	f.AltLink()
	f.PLT()
	f.CodePointers()
	f.Interposed()
	if r, err := f.FDERanges(); err != nil && r != nil {
		t.Fatal("ranges and an error")
	}
	if pads, err := f.LandingPads(); err != nil && pads != nil {
		t.Fatal("landing pads and an error")
	}
	if len(f.Needed()) > maxNeeded {
		t.Fatal("too many libraries")
	}
	for _, s := range f.Symbols() {
		if len(f.Lookup(s.Name)) == 0 {
			t.Fatalf("symbol %q is not found by its name", s.Name)
		}
		if got, ok := f.SymbolAt(s.Value); ok && got.Value > s.Value {
			t.Fatalf("SymbolAt(%#x) is %+v", s.Value, got)
		}
		if (s.Func() || s.IFunc()) && len(f.FuncsAt(s.Value)) == 0 {
			t.Fatalf("function %q is not found by its address", s.Name)
		}
		if off, ok := f.FileOffset(s.Value); ok && off >= uint64(n) {
			t.Fatalf("file offset %#x in a file of %#x bytes", off, n)
		}
		f.Address(s.Value)
		f.Executable(s.Value)
		f.Pointer(s.Value)
		if b := f.Bytes(s.Value, 16); len(b) > 16 {
			t.Fatal("more bytes than asked for")
		}
	}
	for _, s := range f.Sections() {
		b, err := f.Section(s.Name)
		if err != nil && b != nil {
			t.Fatal("contents and an error")
		}
		if len(b) > freeDecompressed+maxRatio*n {
			t.Fatalf("section %s has %d bytes in a file of %d", s.Name, len(b), n)
		}
	}
	debug, search := FindDebug(f, DebugOptions{Root: fstest.MapFS{}})
	if (debug != nil) != (search.Path != "") {
		t.Fatal("debug file and search disagree")
	}
}

// FuzzAltLink reads any bytes as the sections that name an alternate file, and
// looks for it: a place to look at is never outside of what was named.
func FuzzAltLink(f *testing.F) {
	f.Add(pack("../.dwz/x\x00", "\xab\xcd"), pack(uint16(5), uint8(0), "x.sup\x00", uint8(2), "\x01\x02"))
	f.Add([]byte(nil), pack(uint16(5), uint8(1), "\x00", uint8(2), "\x01\x02"))
	f.Fuzz(func(t *testing.T, link, sup []byte) {
		im := withDWARF("\x01\x02\x03")
		im.sections = append(im.sections, debug(".gnu_debugaltlink", link), debug(".debug_sup", sup))
		file := im.open(t)
		name, id, ok := file.AltLink()
		if ok && name == "" {
			t.Fatal("an alternate file without a name")
		}
		got, search := FindAlt(file, DebugOptions{Root: fstest.MapFS{"opt/test/x.sup": {Data: supOf(1, "\x01\x02").bytes()}}})
		if (got != nil) != (search.Path != "") || got != nil && (got.altID() != id || id == "") {
			t.Fatalf("%q %q: %v", name, id, search)
		}
		for _, a := range search.Attempts {
			if a.Outcome != NotSearched && (!path.IsAbs(a.Path) || path.Clean(a.Path) != a.Path) {
				t.Fatalf("looked at %q", a.Path)
			}
		}
	})
}

// FuzzLdCache reads any bytes as ld.so's cache: entries xor an error.
func FuzzLdCache(f *testing.F) {
	good := ldCacheBytes(cached{"libc.so.6", "/lib/libc.so.6", libAMD64, 0}, cached{"libm.so.6", "/lib/libm.so.6", libARM64, 1})
	f.Add(good)
	f.Add(oldCache(2, good))
	f.Add([]byte(cacheMagic))
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := parseCache(b)
		if (entries == nil) == (err == nil) {
			t.Fatalf("%d entries and error %v", len(entries), err)
		}
		for _, e := range entries {
			if e.name == "" || e.path == "" {
				t.Fatalf("entry %+v", e)
			}
		}
		_, _, _ = FindLibrary(fstest.MapFS{"etc/ld.so.cache": {Data: b}}, "c", AMD64)
	})
}
