package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPatch(t *testing.T) {
	for _, tt := range []struct {
		arch         Arch
		typ          uint32
		insn         uint32
		value, place uint64
		want         uint32
	}{
		{ARM64, uint32(elf.R_AARCH64_ADR_PREL_PG_HI21), 0x90000000, 0x3010, 0x1004, 0xd0000000},                                             // adrp x0, 0x3000
		{ARM64, uint32(elf.R_AARCH64_ADR_PREL_PG_HI21_NC), 0x90000000, 0x1010, 0x2004, 0xf0ffffe0},                                          // one page back
		{ARM64, uint32(elf.R_AARCH64_ADD_ABS_LO12_NC), 0x91000000, 0x3010, 0, 0x91004000},                                                   // add x0, x0, #0x10
		{ARM64, uint32(elf.R_AARCH64_LDST8_ABS_LO12_NC), 0x39400001, 0x3011, 0, 0x39404401},                                                 // ldrb w1, [x0, #17]
		{ARM64, uint32(elf.R_AARCH64_LDST16_ABS_LO12_NC), 0x79400001, 0x3012, 0, 0x79402401},                                                // ldrh w1, [x0, #18]
		{ARM64, uint32(elf.R_AARCH64_LDST32_ABS_LO12_NC), 0xb9400001, 0x3ffc, 0, 0xb94ffc01},                                                // ldr w1, [x0, #4092]
		{ARM64, uint32(elf.R_AARCH64_LDST64_ABS_LO12_NC), 0xf9400001, 0x3018, 0, 0xf9400c01},                                                // ldr x1, [x0, #24]
		{ARM64, uint32(elf.R_AARCH64_LDST128_ABS_LO12_NC), 0x3dc00001, 0x3020, 0, 0x3dc00801},                                               // ldr q1, [x0, #32]
		{ARM64, uint32(elf.R_AARCH64_CONDBR19), 0x54000000, 0x1008, 0x1000, 0x54000040},                                                     // b.eq +8
		{ARM64, uint32(elf.R_AARCH64_TSTBR14), 0x36000000, 0xff8, 0x1000, 0x3607ffc0},                                                       // tbz w0, #0, -8
		{ARM64, uint32(elf.R_AARCH64_ADR_PREL_LO21), 0x10000000, 0x1005, 0x1000, 0x30000020},                                                // adr x0, +5
		{ARM64, uint32(elf.R_AARCH64_LD_PREL_LO19), 0x58000000, 0x1010, 0x1000, 0x58000080},                                                 // ldr x0, +16
		{ARM64, uint32(elf.R_AARCH64_MOVW_UABS_G1_NC), 0xf2a00000, 0x12345678, 0, 0xf2a24680},                                               // movk x0, #0x1234, lsl #16
		{ARM64, uint32(elf.R_AARCH64_MOVW_UABS_G3), 0xd2e00000, 0xffff << 48, 0, 0xd2ffffe0},                                                // movz x0, #0xffff, lsl #48
		{ARM64, uint32(elf.R_AARCH64_CALL26), 0x94000000, 0xffc, 0x1000, 0x97ffffff},                                                        // bl -4
		{ARM64, uint32(elf.R_AARCH64_PREL16), 0, 0xfff, 0x1000, 0xffff}, {ARM64, uint32(elf.R_AARCH64_NONE), 0x1234, 0xfff, 0x1000, 0x1234}, // data
		{AMD64, uint32(elf.R_X86_64_PC8), 0, 0xfff, 0x1000, 0xff}, {AMD64, uint32(elf.R_X86_64_PC16), 0, 0x1002, 0x1000, 2},
		{AMD64, uint32(elf.R_X86_64_32S), 0, 0xffffffff80000000, 0, 0x80000000}, {AMD64, uint32(elf.R_X86_64_16), 0, 0x12345, 0, 0x2345},
	} {
		f := &File{arch: tt.arch}
		b := binary.LittleEndian.AppendUint32(nil, tt.insn)
		ok := f.patch(b, tt.typ, tt.value, tt.place)
		if got := binary.LittleEndian.Uint32(b); got != tt.want || !ok {
			t.Errorf("%s: %#x, want %#x, %v", f.relocName(tt.typ), got, tt.want, ok)
		}
		if f.patch(nil, tt.typ, tt.value, tt.place) && tt.typ != 0 {
			t.Errorf("%s without room", f.relocName(tt.typ))
		}
	}
}

