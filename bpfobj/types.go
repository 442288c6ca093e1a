package bpfobj

import "github.com/surehook/surehook/hook"

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
}

// Skipped is a part of a file that is not judged.
type Skipped struct {
	What  string // "program filter", "section maps"
	Where string // as Program.Where; "" if it is the whole file
	Why   string
}
