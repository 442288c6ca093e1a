package image

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"slices"
	"sort"
	"strings"

	"github.com/surehook/surehook/elfbin"
)

// rawMemory is an unpacked kernel without ELF headers: its byte i is at base+i.
type rawMemory struct {
	base   uint64
	data   []byte
	code   []elfbin.Range
	relocs []rela
}

// rela is a relative relocation: what the kernel stores when it starts.
type rela struct{ where, value uint64 }

func (m *rawMemory) Bytes(addr uint64, n int) []byte {
	off := addr - m.base
	if addr < m.base || off >= uint64(len(m.data)) || n <= 0 {
		return nil
	}
	b := m.data[off:]
	return b[:min(n, len(b)):min(n, len(b))]
}

func (m *rawMemory) Executable(addr uint64) bool {
	return slices.ContainsFunc(m.code, func(r elfbin.Range) bool { return r.Contains(addr) })
}

func (m *rawMemory) Pointer(addr uint64) (uint64, bool) {
	i := sort.Search(len(m.relocs), func(i int) bool { return m.relocs[i].where >= addr })
	if i < len(m.relocs) && m.relocs[i].where == addr {
		return m.relocs[i].value, true
	}
	b := m.Bytes(addr, 8)
	if len(b) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}

// nameELF gives a stripped ELF kernel the symbols of its kallsyms tables.
func (s *source) nameELF(f *elfbin.File) error {
	for _, sec := range f.Sections() {
		if sec.Name != ".rodata" {
			continue
		}
		data, err := f.Section(sec.Name)
		if err != nil {
			return err
		}
		k, err := findKallsyms(data)
		if err != nil {
			return &FormatError{s.path, sec.Name, sec.Offset, err}
		}
		addr, err := k.addresses(sec.Addr)
		if err != nil {
			return &FormatError{s.path, sec.Name, sec.Offset, err}
		}
		s.name(k.symbols(addr))
		return nil
	}
	return &FormatError{s.path, ".rodata", 0, errNoKallsyms}
}

// rawSource reads an arm64 kernel image.
func rawSource(path string, data []byte) (*source, error) {
	k, err := findKallsyms(data)
	if err != nil {
		return nil, &FormatError{path, "kernel image", 0, err}
	}
	addr, err := k.addresses(0)
	if err != nil {
		return nil, &FormatError{path, "kernel image", 0, err}
	}
	m := &rawMemory{data: data}
	s := &source{path: path, arch: elfbin.ARM64, mem: m, byName: map[string]uint64{}}
	symbols := k.symbols(addr)
	s.name(symbols)
	if m.base = s.byName["_text"]; m.base < kernelHalf {
		m.base = linkedAt(s, data)
		from := m.base
		if at, ok := k.storedBase(m.base, findRelocs(data)); ok {
			from = at
		}
		for i := range symbols {
			symbols[i].off += from
		}
		s.name(symbols)
	}
	m.unnamed(s)
	if at, ok := s.byName["linux_banner"]; !ok || !bytes.HasPrefix(m.Bytes(at, maxString), []byte("Linux version ")) {
		return nil, &FormatError{path, "kernel image", 0, errNoKallsyms}
	}
	m.readRelocs(s)
	m.sortRelocs()
	s.buildID = buildID(s)
	if low, high, ok := s.bounds("__start_BTF", "__stop_BTF"); ok {
		s.btf = m.Bytes(low, int(min(high-low, uint64(len(data)))))
	}
	for _, r := range [][2]string{{"_stext", "_etext"}, {"_sinittext", "_einittext"}} {
		if low, high, ok := s.bounds(r[0], r[1]); ok {
			m.code = append(m.code, elfbin.Range{Low: low, High: high})
		}
	}
	return s, nil
}

// linkedAt finds where an image was linked whose symbols count from its first
// byte: by pointers to functions, stored as they are or in relocations. It is
// the lowest address from which nearly all lead into the image.
func linkedAt(s *source, data []byte) uint64 {
	const align = 2 << 20 // Documentation/arch/arm64/booting.rst
	var found []uint64
	scan := func(start, stop string, size, at uint64) {
		low, high, ok := s.bounds(start, stop)
		if !ok || high > uint64(len(data)) {
			return
		}
		for ; low+size <= high; low += size {
			if p := binary.LittleEndian.Uint64(data[low+at:]); p >= kernelHalf {
				found = append(found, p)
			}
		}
	}
	scan("__start_mcount_loc", "__stop_mcount_loc", 8, 0)
	scan("__rela_start", "__rela_end", relaSize, 16)
	if len(found) == 0 { // tables without names
		for _, r := range findRelocs(data) {
			if r.value >= kernelHalf {
				found = append(found, r.value)
			}
		}
	}
	slices.Sort(found)
	for i, p := range found {
		base := p &^ (align - 1)
		end, _ := slices.BinarySearch(found, base+uint64(len(data)))
		if 10*(end-i) >= 9*len(found) {
			return base
		}
	}
	return 0
}

