package elfbin

import (
	"debug/elf"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"strings"
)

// DefaultDebugDir is where distributions install separate debug files.
const DefaultDebugDir = "/usr/lib/debug"

// DebugOptions say where FindDebug looks.
type DebugOptions struct {
	// Root is the file system that all paths are in, as os.DirFS("/").
	// Nil: only the file itself is looked at.
	Root fs.FS
	// Dirs are the directories of debug files, absolute within Root.
	// Empty: DefaultDebugDir.
	Dirs []string
	// Beside are the directories that hold the file, absolute within Root,
	// for .gnu_debuglink. Empty: those of the path the file was opened by.
	Beside []string
	// Fetch gets the debug file of a build id (hex) that is nowhere in Root,
	// as a debuginfod server has it; also a .gnu_debugaltlink's file. An error
	// that is fs.ErrNotExist says that nobody has one. What it returns is
	// judged like any other candidate. Nil: nothing is fetched.
	Fetch func(buildID string) (*File, error)
}

// Outcome says what became of one place FindDebug looked at.
type Outcome string

// The outcomes.
const (
	Found       Outcome = "found"
	Absent      Outcome = "does not exist"
	NoDWARF     Outcome = "has no debug information"
	WrongID     Outcome = "has another build id"
	WrongCRC    Outcome = "has another CRC than .gnu_debuglink says"
	WrongArch   Outcome = "is for another architecture"
	Unreadable  Outcome = "cannot be read"
	NotTheUnit  Outcome = "does not have the split debug information"
	NotSearched Outcome = "not searched"
)

// Attempt is one place FindDebug looked at.
type Attempt struct {
	Path    string // absolute within Root; of the file itself as it was opened
	Outcome Outcome
	Detail  string // the ids, or why it cannot be read; may be empty
}

// String is one line for a verdict's reason.
func (a Attempt) String() string {
	if a.Detail == "" {
		return fmt.Sprintf("%s %s", a.Path, a.Outcome)
	}
	return fmt.Sprintf("%s %s: %s", a.Path, a.Outcome, a.Detail)
}

// Search is everything FindDebug looked at, in order.
type Search struct {
	Path     string // of the file that has the debug information, empty if none
	Attempts []Attempt
	MiniOnly bool // the file has a .gnu_debugdata: symbols, no debug information
}

// String names every place with its outcome, separated by semicolons.
func (s Search) String() string {
	parts := make([]string, len(s.Attempts))
	for i, a := range s.Attempts {
		parts[i] = a.String()
	}
	return strings.Join(parts, "; ")
}

// Refused tells whether a debug file was there and could not be taken: what
// is missing is then the right file, not any.
func (s Search) Refused() bool {
	for _, a := range s.Attempts {
		switch a.Outcome {
		case WrongID, WrongCRC, WrongArch, Unreadable:
			return true
		}
	}
	return false
}

// FindDebug finds the debug information of a file: in the file itself, by
// its build id, or by its .gnu_debuglink. It returns f itself, another File
// that the caller closes, or nil; Search says where it looked. A debug file
// whose build id or CRC does not match is refused. A separate debug file has
// the virtual addresses of f but not its code.
func FindDebug(f *File, opts DebugOptions) (*File, Search) {
	d := newSearch(f, opts, f.BuildID())
	d.judge = d.judgeDebug(nil)
	d.MiniOnly = f.HasMiniDebug() && !f.HasDWARF()
	if f.HasDWARF() {
		d.Path = f.Path()
		d.note(f.Path(), Found, "")
		return f, d.Search
	}
	d.note(f.Path(), NoDWARF, "")
	if opts.Root == nil {
		return d.fetch(), d.Search
	}
	found := d.byBuildID()
	if found == nil {
		found = d.byLink()
	}
	if found == nil {
		found = d.fetch()
	}
	return found, d.Search
}

// debugSearch is one run of FindDebug, or of its relatives.
type debugSearch struct {
	Search
	file  *File
	opts  DebugOptions
	id    string                        // build id of what is looked for
	judge func(*File) (Outcome, string) // whether a file that was found is it
}

func newSearch(f *File, opts DebugOptions, id string) *debugSearch {
	if len(opts.Dirs) == 0 {
		opts.Dirs = []string{DefaultDebugDir}
	}
	if len(opts.Beside) == 0 {
		opts.Beside = f.dirs
	}
	return &debugSearch{file: f, opts: opts, id: id}
}

func (d *debugSearch) note(path string, o Outcome, format string, args ...any) {
	d.Attempts = append(d.Attempts, Attempt{path, o, fmt.Sprintf(format, args...)})
}

