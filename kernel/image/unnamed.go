package image

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
)

// Without CONFIG_KALLSYMS_ALL the tables name functions only. What other tables
// of an image say where they are is then found by what it looks like.

// unnamed finds, in an image whose symbols name no data, the banner, types and
// relocations.
func (m *rawMemory) unnamed(s *source) {
	if _, ok := s.byName["linux_banner"]; ok {
		return
	}
	if at := findBanner(m.data); at >= 0 {
		s.byName["linux_banner"] = m.base + uint64(at)
	}
	s.btf = findBTF(m.data)
	m.relocs = findRelocs(m.data)
}

// findBanner gives where the banner is; -1 if there is none.
func findBanner(data []byte) int {
	begin := []byte("Linux version ")
	for from := 0; ; {
		i := bytes.Index(data[from:], begin)
		if i < 0 {
			return -1
		}
		at := from + i
		// The one for /proc/version has a format there.
		if next := at + len(begin); next < len(data) && data[next] >= '1' && data[next] <= '9' {
			return at
		}
		from = at + 1
	}
}

// findBTF gives the largest piece that is BTF by its header: types, and behind
// them strings of which the first is empty (Documentation/bpf/btf.rst).
func findBTF(data []byte) (found []byte) {
	const header = 24
	magic := []byte{0x9f, 0xeb, 1, 0, header, 0, 0, 0}
	for from := 0; ; {
		i := bytes.Index(data[from:], magic)
		if i < 0 {
			return found
		}
		at := from + i
		from = at + 1
		if at+header > len(data) {
			return found
		}
		word := func(n int) uint64 { return uint64(binary.LittleEndian.Uint32(data[at+8+4*n:])) }
		types, length, strs, size := word(0), word(1), word(2), word(3)
		if types != 0 || strs != length || size == 0 || uint64(at)+header+strs+size > uint64(len(data)) || data[uint64(at)+header+strs] != 0 {
			continue
		}
		if n := header + strs + size; n > uint64(len(found)) {
			found = data[at : uint64(at)+n]
		}
	}
}

// storedBase gives what the addresses of the tables count from, where that is
// stored when the kernel starts: the first symbol's address. Without data
// among the symbols it is not the image's first byte.
func (k *kallsyms) storedBase(linked uint64, relocs []rela) (uint64, bool) {
	offs := (k.after + 7) &^ 7
	for _, slot := range []int{k.head - 8, (offs + 4*k.count + 7) &^ 7} {
		for _, r := range relocs {
			if slot > 0 && r.where == linked+uint64(slot) && r.value >= kernelHalf {
				return r.value, true
			}
		}
	}
	return 0, false
}

// minRelocs is the least number of relative relocations in a row that are taken
// for the kernel's: it has some 100,000.
const minRelocs = 1000

// findRelocs gives the longest table of relative relocations.
func findRelocs(data []byte) []rela {
	le := binary.LittleEndian
	is := func(at int) bool {
		return at+relaSize <= len(data) && le.Uint64(data[at+8:]) == uint64(elf.R_AARCH64_RELATIVE) && le.Uint64(data[at:]) >= kernelHalf
	}
	best, most := 0, 0
	for at := 0; at+relaSize <= len(data); at += 8 {
		n := 0
		for is(at + n*relaSize) {
			n++
		}
		if n > most {
			best, most = at, n
		}
		if n > 0 {
			at += (n-1)*relaSize + relaSize - 8 // the next begins behind them
		}
	}
	if most < minRelocs {
		return nil
	}
	out := make([]rela, most)
	for i := range out {
		out[i] = rela{le.Uint64(data[best+i*relaSize:]), le.Uint64(data[best+i*relaSize+16:])}
	}
	return out
}
