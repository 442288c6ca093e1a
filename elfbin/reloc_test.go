package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// linked is a shared library with relocations of every kind and stubs.
func linked(machine elf.Machine, plt ...part) image {
	r := func(x elf.R_X86_64, a elf.R_AARCH64) uint32 {
		if machine == elf.EM_AARCH64 {
			return uint32(a)
		}
		return uint32(x)
	}
	data := pack(make([]byte, 0x40), uint64(0x1008), uint64(0x1010), uint64(0x99), uint64(0x1018),
		make([]byte, 62*8), uint64(0x1020), uint64(0x9)) // 0x4258
	im := image{machine: machine, sections: []part{
		code(".text", 0x1000, make([]byte, 64)...),
		{name: ".data", typ: elf.SHT_PROGBITS, flags: aw, addr: 0x4000, data: data},
		{name: ".relr.dyn", typ: shtRELR, flags: ao, addr: 0x500, data: pack(uint64(0x4040), uint64(0b1011), uint64(0b1001))},
		{name: ".rela.dyn", typ: elf.SHT_RELA, flags: ao, addr: 0x600, link: ".dynsym", data: bytes.Join([][]byte{
			rela(0x4000, 0, r(elf.R_X86_64_RELATIVE, elf.R_AARCH64_RELATIVE), 0x1004),
			rela(0x4008, 1, r(elf.R_X86_64_64, elf.R_AARCH64_ABS64), 4),
			rela(0x4010, 2, r(elf.R_X86_64_GLOB_DAT, elf.R_AARCH64_GLOB_DAT), 0),
			rela(0x4018, 1, r(elf.R_X86_64_DTPMOD64, elf.R_AARCH64_TLS_DTPMOD64), 0),
			rela(0x4020, 77, r(elf.R_X86_64_64, elf.R_AARCH64_ABS64), 0),
		}, nil)},
		{name: ".rela.plt", typ: elf.SHT_RELA, flags: ao, addr: 0x800, link: ".dynsym", data: bytes.Join([][]byte{
			rela(0x4028, 2, r(elf.R_X86_64_JMP_SLOT, elf.R_AARCH64_JUMP_SLOT), 0),
			rela(0x4030, 0, r(elf.R_X86_64_IRELATIVE, elf.R_AARCH64_IRELATIVE), 0x1030),
			rela(0x4038, 3, r(elf.R_X86_64_JMP_SLOT, elf.R_AARCH64_JUMP_SLOT), 0),
		}, nil)},
	}}
	im.sections = append(im.sections, plt...)
	return image{machine: machine, sections: append(im.sections, symbolTable(".dynsym", ".dynstr", elf.SHT_DYNSYM,
		sym{"own", 0x1020, 8, elf.STT_FUNC, elf.STB_GLOBAL, 1},
		sym{"puts", 0, 0, elf.STT_FUNC, elf.STB_GLOBAL, 0},
		sym{"pick", 0x1030, 8, elf.STT_GNU_IFUNC, elf.STB_GLOBAL, 1})...)}
}

func TestPointer(t *testing.T) {
	for _, m := range []elf.Machine{elf.EM_X86_64, elf.EM_AARCH64} {
		f := linked(m).open(t)
		tests := []struct {
			name       string
			addr, want uint64
			ok         bool
		}{
			{"relative", 0x4000, 0x1004, true},
			{"symbol and addend", 0x4008, 0x1024, true},
			{"import", 0x4010, 0, false},
			{"thread-local", 0x4018, 0, false},
			{"symbol that is not there", 0x4020, 0, false},
			{"import by stub", 0x4028, 0, false},
			{"resolver", 0x4030, 0, false},
			{"IFUNC symbol", 0x4038, 0, false},
			{"packed relative", 0x4040, 0x1008, true},
			{"plain number", 0x4050, 0x99, true},
			{"past the data", 0x425c, 0, false},
			{"nowhere", 0x9000, 0, false},
		}
		for _, tt := range tests {
			got, ok := f.Pointer(tt.addr)
			if ok != tt.ok || ok && got != tt.want {
				t.Errorf("%v, %s: got %#x, %v", m, tt.name, got, ok)
			}
		}
		if d := cmp.Diff([]uint64{0x1004, 0x1008, 0x1010, 0x1018, 0x1020, 0x1024, 0x1030}, f.CodePointers()); d != "" {
			t.Errorf("%v: code pointers: %s", m, d)
		}
	}
}

