package elfbin

import (
	"debug/elf"
	"fmt"
)

// Arch is an instruction set that surehook can disassemble.
type Arch uint8

// The architectures.
const (
	UnknownArch Arch = iota
	AMD64
	ARM64
)

// String gives the GOARCH name.
func (a Arch) String() string {
	switch a {
	case AMD64:
		return "amd64"
	case ARM64:
		return "arm64"
	}
	return "unknown"
}

// Range is a half-open range [Low, High) of virtual addresses.
type Range struct{ Low, High uint64 }

// Contains tells whether the virtual address lies in the range.
func (r Range) Contains(addr uint64) bool { return r.Low <= addr && addr < r.High }

// Empty tells whether the range holds no address.
func (r Range) Empty() bool { return r.High <= r.Low }

// Table says which symbol table an entry was read from.
type Table uint8

// The symbol tables of a file.
const (
	Symtab    Table = iota // .symtab
	Dynsym                 // .dynsym
	MiniDebug              // .symtab of the file in .gnu_debugdata
)

// Symbol is one entry of a symbol table, as written: nothing is merged.
type Symbol struct {
	Name    string // without the version
	Version string // GNU symbol version ("GLIBC_2.14"), empty without one
	Hidden  bool   // name@VERSION, not the default name@@VERSION
	Value   uint64 // virtual address (st_value)
	Size    uint64 // bytes
	Type    elf.SymType
	Bind    elf.SymBind
	Section elf.SectionIndex
	Table   Table
}

// Defined tells whether the symbol has an address in this file.
func (s Symbol) Defined() bool { return s.Section != elf.SHN_UNDEF }

// Func tells whether the symbol is defined code that a probe can be put on.
// IFUNC resolvers are not: what they resolve to is elsewhere.
func (s Symbol) Func() bool { return s.Defined() && s.Type == elf.STT_FUNC }

// IFunc tells whether the symbol is a GNU indirect function (its value is the
// resolver's address, not the function's).
func (s Symbol) IFunc() bool { return s.Defined() && s.Type == elf.STT_GNU_IFUNC }

// FormatError says where a file breaks its format.
type FormatError struct {
	Path    string // file
	Section string // section or header name, e.g. ".symtab", "ELF header"
	Offset  uint64 // file offset where reading failed
	Err     error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: %s at file offset %#x: %v", e.Path, e.Section, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }
