package bpfobj

import (
	"github.com/surehook/surehook/bpfobj/loader"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Kind says what a file is.
type Kind string

// The kinds of files.
const (
	Object     Kind = "object"     // a compiled BPF object
	Executable Kind = "executable" // a program with objects in its data
	Script     Kind = "script"     // of bpftrace
	Policy     Kind = "policy"     // of tetragon
)

// File is what one file ships.
type File struct {
	Path     string
	Kind     Kind
	Programs []Program // in the file's order
	// Skipped is what is not judged, and why: nothing is left out in silence.
	Skipped []Skipped
	// Own are types that the file defines itself, "struct nameidata": their
	// layout is not the kernel's.
	Own []string
	// Rejected is why the program that the file is for takes none of it; nil if
	// it does.
	Rejected *Rejection
	// Mistakes are what is wrong with a text besides; what is right of it is
	// read all the same.
	Mistakes []Mistake
}

// Mistake is something in a text that the program it is for refuses or does
// not know.
type Mistake struct {
	Place
	Reason string
	Maybe  bool // a newer version of that program may know it
}

// Rejection is a mistake in a text.
type Rejection struct {
	Place
	Reason string
}

// Program is one BPF program, or one probe of a script.
type Program struct {
	Name    string // function, "" if it has none
	Section string // of an object: its section's name, `SEC("...")`
	// Where it is in the file: "kprobe/vfs_read+0x0" of an object, with the
	// object's file offset in an executable; "12:1" (line, column) of a text.
	Where string
	// Hooks are where it is attached. Several if one program is put on several.
	Hooks []hook.Hook
	// HookNotKnown says why Hooks is empty or not all, in words; "" if it is all.
	HookNotKnown string
	// Optional: the loader may leave it out, as for SEC("?...").
	Optional bool
	// Loader is what the executable that carries the program does with it before
	// it is in the kernel; LoaderNotKnown says why that cannot be told, "" if it
	// can, or if there is no executable.
	Loader         []loader.Act
	LoaderNotKnown string
	// ByOffset tells of Hooks in their order whether the address is an offset in
	// the file; nil: none is.
	ByOffset []bool
	// Places are those of Hooks in a text, in their order; nil for an object.
	Places []Place
	Reads  []Access // what it takes of its context and by a type's layout
	// AnyOf: the loader goes on when some of Hooks are nowhere; if not every
	// version does, AnyOfWhen says which, in words.
	AnyOf     bool
	AnyOfWhen string
	// Context is the type of its context as the object's types declare it; ""
	// if they do not.
	Context kernel.Type
	// Untyped says why nothing is known of fields and types that it uses; "" if
	// they are known.
	Untyped string

	code   *code // nil for what is no compiled program
	entry  place
	traces map[string]*Trace // by what kernels answered
	relos  []int             // indices of its relocations; nil: not looked for yet
}

// Place is a place in a text.
type Place struct {
	Line, Column int // from 1; the column in characters
}

// Source says where an Access begins.
type Source uint8

// The sources.
const (
	FromArg      Source = iota // a parameter of the function by its number
	FromName                   // a parameter, or a field of an event, by its name
	FromReturn                 // what the function returns
	FromType                   // memory that the program takes for a type
	FromRegister               // a register by its name
)

// Access is a value that a program takes.
type Access struct {
	Place
	Where  string // in an object, as Program.Where
	Source Source
	Index  int    // of FromArg, from 0
	Name   string // of FromName, FromRegister; of FromType the type, "struct sock"
	// As is the C type that the program takes the value for, "struct sock *";
	// "" where it says none.
	As string
	// Path are the members that are read from there, outermost first; "[]"
	// stands for an element of an array.
	Path []string
	// Guarded: the program asks first whether it is there.
	Guarded bool
	Shape   Shape // what the value, behind Path, must be like
}

// Shape is what a value must be like to be read as a program reads it.
type Shape struct {
	Kind  ShapeKind
	Bytes int // of a Number: how many are read; 0: whatever it has
}

// ShapeKind is a kind of shapes.
type ShapeKind uint8

// The kinds.
const (
	AnyShape ShapeKind = iota
	Number             // an integer or enum
	Text               // points to characters
	Buffer             // points to bytes
	DataLoc            // of an event: text at its end (__data_loc)
)

// Relocations gives the CO-RE relocations of the program and of what it calls.
func (p *Program) Relocations() []*Relocation {
	if p.code == nil {
		return nil
	}
	var out []*Relocation
	for _, i := range p.relocations() {
		out = append(out, &p.code.relos[i])
	}
	return out
}

// Definitions gives the object's own types of a name, as a kernel gives its.
func (p *Program) Definitions(name string) ([]kernel.Definition, error) {
	if p.code == nil {
		return nil, nil
	}
	return p.code.types.Definitions(name)
}

// Compiled tells whether it is a compiled program, whose code can be followed.
func (p *Program) Compiled() bool { return p.code != nil }

// Skipped is a part of a file that is not judged.
type Skipped struct {
	What  string // "program filter", "section maps"
	Where string // as Program.Where; "" if it is the whole file
	Why   string
}
