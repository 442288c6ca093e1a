package dwarftest

import "debug/dwarf"

// File is the debug information of one file. Its Section method makes it a
// source to read from.
type File struct {
	Units    []*Unit
	Sections map[string][]byte // replace what would be written, or add to it

	built map[string][]byte
}

// Unit is one unit. The zero Kind is a compilation unit.
type Unit struct {
	Version  uint16
	Kind     uint8 // DW_UT_*, written from version 5 on
	Dwarf64  bool
	AddrSize uint8 // 8 when 0
	Root     *Entry
	Trailing []byte // after the entries, inside the unit

	off uint64
}

// Entry is one debugging information entry.
type Entry struct {
	Tag      dwarf.Tag
	Attrs    []Attr
	Children []*Entry

	off   uint64 // in .debug_info
	after uint64 // of what follows it and its children
	code  uint64
}

// Offset is where the entry was written in .debug_info. It is known after
// File.Section was called.
func (e *Entry) Offset() uint64 { return e.off }

// Attr is one attribute. Val is an int, uint64 or bool for numbers, flags,
// addresses and indexes; a string (also for the indexed forms); an *Entry for
// references; List for ranges; *Lines for a line table; Raw for bytes as
// they are; nil for forms without bytes.
type Attr struct {
	At   dwarf.Attr
	Form Form
	Val  any
}

// Raw is a value's bytes as they are, lengths included.
type Raw []byte

// After is the value of DW_AT_sibling.
type After struct{}

// Via is the value of an Indirect form: the form that is really used.
type Via struct {
	Form Form
	Val  any
}

// List is a range list; each element is written as it says, in the section
// that the unit's version uses.
type List []Item

// Item is one entry of a range list.
type Item struct {
	Kind Kind
	A, B uint64
}

// Kind is the kind of an entry of a range list.
type Kind uint8

// The kinds. Before DWARF 5 there are only OffsetPair and BaseAddress.
const (
	EndOfList Kind = iota // written by itself at the end
	BaseAddressx
	StartxEndx
	StartxLength
	OffsetPair
	BaseAddress
	StartEnd
	StartLength
)

// Lines is a line number program with its header.
type Lines struct {
	Version uint16
	Dirs    []string // DWARF 5: [0] is the unit's; before: counted from 1
	Files   []LineFile
	Program []byte
}

// LineFile is one entry of the file table.
type LineFile struct {
	Name string
	Dir  int
}

func (u *Unit) addrSize() uint8 {
	if u.AddrSize == 0 {
		return 8
	}
	return u.AddrSize
}

func (u *Unit) offsetSize() int {
	if u.Dwarf64 {
		return 8
	}
	return 4
}