// byBuildID looks for <dir>/.build-id/ab/cdef.debug.
func (d *debugSearch) byBuildID() *File {
	if len(d.id) < 4 {
		d.note("build id", NotSearched, "the file has none")
		return nil
	}
	for _, dir := range d.opts.Dirs {
		if f := d.try(path.Join(dir, ".build-id", d.id[:2], d.id[2:]+".debug")); f != nil {
			return f
		}
	}
	return nil
}

// byLink looks for .gnu_debuglink's name in the places gdb documents: beside
// the file, in .debug beside it, and under the debug directories.
func (d *debugSearch) byLink() *File {
	name, crc, ok := d.file.DebugLink()
	switch {
	case !ok:
		d.note(".gnu_debuglink", NotSearched, "the file has none")
		return nil
	case name != path.Base(name) || name == "." || !fs.ValidPath(name):
		d.note(".gnu_debuglink", NotSearched, "%q is not a plain file name", name)
		return nil
	case len(d.opts.Beside) == 0:
		d.note(name, NotSearched, "the directory of %s is not known", d.file.Path())
		return nil
	}
	var places []string
	for _, dir := range d.opts.Beside {
		places = append(places, path.Join(dir, name), path.Join(dir, ".debug", name))
	}
	for _, debug := range d.opts.Dirs {
		for _, dir := range d.opts.Beside {
			places = append(places, path.Join(debug, dir, name))
		}
	}
	d.judge = d.judgeDebug(&crc)
	found := d.tryAll(places)
	d.judge = d.judgeDebug(nil)
	return found
}

// fetch asks for the file by its build id where DebugOptions.Fetch leads.
func (d *debugSearch) fetch() *File {
	if d.opts.Fetch == nil || d.id == "" {
		return nil
	}
	f, err := d.opts.Fetch(d.id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		d.note("build id "+d.id, Absent, "%v", err)
		return nil
	case err != nil:
		return d.take("build id "+d.id, nil, err)
	}
	return d.take(f.Path(), f, nil)
}

func (d *debugSearch) tryAll(places []string) *File {
	for _, p := range places {
		if f := d.try(p); f != nil {
			return f
		}
	}
	return nil
}

// try opens one candidate and takes it if it is the one looked for.
func (d *debugSearch) try(p string) *File {
	f, err := openIn(d.opts.Root, p)
	return d.take(p, f, err)
}

// take is what becomes of a candidate that was opened, or could not be.
func (d *debugSearch) take(p string, f *File, err error) *File {
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			d.note(p, Absent, "")
		} else {
			d.note(p, Unreadable, "%v", err)
		}
		return nil
	}
	outcome, detail := d.judge(f)
	d.note(p, outcome, "%s", detail)
	if outcome != Found {
		f.Close()
		return nil
	}
	d.Path = p
	return f
}

// judgeDebug judges separate debug files; crc is what .gnu_debuglink says,
// nil when the file is found by its build id.
func (d *debugSearch) judgeDebug(crc *uint32) func(*File) (Outcome, string) {
	return func(f *File) (Outcome, string) {
		switch id := f.BuildID(); {
		case f.Arch() != d.file.Arch():
			return WrongArch, f.Arch().String()
		case id != d.id:
			return WrongID, fmt.Sprintf("%s has %q, %s has %q", d.file.Path(), d.id, f.Path(), id)
		case !f.HasDWARF():
			return NoDWARF, ""
		case crc == nil:
			return d.place(f)
		}
		got, err := f.crc32()
		if err != nil {
			return Unreadable, err.Error()
		}
		if got != *crc {
			return WrongCRC, fmt.Sprintf("%#x, not %#x", got, *crc)
		}
		return d.place(f)
	}
}

// place gives a relocatable debug file the addresses of the file it is for.
func (d *debugSearch) place(f *File) (Outcome, string) {
	switch {
	case f.typ != elf.ET_REL && d.file.typ != elf.ET_REL:
		return Found, ""
	case f.typ != d.file.typ:
		return Unreadable, fmt.Sprintf("it is %v, and %s is %v", f.typ, d.file.path, d.file.typ)
	}
	if err := f.placeLike(d.file); err != nil {
		return Unreadable, err.Error()
	}
	return Found, ""
}

// crc32 is the checksum of the whole file that .gnu_debuglink uses.
func (f *File) crc32() (uint32, error) {
	const step = 1 << 20
	buf := make([]byte, min(step, f.size))
	sum := uint32(0)
	for at := uint64(0); at < f.size; {
		n := min(step, f.size-at)
		if got, err := f.src.ReadAt(buf[:n], int64(at)); uint64(got) < n {
			return 0, f.bad("file", at, "reading for its CRC: %w", err)
		}
		sum = crc32.Update(sum, crc32.IEEETable, buf[:n])
		at += n
	}
	return sum, nil
}