// relocating is C that needs every kind of relocation that a kernel module has.
const relocating = `
extern int puts(const char *);
static int table[40] = {1, 2, 3};
static short shorts[9]; static char bytes[9]; static long longs[9];
static __int128 wide = 5;
int counter;
static int one(int v) { return v + counter; }
static int two(int v) { return v * table[v & 31] + shorts[v & 7] + bytes[3] + longs[v & 7]; }
int (*const pointers[])(int) = {one, two};
__attribute__((section(".exit.text"), noinline)) int rare(int v) { counter += v; return two(v) + (int)wide; }
__attribute__((section(".init.text"), noinline)) int start(int v) { return v ? rare(v) : one(v); }
int pick(int v)
{
	switch (v) {
	case 0: return rare(1); case 1: return start(2); case 2: return counter++; case 3: return shorts[1] += 4;
	case 4: return bytes[1] += 3; case 5: return longs[2]; case 6: return table[9]; case 7: wide += v; return 1;
	}
	return pointers[v & 1](v);
}
`

// TestObjectsLikeLinker compares the code and data of relocatable files with
// what the linker makes of them, when it puts each section where we read it.
func TestObjectsLikeLinker(t *testing.T) {
	for _, tt := range []struct{ compile, ld string }{
		{"gcc -O2 -fno-pic -mcmodel=kernel -fno-asynchronous-unwind-tables", "ld"},
		{"gcc -O2 -fno-pic -mcmodel=large", "ld"},
		{"clang -O2 -fno-pic -mcmodel=kernel", "ld"},
		{"aarch64-linux-gnu-gcc -O2 -fno-pic", "aarch64-linux-gnu-ld"},
		{"aarch64-linux-gnu-gcc -O2 -fno-pic -mcmodel=large -fno-pie", "aarch64-linux-gnu-ld"},
		{"clang --target=aarch64-linux-gnu -O2 -fno-pic", "aarch64-linux-gnu-ld"},
	} {
		t.Run(tt.compile, func(t *testing.T) {
			words := strings.Fields(tt.compile)
			for _, p := range []string{words[0], tt.ld} {
				if _, err := exec.LookPath(p); err != nil {
					t.Skip(p + " is not installed")
				}
			}
			dir := t.TempDir()
			source, object, linked := filepath.Join(dir, "a.c"), filepath.Join(dir, "a.o"), filepath.Join(dir, "a")
			if err := os.WriteFile(source, []byte(relocating), 0o644); err != nil {
				t.Fatal(err)
			}
			output(t, words[0], append(words[1:], "-g", "-fno-stack-protector", "-c", "-o", object, source)...)
			f := mustOpen(t, object)
			args := []string{"-o", linked, object, "-e", "0", "--no-relax", "--unresolved-symbols=ignore-all", "--no-gc-sections"}
			for _, s := range f.Sections() {
				if s.Flags&elf.SHF_ALLOC != 0 && s.Size > 0 {
					args = append(args, fmt.Sprintf("--section-start=%s=%#x", s.Name, s.Addr))
				}
			}
			output(t, tt.ld, args...)
			compareSections(t, f, mustOpen(t, linked))
		})
	}
}

func output(t *testing.T, program string, args ...string) {
	t.Helper()
	if out, err := exec.Command(program, args...).CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", program, args, err, out)
	}
}

func compareSections(t *testing.T, object, linked *File) {
	t.Helper()
	compared := 0
	for _, s := range object.Sections() {
		skip := s.Size == 0 || !s.stored() || strings.HasPrefix(s.Name, ".rela") || s.Name == ".eh_frame" // ld edits it
		if skip || s.Flags&elf.SHF_ALLOC == 0 && !slices.Contains([]string{".debug_aranges", ".debug_rnglists", ".debug_addr"}, s.Name) {
			continue
		}
		got, err := object.Section(s.Name)
		if err != nil {
			t.Error(err)
			continue
		}
		want, err := linked.Section(s.Name)
		if err != nil {
			t.Fatal(err)
		}
		compared++
		if !bytes.Equal(got, want) {
			for i := range got {
				if i >= len(want) || got[i] != want[i] {
					t.Errorf("%s differs from the linker's at %#x (%d and %d bytes)", s.Name, i, len(got), len(want))
					break
				}
			}
		}
	}
	if compared < 4 {
		t.Errorf("only %d sections compared", compared)
	}
}

// TestUnknownRelocation: in debug information it would make wrong addresses.
func TestUnknownRelocation(t *testing.T) {
	im := image{typ: elf.ET_REL, sections: []part{debug(".debug_info", make([]byte, 12)),
		{name: ".rela.debug_info", typ: elf.SHT_RELA, info: 1, data: slices.Concat(rela(0, 0, 1, 1), rela(0, 0, uint32(elf.R_X86_64_GOTPCREL), 1))}}}
	f := im.open(t)
	_, err := f.Section(".debug_info")
	var bad *FormatError
	if !errors.As(err, &bad) || bad.Section != ".rela.debug_info" || bad.Offset != offsetOf(t, f, ".rela.debug_info")+relaSize || !strings.Contains(err.Error(), "R_X86_64_GOTPCREL") {
		t.Error(err)
	}
}

// TestExterns: calls of undefined symbols can be told by their names.
func TestExterns(t *testing.T) {
	im := image{typ: elf.ET_REL, sections: append([]part{code(".text", 0, make([]byte, 16)...),
		{name: ".rela.text", typ: elf.SHT_RELA, info: 1, link: ".symtab", data: slices.Concat(rela(1, 2, uint32(elf.R_X86_64_PLT32), -4), rela(6, 1, uint32(elf.R_X86_64_PLT32), -4))}},
		symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB, sym{"own", 12, 1, elf.STT_FUNC, elf.STB_LOCAL, 1}, sym{"panic", 0, 0, elf.STT_NOTYPE, elf.STB_GLOBAL, 0})...)}
	f := im.open(t)
	text, err := f.Section(".text")
	if err != nil {
		t.Fatal(err)
	}
	at := offsetOf(t, f, ".text")
	target := func(i int) uint64 {
		return at + uint64(i) + 4 + uint64(int64(int32(binary.LittleEndian.Uint32(text[i:]))))
	}
	if name := f.PLT()[target(1)]; name != "panic" || f.Executable(target(1)) {
		t.Errorf("%#x is %q", target(1), name)
	}
	if target(6) != at+12 {
		t.Errorf("own is at %#x", target(6))
	}
}

// TestRelocatableDebugFile: the debug file of a kernel module has other file
// offsets; its addresses are those of the module.
func TestRelocatableDebugFile(t *testing.T) {
	parts := func(text elf.SectionType, more ...part) image {
		sections := append(more, note("\x01\x02"), part{name: ".text", typ: text, flags: ax, data: make([]byte, 32)},
			part{name: ".init.text", typ: text, flags: ax, data: make([]byte, 16)})
		return image{typ: elf.ET_REL, sections: sections}
	}
	module := parts(elf.SHT_PROGBITS).open(t)
	withInfo := func(im image) image {
		im.sections = append(im.sections, debug(".debug_info", make([]byte, 16)),
			part{name: ".rela.debug_info", typ: elf.SHT_RELA, info: uint32(len(im.sections) + 1), link: ".symtab", data: slices.Concat(rela(0, 1, 1, 0), rela(8, 2, 1, 4))})
		first := len(im.sections) - 4
		im.sections = append(im.sections, symbolTable(".symtab", ".strtab", elf.SHT_SYMTAB,
			sym{"", 0, 0, elf.STT_SECTION, elf.STB_LOCAL, uint16(first + 1)}, sym{"init", 8, 8, elf.STT_FUNC, elf.STB_LOCAL, uint16(first + 2)})...)
		return im
	}
	pad := part{name: ".comment", typ: elf.SHT_PROGBITS, data: make([]byte, 100)}
	for _, typ := range []elf.SectionType{elf.SHT_PROGBITS, elf.SHT_NOBITS} {
		im := parts(typ, pad)
		if typ == elf.SHT_NOBITS {
			for i := range im.sections {
				if s := &im.sections[i]; s.typ == typ {
					s.size, s.data = uint64(len(s.data)), nil
				}
			}
		}
		f := withInfo(im).open(t)
		if err := f.placeLike(module); err != nil {
			t.Fatal(err)
		}
		info, err := f.Section(".debug_info")
		if err != nil {
			t.Fatal(err)
		}
		le := binary.LittleEndian
		text, init := offsetOf(t, module, ".text"), offsetOf(t, module, ".init.text")
		if got, want := [2]uint64{le.Uint64(info), le.Uint64(info[8:])}, [2]uint64{text, init + 12}; got != want {
			t.Errorf("%v: %#x, want %#x", typ, got, want)
		}
		if s := f.Lookup("init"); len(s) != 1 || s[0].Value != init+8 {
			t.Errorf("%v: %+v", typ, s)
		}
	}
	other := parts(elf.SHT_PROGBITS, pad)
	other.sections[2].data = make([]byte, 33)
	if err := withInfo(other).open(t).placeLike(module); err == nil || !strings.Contains(err.Error(), "section .text has 0x21 bytes") {
		t.Error(err)
	}
}
