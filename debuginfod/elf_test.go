package debuginfod

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"testing"
)

// testID is the build id that the tests ask for.
const testID = "0123456789abcdef"

// debugFile is a small ELF file with a build id, of size bytes at least.
func debugFile(t testing.TB, id string, size int) []byte {
	t.Helper()
	raw, err := hex.DecodeString(id)
	if err != nil {
		t.Fatal(err)
	}
	names := "\x00.note.gnu.build-id\x00.debug_info\x00.shstrtab\x00"
	note := pack(uint32(4), uint32(len(raw)), uint32(3), []byte("GNU\x00"), raw)
	info := make([]byte, size)
	body := []struct {
		name uint32
		typ  elf.SectionType
		data []byte
	}{{1, elf.SHT_NOTE, note}, {20, elf.SHT_PROGBITS, info}, {32, elf.SHT_STRTAB, []byte(names)}}
	const header = 64
	out := make([]byte, header)
	sections := pack(elf.Section64{})
	for _, s := range body {
		sections = append(sections, pack(elf.Section64{Name: s.name, Type: uint32(s.typ), Off: uint64(len(out)), Size: uint64(len(s.data)), Addralign: 1})...)
		out = append(out, s.data...)
	}
	h := elf.Header64{Type: uint16(elf.ET_DYN), Machine: uint16(elf.EM_X86_64), Version: 1, Shoff: uint64(len(out)),
		Ehsize: header, Shentsize: 64, Shnum: uint16(len(body) + 1), Shstrndx: uint16(len(body))}
	copy(h.Ident[:], "\x7fELF\x02\x01\x01")
	copy(out, pack(h))
	return append(out, sections...)
}

func pack(values ...any) []byte {
	var b bytes.Buffer
	for _, v := range values {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}
