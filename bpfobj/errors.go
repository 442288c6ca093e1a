package bpfobj

import (
	"errors"
	"fmt"
)

// Causes of a FormatError.
var (
	// ErrNotBPF says that the bytes are no ELF file for BPF.
	ErrNotBPF = errors.New("not a BPF object")
	// ErrByteOrder says that the object is for machines of the other byte order.
	ErrByteOrder = errors.New("a BPF object for big-endian machines; surehook knows kernels of little-endian ones only")
)

// FormatError says where an object breaks the format.
type FormatError struct {
	Path    string
	Section string // or the part of the file
	Offset  uint64 // in the object's bytes
	Err     error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("%s: %s at %#x: %v", e.Path, e.Section, e.Offset, e.Err)
}

func (e *FormatError) Unwrap() error { return e.Err }