// relaSize is the size of an Elf64_Rela in bytes.
const relaSize = 24

// readRelocs reads the relative relocations that are not stored in place.
func (m *rawMemory) readRelocs(s *source) {
	for _, prefix := range []string{"__rela_", "__pi_rela_", "rela_"} {
		low, high, ok := s.bounds(prefix+"start", prefix+"end")
		if !ok {
			continue
		}
		le := binary.LittleEndian
		for b := m.Bytes(low, int(min(high-low, uint64(len(m.data))))); len(b) >= relaSize; b = b[relaSize:] {
			if elf.R_AARCH64(uint32(le.Uint64(b[8:]))) == elf.R_AARCH64_RELATIVE {
				m.relocs = append(m.relocs, rela{le.Uint64(b), le.Uint64(b[16:])})
			}
		}
	}
}

func (m *rawMemory) sortRelocs() {
	slices.SortFunc(m.relocs, func(a, b rela) int { return cmp.Compare(a.where, b.where) })
}

// buildID reads the build id out of the kernel's notes.
func buildID(s *source) string {
	const gnuID = 3 // NT_GNU_BUILD_ID
	low, high, ok := s.bounds("__start_notes", "__stop_notes")
	if !ok || high-low > maxString {
		return ""
	}
	le := binary.LittleEndian
	b := s.mem.Bytes(low, int(high-low))
	for len(b) >= 12 {
		name, desc, kind := int(le.Uint32(b)), int(le.Uint32(b[4:])), le.Uint32(b[8:])
		at := 12 + (name+3)&^3
		if name > maxString || desc > maxString || at+desc > len(b) {
			return ""
		}
		if kind == gnuID && string(b[12:12+name]) == "GNU\x00" {
			return hex.EncodeToString(b[at : at+desc])
		}
		b = b[min(len(b), at+(desc+3)&^3):]
	}
	return ""
}

// name takes the symbols of kallsyms, which have no sizes: each function
// reaches to the next symbol.
func (s *source) name(symbols []ksym) {
	s.symbols, s.byName = make([]symbol, 0, len(symbols)), make(map[string]uint64, len(symbols))
	for _, y := range symbols {
		if _, again := s.byName[y.name]; !again {
			s.byName[y.name] = y.off
		}
	}
	data := s.dataRange()
	for i, y := range symbols {
		code := strings.IndexByte("tTwW", y.letter) >= 0 && !textMark(y.name) && !data.Contains(y.off)
		if code && padding(y.name) {
			continue
		}
		size := uint64(0)
		for k := i + 1; k < len(symbols) && code && size == 0; k++ {
			size = symbols[k].off - y.off
		}
		s.symbols = append(s.symbols, symbol{y.name, y.off, size, code, y.letter >= 'A' && y.letter <= 'Z'})
	}
	if low, high, ok := s.bounds("_sinittext", "_einittext"); ok {
		s.init = []elfbin.Range{{Low: low, High: high}}
	}
	s.sort()
}

// dataRange is where the kernel's data lies: x86 kernels from 6.13 on have it in
// a section that is marked executable, so that nm takes it for code.
func (s *source) dataRange() elfbin.Range {
	low, high, ok := s.bounds("_sdata", "_edata")
	if !ok {
		return elfbin.Range{}
	}
	return elfbin.Range{Low: low, High: high}
}

// textMark tells the bounds of parts of the code from functions.
func textMark(name string) bool {
	if !strings.HasPrefix(name, "_") {
		return false
	}
	for _, end := range []string{"text_start", "text_end", "text_begin", "text", "_init_begin", "_init_end"} {
		if strings.HasSuffix(name, end) {
			return true
		}
	}
	return strings.HasSuffix(name, "_end") && strings.HasPrefix(name, "__relocate")
}