func TestCodePointersOfFixedFile(t *testing.T) {
	f := image{typ: elf.ET_EXEC, sections: []part{
		code(".text", 0x401000, make([]byte, 64)...),
		{name: ".data", typ: elf.SHT_PROGBITS, flags: aw, addr: 0x404004,
			data: pack(uint32(0), uint64(0x401008), uint64(0x1234), uint64(0x401008), uint64(0x40103f), uint32(9))},
	}}.open(t)
	if d := cmp.Diff([]uint64{0x401008, 0x40103f}, f.CodePointers()); d != "" {
		t.Error(d)
	}
}

// jump gives jmp *slot(%rip) at an address, behind a prefix, filled to size.
func jump(addr, slot uint64, prefix string, size int) []byte {
	b := append([]byte(prefix), 0xff, 0x25)
	b = binary.LittleEndian.AppendUint32(b, uint32(slot-addr-uint64(len(b))-4))
	return append(b, bytes.Repeat([]byte{0x90}, size-len(b))...)
}

// adrp gives adrp x16; ldr x17; add x16; br x17 for a slot, behind a prefix.
func adrp(addr, slot uint64, prefix ...uint32) []byte {
	pages := (slot&^0xfff - (addr+4*uint64(len(prefix)))&^0xfff) >> 12
	return pack(prefix, uint32(adrpX16)|uint32(pages&3)<<29|uint32(pages>>2&0x7ffff)<<5,
		uint32(ldrX17X16)|uint32(slot&0xfff/8)<<10, uint32(0x91000210), uint32(0xd61f0220))
}

func TestPLT(t *testing.T) {
	const endbr, bnd = "\xf3\x0f\x1e\xfa", "\xf2"
	join := func(b ...[]byte) []byte { return bytes.Join(b, nil) }
	lazy := []byte{0xff, 0x35, 0, 0, 0, 0, 0xff, 0x25, 2, 0, 0, 0, 0x90, 0x90, 0x90, 0x90}
	tests := []struct {
		name    string
		machine elf.Machine
		plt     part
		want    map[uint64]string
	}{
		{"lazy", elf.EM_X86_64, code(".plt", 0x3000, join(lazy, jump(0x3010, 0x4028, "", 16), jump(0x3020, 0x4030, "", 16))...),
			map[uint64]string{0x3010: "puts", 0x3020: "pick"}},
		{"endbr", elf.EM_X86_64, code(".plt.sec", 0x3000, join(jump(0x3000, 0x4038, endbr, 16), jump(0x3010, 0x4028, endbr+bnd, 16))...),
			map[uint64]string{0x3000: "pick", 0x3010: "puts"}},
		{"got", elf.EM_X86_64, code(".plt.got", 0x3000, join(jump(0x3000, 0x4010, "", 8), jump(0x3008, 0x4028, "", 8))...),
			map[uint64]string{0x3000: "puts", 0x3008: "puts"}},
		{"no relocation", elf.EM_X86_64, code(".plt", 0x3000, jump(0x3000, 0x4050, "", 16)...), map[uint64]string{}},
		{"cut", elf.EM_X86_64, code(".plt", 0x3000, 0xff, 0x25, 1), map[uint64]string{}},
		{"not a PLT", elf.EM_X86_64, code(".text.x", 0x3000, jump(0x3000, 0x4028, "", 16)...), map[uint64]string{}},
		{"arm64", elf.EM_AARCH64, code(".plt", 0x3000, join(make([]byte, 32), adrp(0x3020, 0x4028), adrp(0x3030, 0x4030))...),
			map[uint64]string{0x3020: "puts", 0x3030: "pick"}},
		{"arm64 bti", elf.EM_AARCH64, code(".plt", 0x3000, join(adrp(0x3000, 0x4028, btiC), make([]byte, 4), adrp(0x3018, 0x4010, btiC))...),
			map[uint64]string{0x3000: "puts", 0x3018: "puts"}},
		{"arm64 slot below", elf.EM_AARCH64, code(".plt", 0x803000, adrp(0x803000, 0x4028)...), map[uint64]string{0x803000: "puts"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if d := cmp.Diff(tt.want, linked(tt.machine, tt.plt).open(t).PLT()); d != "" {
				t.Error(d)
			}
		})
	}
}
