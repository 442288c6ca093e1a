package elfbin

import (
	"bytes"
	"debug/elf"
	"errors"
	"hash/crc32"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"
)

// xzed compresses b as the xz program does.
func xzed(t testing.TB, b []byte, c xz.WriterConfig) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := c.NewWriter(&out)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestUnxz(t *testing.T) {
	text := []byte(strings.Repeat("every execution ", 100))
	for _, c := range []xz.WriterConfig{
		{}, {CheckSum: xz.CRC32}, {CheckSum: xz.SHA256}, {NoCheckSum: true}, {BlockSize: 500}, {DictCap: 1 << 26},
	} {
		packed := xzed(t, text, c)
		out, at, err := unxz(packed, len(text))
		if !bytes.Equal(out, text) || at != len(packed) || err != nil {
			t.Errorf("%+v: %d bytes of %d, at %d of %d: %v", c, len(out), len(text), at, len(packed), err)
		}
		if out, _, err := unxz(packed, len(text)-1); out != nil || err == nil || !strings.Contains(err.Error(), "beyond the limit") {
			t.Errorf("%+v: limit not kept: %v", c, err)
		}
		for n := range packed {
			if out, at, err := unxz(packed[:n], len(text)); out != nil || err == nil || at > n {
				t.Fatalf("%+v: %d bytes of %d: no error", c, n, len(packed))
			}
			bent := bytes.Clone(packed)
			bent[n] ^= 0x10
			if out, _, err := unxz(bent, len(text)); err == nil && !c.NoCheckSum && !bytes.Equal(out, text) {
				t.Fatalf("%+v: byte %d bent: no error", c, n)
			}
		}
		if _, _, err := unxz(append(bytes.Clone(packed), 0), len(text)); err == nil {
			t.Errorf("%+v: trailing byte: no error", c)
		}
	}
}

// TestUnxzDictionary: a block's claim of a dictionary of 4 GiB costs nothing.
func TestUnxzDictionary(t *testing.T) {
	packed := xzed(t, []byte("hello"), xz.WriterConfig{})
	const header = 12
	n := (int(packed[header]) + 1) * 4
	i := bytes.Index(packed[header:header+n], []byte{xzLZMA2, 1})
	packed[header+i+2] = 40
	copy(packed[header+n-4:], pack(crc32.ChecksumIEEE(packed[header:header+n-4])))
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	out, _, err := unxz(packed, 1<<20)
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > 8<<20 {
		t.Errorf("%d bytes allocated", n)
	}
	if string(out) != "hello" || err != nil {
		t.Errorf("%q, %v", out, err)
	}
}

// mini gives a file whose symbols are in .gnu_debugdata as packed.
func mini(packed []byte, more ...part) image {
	return image{sections: append([]part{
		code(".text", 0x1000, make([]byte, 64)...), note("\x01\x02"), debug(miniDebug, packed),
	}, more...)}
}

// inner is the file in .gnu_debugdata: sections without contents, symbols.
func inner(id string) image {
	im := image{sections: []part{
		{name: ".other", typ: elf.SHT_NOBITS, flags: ao, addr: 0x800, size: 16},
		{name: ".text", typ: elf.SHT_NOBITS, flags: ax, addr: 0x1000, size: 64},
		note(id),
	}}
	im.sections = append(im.sections, symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB,
		sym{"helper", 0x1000, 16, elf.STT_FUNC, elf.STB_LOCAL, 2},
		sym{"helper.part.0", 0x1010, 16, elf.STT_FUNC, elf.STB_LOCAL, 2})...)
	return im
}

