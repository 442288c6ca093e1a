package elfbin

import (
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"
)

// File is an open ELF file. Its tables are read by New (see OpenHeaders); sections, segments
// and indices are read when first asked for and kept. It is safe for
// concurrent use.
//
// In a relocatable file (ET_REL), which has no virtual addresses, the file
// offset stands for the virtual address everywhere (.bss comes behind the end
// of the file), and Section and Bytes give contents with the relocations applied.
//
// Contents are read, not mapped: a mapped file that shrinks kills the
// process with SIGBUS, and files that are rewritten in place are this
// project's business.
type File struct {
	path   string
	real   string   // path with symbolic links resolved; empty when not known
	dirs   []string // absolute directories of the file, for .gnu_debuglink
	src    io.ReaderAt
	size   uint64
	closer io.Closer

	modified time.Time // of the file, zero if not known

	typ      elf.Type
	arch     Arch
	entry    uint64
	segments []*segment
	sections []SectionHeader
	code     []Range          // executable sections by address
	free     uint64           // in ET_REL: address behind the file and its sections without bytes
	fixups   map[uint32][]int // in ET_REL: SHT_RELA sections by the section they change
	symbols  []Symbol         // of each Table in turn, without their null entries
	first    [3]int           // index in symbols of each Table's first entry
	known    SymbolIndex      // answers instead of symbols, or nil
	once     sync.Once        // for symbols; see LoadSymbols
	symErr   error            // why they cannot be read
	asked    atomic.Bool      // they were read

	index   func() *symbolIndex
	relocs  func() relocations
	dynamic func() dynamic
	plt     func() map[uint64]string
	ranges  func() ([]Range, error)

	mu    sync.Mutex
	cache map[int]func() ([]byte, error) // by section number
}

// Open reads the ELF file at path. What is not an ELF file of a known kind,
// or breaks the format, is a *FormatError.
func Open(path string) (*File, error) { return open(path, New) }

// opened notes what is known of a file in the file system.
func (f *File) opened(file *os.File, info os.FileInfo, path string) {
	f.closer, f.modified = file, info.ModTime()
	f.dirs = directories(path)
	f.real, _ = filepath.EvalSymlinks(path)
}

var errNotRegular = fmt.Errorf("%w: not a regular file", ErrNotELF)

// directories gives the absolute directory of path as written and with its
// symbolic links resolved: debuggers look beside the real file, packages
// install beside the written one (/lib and /usr/lib).
func directories(path string) []string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil
	}
	dirs := []string{filepath.ToSlash(filepath.Dir(abs))}
	if link, err := filepath.EvalSymlinks(abs); err == nil {
		if dir := filepath.ToSlash(filepath.Dir(link)); dir != dirs[0] {
			dirs = append(dirs, dir)
		}
	}
	return dirs
}

// New reads an ELF file of size bytes from r; name stands for it in errors
// and is what Path returns. The caller keeps r open as long as the File is used.
func New(r io.ReaderAt, size int64, name string) (*File, error) {
	f, err := newHeaders(r, size, name)
	if err != nil {
		return nil, err
	}
	if err := f.LoadSymbols(); err != nil {
		return nil, err
	}
	return f, nil
}

// newHeaders is New without the symbols; those of a relocatable file are
// needed to read anything.
func newHeaders(r io.ReaderAt, size int64, name string) (*File, error) {
	f := &File{path: name, src: r, cache: map[int]func() ([]byte, error){}, fixups: map[uint32][]int{}}
	if size < 0 {
		return nil, f.bad("ELF header", 0, "size %d is negative", size)
	}
	f.size = uint64(size)
	if path.IsAbs(name) {
		f.dirs = []string{path.Dir(name)}
	}
	if err := f.readHeaders(); err != nil {
		return nil, err
	}
	if f.typ == elf.ET_REL {
		if err := f.LoadSymbols(); err != nil {
			return nil, err
		}
	}
	f.index = sync.OnceValue(f.newSymbolIndex)
	f.relocs = sync.OnceValue(f.readRelocations)
	f.dynamic = sync.OnceValue(f.readDynamic)
	f.plt = sync.OnceValue(f.readPLT)
	f.ranges = sync.OnceValues(f.readFDERanges)
	return f, nil
}

// Close closes the file that Open opened; after New it does nothing.
func (f *File) Close() error {
	if f.closer == nil {
		return nil
	}
	return f.closer.Close()
}

// Path is the file's name as given to Open or New.
func (f *File) Path() string { return f.path }

// Arch is the instruction set: AMD64 or ARM64.
func (f *File) Arch() Arch { return f.arch }

// Type is ET_EXEC, ET_DYN or ET_REL.
func (f *File) Type() elf.Type { return f.typ }

// EntryPoint is the virtual address where the program starts, 0 if nowhere.
func (f *File) EntryPoint() uint64 { return f.entry }

// read gives size bytes at the file offset; section names them in errors.
// Nothing is allocated for bytes the file does not have.
func (f *File) read(section string, offset, size uint64) ([]byte, error) {
	if offset > f.size || size > f.size-offset {
		return nil, f.bad(section, offset, "%#x bytes end past the end of the file (%#x bytes): the file is truncated or damaged", size, f.size)
	}
	if size > maxRead {
		return nil, f.bad(section, offset, "%#x bytes are more than surehook reads at once (%#x)", size, uint64(maxRead))
	}
	buf := make([]byte, size)
	n, err := f.src.ReadAt(buf, int64(offset))
	if uint64(n) == size {
		return buf, nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = fmt.Errorf("the file has shrunk: %w", io.ErrUnexpectedEOF)
	}
	return nil, &FormatError{f.path, section, offset, err}
}
