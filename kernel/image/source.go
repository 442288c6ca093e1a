package image

import (
	"bytes"
	"cmp"
	"debug/elf"
	"encoding/binary"
	"slices"
	"sort"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/kernel/btf"
)

// symbol is one symbol of a kernel or module.
type symbol struct {
	name   string
	addr   uint64 // virtual
	size   uint64 // in bytes; 0 if not known
	code   bool
	global bool
}

// memory is the kernel's code and data by virtual address.
type memory interface {
	flow.Image
	// Pointer gives the 8-byte pointer at an address, relocations applied.
	Pointer(addr uint64) (uint64, bool)
}

// source is a vmlinux or a module, whatever kind of file it came from.
type source struct {
	path    string
	module  string // empty for the kernel
	arch    elfbin.Arch
	buildID string
	mem     memory
	symbols []symbol          // by address; at one address the best name first
	byName  map[string]uint64 // the first address of each name
	init    []elfbin.Range    // code that is freed after boot
	btf     []byte            // raw, nil without
	elf     *elfbin.File      // nil for a raw image
	types   *btf.Facts        // what btf says, nil without
}

// elfSource takes what is needed of an ELF file.
func elfSource(f *elfbin.File) (*source, error) {
	s := &source{path: f.Path(), arch: f.Arch(), buildID: f.BuildID(), mem: f, byName: map[string]uint64{}, elf: f}
	for _, y := range f.Symbols() {
		if y.Name == "_sdata" || y.Name == "_edata" {
			s.byName[y.Name] = y.Value
		}
	}
	data := s.dataRange()
	for _, y := range f.Symbols() {
		if !y.Defined() || y.Name == "" || y.Table != elfbin.Symtab || y.Type == elf.STT_FILE || y.Type == elf.STT_SECTION {
			continue
		}
		if _, again := s.byName[y.Name]; !again {
			s.byName[y.Name] = y.Value
		}
		code := f.Executable(y.Value) && (y.Func() || y.IFunc() || y.Type == elf.STT_NOTYPE && notMark(y.Name) && !data.Contains(y.Value))
		if code && padding(y.Name) {
			continue
		}
		s.symbols = append(s.symbols, symbol{y.Name, y.Value, y.Size, code, y.Bind != elf.STB_LOCAL})
	}
	for _, sec := range f.Sections() {
		if strings.HasPrefix(sec.Name, ".init.text") {
			s.init = append(s.init, elfbin.Range{Low: sec.Addr, High: sec.Addr + sec.Size})
		}
	}
	s.sort()
	var err error
	s.btf, err = f.Section(".BTF")
	return s, err
}

// padding tells the symbols that stand for the space in front of functions.
func padding(name string) bool {
	return strings.HasPrefix(name, "__pfx_") || strings.HasPrefix(name, "__cfi_")
}

// notMark tells whether a symbol without a type, as assembly has them, may be
// a function: not the bounds of sections, nor labels and mapping symbols.
func notMark(name string) bool {
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "$") || name == "_text" {
		return false
	}
	for _, end := range []string{"_start", "_end", "_begin", "stext", "etext", "inittext"} {
		if strings.HasSuffix(name, end) {
			return false
		}
	}
	return true
}

// sort orders the symbols and gives those of code without a size that up to the next.
func (s *source) sort() {
	slices.SortFunc(s.symbols, func(a, b symbol) int {
		return cmp.Or(cmp.Compare(a.addr, b.addr), prefer(b.code, a.code), prefer(b.size > 0, a.size > 0),
			prefer(b.global, a.global), cmp.Compare(strings.Count(a.name, "_"), strings.Count(b.name, "_")), strings.Compare(a.name, b.name))
	})
	s.symbols = slices.CompactFunc(s.symbols, func(a, b symbol) bool { return a.addr == b.addr && a.name == b.name })
	next := uint64(0)
	for i := len(s.symbols) - 1; i >= 0; i-- {
		y := &s.symbols[i]
		if y.code && y.size == 0 && next > y.addr {
			y.size = min(next-y.addr, maxAssembly)
		}
		if i > 0 && s.symbols[i-1].addr < y.addr {
			next = y.addr
		}
	}
}

// maxAssembly bounds the size of a function that does not say its own.
const maxAssembly = 1 << 16

