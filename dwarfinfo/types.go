package dwarfinfo

import (
	"fmt"

	"github.com/surehook/surehook/elfbin"
)

// Source gives the debug sections of a file, decompressed, by name
// (".debug_info"). A section that does not exist is nil without error. The
// bytes must not change afterwards: names in Data share their memory.
//
// A Source may also have the method SectionReader of elfbin.File: then
// .debug_info is read unit by unit instead of held in memory.
type Source interface {
	Section(name string) ([]byte, error)
}

// Data is what one file's debug information says about functions.
// It is immutable after Load and safe for concurrent use.
type Data struct {
	Units  []Unit
	Funcs  []Func // every DW_TAG_subprogram, declarations too, by Unit and Offset
	Copies []Copy // every DW_TAG_inlined_subroutine; a parent comes before its children
	Calls  []Call // every DW_TAG_call_site and DW_TAG_GNU_call_site, unless Links.WithoutCalls
	Gaps   []Gap  // what could not be read; never silently empty

	src  Source
	secs *sections
}

// Unit is one compilation or partial unit.
type Unit struct {
	File     string // that the offsets of the unit and its entries count in; empty for the file given to Load
	Offset   uint64 // of the unit header in .debug_info
	Version  uint16 // 4 or 5 (2 and 3 are read as far as they agree)
	Name     string // DW_AT_name
	CompDir  string
	Producer string
	Language uint16 // DW_LANG_*
	HasLines bool

	lineOffset uint64 // in .debug_line, if HasLines
	lineAlt    bool   // which is the alternate file's
	strBase    uint64 // of the line table, in .debug_str_offsets
	addrSize   uint8
}

// Func is a DW_TAG_subprogram: an abstract instance, an out-of-line body, a
// declaration, or a body and its own abstract instance in one.
type Func struct {
	Offset      uint64 // of the DIE in .debug_info of the unit's File: two files may have equal ones
	Unit        int32  // index in Data.Units
	Root        int32  // index in Data.Funcs: where abstract_origin and specification lead in the end; itself if nowhere
	Name        string // DW_AT_name, inherited through Root
	LinkageName string // DW_AT_linkage_name, own or inherited; empty in C
	Scope       string // enclosing namespaces and classes "ns::cls", empty in C
	DeclFile    string // as in the line table, joined with its directory
	DeclLine    int
	DeclCol     int            // 0 if not recorded
	Ranges      []elfbin.Range // as written; Ranges[0] usually holds the entry; empty for abstract instances and declarations
	EntryPC     uint64         // DW_AT_entry_pc or low_pc, valid if HasEntry
	HasEntry    bool
	Inline      uint8 // DW_INL_*: DW_AT_inline of any part of the function, the same in all of them
	External    bool
	Declaration bool
	NoReturn    bool // DW_AT_noreturn
	Artificial  bool
	FirstCopy   int32 // Data.Copies[FirstCopy:EndCopy] lie inside this body
	EndCopy     int32
	Labels      []uint64 // virtual addresses of labels (DW_TAG_label) in this body, where a computed goto may lead
}

// Copy is a DW_TAG_inlined_subroutine: one inlined copy of a function.
type Copy struct {
	Offset   uint64 // of the DIE in .debug_info of the unit's File
	Unit     int32
	Func     int32 // index in Data.Funcs of the body that contains it
	Parent   int32 // index in Data.Copies of the enclosing copy, -1 if none
	Origin   int32 // index in Data.Funcs of the root it is a copy of, -1 if it cannot be told (see Data.Gaps)
	Ranges   []elfbin.Range
	EntryPC  uint64 // DW_AT_entry_pc, valid if HasEntry
	HasEntry bool
	CallFile string
	CallLine int
	CallCol  int
}

// Call is a call site record.
type Call struct {
	PC     uint64 // return address: virtual address after the call (DW_AT_call_return_pc, GNU low_pc); 0 if absent
	CallPC uint64 // DW_AT_call_pc: address of the call itself; 0 if absent
	Func   int32  // index in Data.Funcs of the containing body
	Copy   int32  // index in Data.Copies of the innermost containing copy, -1 if none
	Callee int32  // index in Data.Funcs of the callee's root, -1 if indirect
	Tail   bool   // DW_AT_call_tail_call
}

// GapKind says what kind of debug information could not be read.
type GapKind uint8

// The gaps.
const (
	GapAltFile GapKind = iota + 1 // references into a dwz or DWARF 5 supplementary file that was not given
	GapSplit                      // unit's contents are in a .dwo or .dwp file that was not found
	GapBadUnit                    // unit is damaged; the others are read
	GapVersion                    // unit has a version that is not read
	GapForm                       // attribute form that is not known
	GapOrigin                     // abstract origin leads nowhere
)

// String names the gap for a verdict's reason.
func (k GapKind) String() string {
	switch k {
	case GapAltFile:
		return "debug information refers to an alternate file (dwz) that was not found"
	case GapSplit:
		return "debug information is split (.dwo/.dwp) and a part was not found"
	case GapBadUnit:
		return "a unit of the debug information is damaged"
	case GapVersion:
		return "a unit has a DWARF version that is not read"
	case GapForm:
		return "an attribute has an unknown form"
	case GapOrigin:
		return "an abstract origin leads nowhere"
	}
	return "unknown gap"
}

// Gap is a part of the debug information that was not read, so that an answer
// built on it can be "unknown" and not "no".
type Gap struct {
	Kind   GapKind
	Unit   int32  // index in Data.Units, -1 when it concerns the file
	File   string // as Unit.File
	Offset uint64
	Detail string
}

// Error makes a gap usable as an error.
func (g Gap) Error() string {
	file := g.File
	if file != "" {
		file += ": "
	}
	return fmt.Sprintf("%s.debug_info at offset %#x: %s: %s", file, g.Offset, g.Kind, g.Detail)
}

// Row is one row of the line number table (DWARF5 §6.2).
type Row struct {
	Addr   uint64 // virtual address
	File   uint32 // index in LineTable.Files
	Line   uint32 // 0: compiler-made code, no line
	Column uint32
	IsStmt bool
	EndSeq bool // first address after a sequence
}

// LineTable is the decoded line number program of one unit. Rows keep the
// program's order inside a sequence; several rows may share an address.
// Sequences are sorted by their first address.
type LineTable struct {
	Files []string // clean paths, by Row.File; "" when not known
	Rows  []Row

	seqs []seq
}

// FormatError says where the debug information breaks its format.
type FormatError struct {
	Section string // ".debug_info"
	Offset  uint64 // in the (decompressed) section
	Err     error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s at offset %#x: %v", e.Section, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }
