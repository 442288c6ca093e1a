package image

import (
	"context"
	"fmt"
	"io"

	"github.com/surehook/surehook/kernel"
)

// Input is one file of a kernel.
type Input struct {
	Name string // path, for errors and Identity.Source
	File io.ReaderAt
	Size int64 // in bytes
}

// Options of Read. The zero value reads everything.
type Options struct {
	// Only restricts what takes long, inlined copies and their verdicts, to
	// these source names; empty: all functions.
	Only []string
	// Name is the snapshot's name; empty: by the release, or the path.
	Name string
	// Modules reads the modules that packages hold; those given as files are
	// read anyway.
	Modules bool
	// Decompress unpacks what is compressed; nil: the function Decompress,
	// which reads xz at 4 MB/s, without filters, and no large streams.
	Decompress Decompressor
	// Scratch opens a place for the large files of packages; nil: memory.
	Scratch func() (Scratch, error)
}

// FormatError says where a file breaks its format.
type FormatError struct {
	Path    string // of the input
	Section string // "BTF", "ftrace events"
	Offset  uint64 // file offset, or a virtual address where Section is in the kernel's memory
	Err     error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: %s at %#x: %v", e.Path, e.Section, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// Read reads the files of one kernel: a vmlinux and its configuration. What
// the files do not tell is Missing in the snapshot, with the reason.
//
// Errors: *FormatError and *elfbin.FormatError for a file that is damaged,
// *InputError for one that is not known or has no place beside the others.
func Read(ctx context.Context, opts Options, inputs ...Input) (*kernel.Snapshot, error) {
	files, err := sortInputs(&opts, inputs)
	if err != nil {
		return nil, err
	}
	defer files.close()
	b, err := newBuilder(ctx, opts, files)
	if err != nil {
		return nil, err
	}
	return b.build()
}