func prefer(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// variable gives where a variable lies, an empty range if there is none. It
// reaches up to the next symbol where its own size is not known, as kallsyms has none.
func (s *source) variable(name string) elfbin.Range {
	low, ok := s.byName[name]
	if !ok {
		return elfbin.Range{}
	}
	i := sort.Search(len(s.symbols), func(i int) bool { return s.symbols[i].addr >= low })
	for ; i < len(s.symbols) && s.symbols[i].addr == low; i++ {
		if y := s.symbols[i]; y.name == name && y.size > 0 {
			return elfbin.Range{Low: low, High: low + min(y.size, ^low)}
		}
	}
	if i == len(s.symbols) {
		return elfbin.Range{}
	}
	return elfbin.Range{Low: low, High: s.symbols[i].addr}
}

// at gives the best function symbol that begins at an address.
func (s *source) at(addr uint64) (symbol, bool) {
	i := sort.Search(len(s.symbols), func(i int) bool { return s.symbols[i].addr >= addr })
	if i < len(s.symbols) && s.symbols[i].addr == addr && s.symbols[i].code {
		return s.symbols[i], true
	}
	return symbol{}, false
}

// around gives the function symbol that holds an address.
func (s *source) around(addr uint64) (symbol, bool) {
	i := sort.Search(len(s.symbols), func(i int) bool { return s.symbols[i].addr > addr })
	for i--; i >= 0; i-- {
		y := s.symbols[i]
		for i > 0 && s.symbols[i-1].addr == y.addr {
			i--
			y = s.symbols[i]
		}
		if !y.code {
			if addr-y.addr > maxAssembly {
				break
			}
			continue
		}
		return y, addr-y.addr < y.size
	}
	return symbol{}, false
}

// bounds gives the addresses of the two symbols around a table.
func (s *source) bounds(start, stop string) (low, high uint64, ok bool) {
	low, a := s.byName[start]
	high, b := s.byName[stop]
	return low, high, a && b && low <= high
}

// sections gives where a module's sections of a name lie; it may have several.
func (s *source) sections(name string) []elfbin.Range {
	var out []elfbin.Range
	for _, sec := range s.elf.Sections() {
		if sec.Name == name && sec.Size <= ^sec.Addr {
			out = append(out, elfbin.Range{Low: sec.Addr, High: sec.Addr + sec.Size})
		}
	}
	return out
}

// table reads a table of pointers: the kernel's lies between two symbols, that
// of a module is a section of its own, and without it the module has none.
func (s *source) table(start, stop string, sections ...string) ([]uint64, bool) {
	if s.module == "" {
		low, high, ok := s.bounds(start, stop)
		if !ok {
			return nil, false
		}
		return s.pointers(low, high), true
	}
	var out []uint64
	for _, name := range sections {
		for _, r := range s.sections(name) {
			out = append(out, s.pointers(r.Low, r.High)...)
		}
	}
	return out, true
}

// maxTable bounds a table of the kernel's in bytes: that of the ftrace
// locations has some 700 KiB.
const maxTable = 64 << 20

// pointers reads a table of pointers; what is null is left out.
func (s *source) pointers(low, high uint64) []uint64 {
	if high-low > maxTable {
		return nil
	}
	var out []uint64
	for at := low; at+8 <= high; at += 8 {
		if p, ok := s.mem.Pointer(at); ok && p != 0 {
			out = append(out, p)
		}
	}
	return out
}

// maxString bounds a string of the kernel's.
const maxString = 4096

// text reads a string that ends with a zero byte.
func (s *source) text(addr uint64) (string, bool) {
	const step = 64
	var out []byte
	for len(out) < maxString {
		b := s.mem.Bytes(addr+uint64(len(out)), step)
		if i := bytes.IndexByte(b, 0); i >= 0 {
			return string(append(out, b[:i]...)), true
		}
		if len(b) < step {
			return "", false
		}
		out = append(out, b...)
	}
	return "", false
}

// textAt reads the string that a pointer at an address leads to.
func (s *source) textAt(addr uint64) (string, bool) {
	p, ok := s.mem.Pointer(addr)
	if !ok || p == 0 {
		return "", false
	}
	return s.text(p)
}

// prel32 reads a table of 4-byte offsets from their own place.
func (s *source) prel32(low, high uint64) []uint64 {
	if high-low > maxTable {
		return nil
	}
	var out []uint64
	for at := low; at+4 <= high; at += 4 {
		if b := s.mem.Bytes(at, 4); len(b) == 4 {
			out = append(out, at+uint64(int64(int32(binary.LittleEndian.Uint32(b)))))
		}
	}
	return out
}
