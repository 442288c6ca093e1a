package accuracy

import (
	"cmp"
	"debug/dwarf"
	"debug/elf"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/ianlancetaylor/demangle"
)

// function names a function in a way that holds in every build of a program:
// static functions of one name in different files are different functions,
// one defined in a header and compiled many times is one. Where the language
// mangles names (C++, Rust), the name is that of the linkage family and the
// file empty.
type function struct {
	Name string `json:"name"`
	File string `json:"file"` // base name of the declaring file
}

func (f function) String() string {
	if f.File == "" {
		return f.pretty()
	}
	return f.File + ":" + f.Name
}

// pretty is the name as people write it.
func (f function) pretty() string { return demangle.Filter(f.Name, demangle.NoClones) }

// compareFunctions orders by file, then name.
func compareFunctions(a, b function) int {
	return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Name, b.Name))
}

// facts are what the debug information says of one function in one build,
// read with the standard library's parser, not with surehook's.
type facts struct {
	File   string   `json:"file"`   // base name, of the declaration
	Line   int      `json:"line"`   // of the declaration
	Bodies []uint64 `json:"bodies"` // addresses of out-of-line bodies
	Copies int      `json:"copies"` // inlined copies that hold code
	Empty  int      `json:"empty"`  // inlined copies without code
	Split  int      `json:"split"`  // inlined copies of several ranges
	Clones []string `json:"clones"` // symbols like f.part.0
}

// image is what the harness reads of an ELF file.
type image struct {
	functions map[function]*facts
	atBody    map[uint64]function // by address of the body
	symbols   []elf.Symbol
	segments  []elf.ProgHeader
}

// image reads the functions whose declaration lies under tree: libc's inline
// functions are not the program's.
func (p program) image(path, tree string) (*image, error) { return readImage(path, tree, p.modules) }

// readImage reads an image. modules are the name prefixes of a Go program's own
// functions: Go does not say where inlined functions are declared.
func readImage(path, tree string, modules []string) (*image, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	d, err := f.DWARF()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b := &image{functions: map[function]*facts{}, atBody: map[uint64]function{}}
	for _, p := range f.Progs {
		if p.Type == elf.PT_LOAD {
			b.segments = append(b.segments, p.ProgHeader)
		}
	}
	if b.symbols, err = f.Symbols(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	w := walker{data: d, tree: tree, modules: modules, out: b, decls: map[dwarf.Offset]decl{}, files: map[dwarf.Offset][]string{}}
	if err := w.walk(); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	b.addClones()
	return b, nil
}

// addClones notes the symbols that the compiler made of a function.
func (b *image) addClones() {
	byName := map[string][]*facts{}
	for f, x := range b.functions {
		byName[f.Name] = append(byName[f.Name], x)
	}
	for _, s := range b.symbols {
		base, suffix, found := strings.Cut(s.Name, ".")
		if !found || elf.ST_TYPE(s.Info) != elf.STT_FUNC || suffix == "cold" {
			continue
		}
		for _, x := range byName[base] {
			x.Clones = append(x.Clones, s.Name)
		}
	}
}

// offset converts a virtual address to a file offset.
func (b *image) offset(addr uint64) (uint64, bool) {
	for _, p := range b.segments {
		if addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return addr - p.Vaddr + p.Off, true
		}
	}
	return 0, false
}

// executable tells whether a virtual address lies in a segment of code.
func (b *image) executable(addr uint64) bool {
	for _, p := range b.segments {
		if p.Flags&elf.PF_X != 0 && addr >= p.Vaddr && addr-p.Vaddr < p.Filesz {
			return true
		}
	}
	return false
}

// address converts a file offset in executable code to a virtual address.
func (b *image) address(off uint64) (uint64, bool) {
	for _, p := range b.segments {
		if p.Flags&elf.PF_X != 0 && off >= p.Off && off-p.Off < p.Filesz {
			return off - p.Off + p.Vaddr, true
		}
	}
	return 0, false
}

// symbolAddresses are the addresses that bpftrace or libbpf can mean by the
// function's name. Where several functions have the name, only those that the
// debug information places in the function's file count for it.
func (b *image) symbolAddresses(f function) []uint64 {
	var all, own []uint64
	seen := map[uint64]bool{}
	for _, s := range b.symbols {
		if s.Name != f.Name || elf.ST_TYPE(s.Info) != elf.STT_FUNC || s.Section == elf.SHN_UNDEF || seen[s.Value] {
			continue
		}
		seen[s.Value] = true
		all = append(all, s.Value)
		if b.atBody[s.Value] == f {
			own = append(own, s.Value)
		}
	}
	if len(all) > 1 {
		return own
	}
	return all
}

// under tells whether a path of the debug information lies in the tree.
func under(path, tree string) bool {
	rel, err := filepath.Rel(tree, path)
	return err == nil && rel != ".." && !strings.HasPrefix(rel, "../")
}
