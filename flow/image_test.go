package flow

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/surehook/surehook/elfbin"
)

// fileImage is the smallest Image that serves the tests: segments and
// RELATIVE and absolute relocations of a linked file.
type fileImage struct {
	file    *elf.File
	rel     map[uint64]uint64
	data    map[*elf.Prog][]byte
	syms    []elf.Symbol
	arch    elfbin.Arch
	unwound func() []function // of a stripped file
	starts  []uint64
}

func openImage(t testing.TB, path string) *fileImage {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	f, err := elf.NewFile(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	im := &fileImage{file: f, rel: map[uint64]uint64{}, data: map[*elf.Prog][]byte{}, arch: elfbin.AMD64}
	if f.Machine == elf.EM_AARCH64 {
		im.arch = elfbin.ARM64
	}
	if f.Section(".symtab") == nil {
		im.unwound = sync.OnceValue(func() []function { return im.frames(t, path) })
	}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			im.data[p] = raw[p.Off : p.Off+p.Filesz]
		}
	}
	im.syms, _ = f.Symbols()
	dyn, _ := f.DynamicSymbols()
	for _, s := range f.Sections {
		if s.Type != elf.SHT_RELA || s.Flags&elf.SHF_ALLOC == 0 {
			continue
		}
		b, err := s.Data()
		if err != nil {
			t.Fatal(err)
		}
		for ; len(b) >= 24; b = b[24:] {
			off, info := binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint64(b[8:])
			add := binary.LittleEndian.Uint64(b[16:])
			if n := info >> 32; n > 0 && int(n) <= len(dyn) {
				if dyn[n-1].Section == elf.SHN_UNDEF {
					im.rel[off] = 0
					continue
				}
				add += dyn[n-1].Value
			}
			im.rel[off] = add
		}
	}
	return im
}

func (im *fileImage) Bytes(addr uint64, n int) []byte {
	for p, b := range im.data {
		if addr >= p.Vaddr && addr-p.Vaddr < uint64(len(b)) {
			b = b[addr-p.Vaddr:]
			return b[:min(n, len(b))]
		}
	}
	return nil
}

func (im *fileImage) Pointer(addr uint64) (uint64, bool) {
	if v, ok := im.rel[addr]; ok {
		return v, v != 0
	}
	b := im.Bytes(addr, 8)
	if len(b) < 8 {
		return 0, false
	}
	v := binary.LittleEndian.Uint64(b)
	return v, v != 0
}

func (im *fileImage) Executable(addr uint64) bool {
	for p := range im.data {
		if p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return true
		}
	}
	return false
}

// function is a symbol's code, with its cold part.
type function struct {
	name   string
	entry  uint64
	ranges []elfbin.Range
}

func (im *fileImage) functions() []function {
	cold := map[string][]elfbin.Range{}
	var fs []function
	seen := map[uint64]bool{}
	if im.unwound != nil {
		return im.unwound()
	}
	for _, s := range im.syms {
		if elf.ST_TYPE(s.Info) != elf.STT_FUNC || s.Size == 0 || s.Section == elf.SHN_UNDEF {
			continue
		}
		r := elfbin.Range{Low: s.Value, High: s.Value + s.Size}
		if base, ok := coldOf(s.Name); ok {
			cold[base] = append(cold[base], r)
			continue
		}
		if !seen[s.Value] {
			seen[s.Value] = true
			fs = append(fs, function{s.Name, s.Value, []elfbin.Range{r}})
		}
	}
	for i := range fs {
		fs[i].ranges = append(fs[i].ranges, cold[fs[i].name]...)
	}
	slices.SortFunc(fs, func(a, b function) int { return cmpAddr(a.entry, b.entry) })
	return fs
}

func coldOf(name string) (string, bool) {
	if n := len(name) - len(".cold"); n > 0 && name[n:] == ".cold" {
		return name[:n], true
	}
	return "", false
}

// memory is an image of one piece of bytes, all of it executable.
type memory struct {
	base uint64
	b    []byte
	code int // bytes that are code
}

func (m memory) Bytes(addr uint64, n int) []byte {
	if addr < m.base || addr-m.base >= uint64(len(m.b)) {
		return nil
	}
	b := m.b[addr-m.base:]
	return b[:min(n, len(b))]
}

func (m memory) Pointer(addr uint64) (uint64, bool) {
	b := m.Bytes(addr, 8)
	if len(b) < 8 {
		return 0, false
	}
	return binary.LittleEndian.Uint64(b), true
}

func (m memory) Executable(addr uint64) bool {
	return addr >= m.base && addr-m.base < uint64(m.code)
}

// frames gives the functions by the unwind information, for stripped files:
// readelf's list of frame descriptions.
func (im *fileImage) frames(t testing.TB, path string) []function {
	out, err := exec.Command("readelf", "--debug-dump=frames", "--wide", path).Output()
	if err != nil && len(out) == 0 {
		t.Skip("readelf: ", err)
	}
	var fs []function
	for _, m := range frameRange.FindAllSubmatch(out, -1) {
		low, _ := strconv.ParseUint(string(m[1]), 16, 64)
		high, _ := strconv.ParseUint(string(m[2]), 16, 64)
		if low < high {
			fs = append(fs, function{fmt.Sprintf("%#x", low), low, []elfbin.Range{{Low: low, High: high}}})
		}
	}
	return fs
}

var frameRange = regexp.MustCompile(`FDE cie=\S+ pc=([0-9a-f]+)\.\.([0-9a-f]+)`)