func TestMiniSymbols(t *testing.T) {
	packed := xzed(t, inner("\x01\x02").bytes(), xz.WriterConfig{})
	dynsym := symbolTable(".dynsym", ".dynstr", elf.SHT_DYNSYM, sym{"shown", 0x1020, 16, elf.STT_FUNC, elf.STB_GLOBAL, 1})
	f := mini(packed, dynsym...).open(t)
	want := []Symbol{
		{Name: "shown", Value: 0x1020, Size: 16, Type: elf.STT_FUNC, Bind: elf.STB_GLOBAL, Section: 1, Table: Dynsym},
		{Name: "helper", Value: 0x1000, Size: 16, Type: elf.STT_FUNC, Section: 1, Table: MiniDebug},
		{Name: "helper.part.0", Value: 0x1010, Size: 16, Type: elf.STT_FUNC, Section: 1, Table: MiniDebug},
	}
	if d := cmp.Diff(want, f.Symbols()); d != "" {
		t.Error(d)
	}
	if s, ok := f.SymbolAt(0x1018); !ok || s.Name != "helper.part.0" {
		t.Errorf("at 0x1018: %+v", s)
	}
	symtab := symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB, sym{"own", 0x1000, 16, elf.STT_FUNC, elf.STB_LOCAL, 1})
	f = mini(packed, symtab...).open(t)
	if s := f.Symbols(); len(s) != 1 || s[0].Name != "own" {
		t.Errorf("with a .symtab: %+v", s)
	}
}

func TestMiniSymbolsHostile(t *testing.T) {
	good := inner("\x01\x02").bytes()
	arm := inner("\x01\x02")
	arm.machine = elf.EM_AARCH64
	bomb := mini(xzed(t, good, xz.WriterConfig{}))
	for _, tt := range []struct {
		name   string
		packed []byte
		want   string
	}{
		{"not xz", []byte("text"), "does not begin like one"},
		{"cut", xzed(t, good, xz.WriterConfig{})[:60], "not a sound xz stream"},
		{"not ELF", xzed(t, []byte("text"), xz.WriterConfig{}), "not an ELF file"},
		{"other build", xzed(t, inner("\x03\x04").bytes(), xz.WriterConfig{}), "of another file"},
		{"other architecture", xzed(t, arm.bytes(), xz.WriterConfig{}), "of another file"},
		{"cut inside", xzed(t, good[:200], xz.WriterConfig{}), "section headers"},
		{"bomb", xzed(t, make([]byte, 2<<20), xz.WriterConfig{}), "beyond the limit"},
	} {
		b := mini(tt.packed).bytes()
		f, err := New(bytes.NewReader(b), int64(len(b)), "prog")
		var bad *FormatError
		if f != nil || !errors.As(err, &bad) || bad.Section != miniDebug || bad.Offset == 0 || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// A .gnu_debugdata in a .gnu_debugdata is not looked at.
	if s := mini(xzed(t, bomb.bytes(), xz.WriterConfig{})).open(t).Symbols(); len(s) != 0 {
		t.Errorf("nested: %+v", s)
	}
}

// FuzzMiniDebug reads any bytes as .gnu_debugdata: compressed, and as what
// it decompresses to.
func FuzzMiniDebug(f *testing.F) {
	good := inner("\x01\x02").bytes()
	for _, c := range []xz.WriterConfig{{}, {CheckSum: xz.SHA256, BlockSize: 300}, {NoCheckSum: true}} {
		f.Add(xzed(f, good, c), false)
	}
	f.Add(good, true)
	f.Fuzz(func(t *testing.T, b []byte, plain bool) {
		if plain {
			b = xzed(t, b, xz.WriterConfig{DictCap: 1 << 16})
		}
		out, at, err := unxz(b, 1<<20)
		if err != nil && out != nil || at > len(b) || len(out) > 1<<20 {
			t.Fatalf("%d bytes, at %d of %d, %v", len(out), at, len(b), err)
		}
		whole := mini(b).bytes()
		file, err := New(bytes.NewReader(whole), int64(len(whole)), "/bin/fuzzed")
		if (file == nil) == (err == nil) {
			t.Fatalf("file %v and error %v", file, err)
		}
		if err == nil {
			exercise(t, file, len(whole))
		}
	})
}
