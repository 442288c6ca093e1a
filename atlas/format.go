package atlas

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"math"

	"github.com/klauspost/compress/zstd"
)

// The file: magic, sections one after another (each a zstd frame), the
// directory, and a footer that says where that is.
const (
	magic      = "surehook atlas 2"
	footerSize = 8 + 8 + 4 + len(magic) // offset and size of the directory, its CRC-32C, magic
)

// Limits on what a file may make a reader allocate. The atlas of eleven Debian
// kernels has 1,500 sections, the largest of 1 MiB unpacked.
const (
	maxSections = 1 << 18
	maxKernels  = 1 << 12
	maxSection  = 64 << 20 // bytes, unpacked
	maxStrings  = 1 << 26  // strings or records of a pool, functions or symbols of a kernel
)

// sectionKind says what a section holds.
type sectionKind uint8

// The kinds. The numbers are the format: add, do not change.
const (
	sectStrings  sectionKind = iota + 1 // a group of the pool of strings
	sectHeads                           // the first string of each group
	sectProtos                          // a group of the pool of signatures
	sectDecls                           // a group of the pool of declarations of functions
	sectDefs                            // a group of the pool of definitions
	sectDefNames                        // the name of each definition
	sectSizes                           // how many there are in each pool of records
	sectEvents                          // a group of the pool of trace events
	sectPoints                          // a group of the pool of raw tracepoints
	sectHooks                           // a group of the pool of LSM hooks

	sectMeta      // of a kernel: identity, missing topics, counts
	sectModules   // names of modules
	sectFuncNames // of each function its name
	sectFuncFacts // flags
	sectFuncDecls // its declaration
	sectReasons   // why a plan is not complete
	sectSymAddrs  // of each symbol its address and size
	sectSymFuncs  // its function
	sectSymFacts  // suffix, kind, flags
	sectSymArgs   // what became of its parameters
	sectCopyAddrs // of each inlined copy its address
	sectCopyFuncs // its function
	sectCopyConds // its condition, where it has one
	sectCallNodes // what calls and is called besides the symbols
	sectCallEdges // the calls
	sectDefIDs    // lists of numbers in the pools
	sectEventIDs
	sectPointIDs
	sectHookIDs
	sectKfuncs   // names
	sectConfig   // options, and their values
	sectCallSure // of each call a bit: it is made each time; not in older files
	sectCallGood // of each call a bit: it is made unless the caller fails; not in older files
)

// shared is the kernel of sections that belong to all.
const shared = -1

// section is one entry of the directory.
type section struct {
	kind   sectionKind
	kernel int // shared, or the place of the kernel in the file
	group  int // of a pool
	offset uint64
	size   uint64 // in the file
	raw    uint64 // unpacked
}

// FormatError says where an atlas file is damaged.
type FormatError struct {
	Path   string
	Offset uint64 // in the file
	Err    error
}

func (e *FormatError) Error() string {
	return fmt.Sprintf("atlas %s: at offset %#x: %v; make it anew with surehook kernel snapshot", e.Path, e.Offset, e.Err)
}

// Unwrap returns the cause.
func (e *FormatError) Unwrap() error { return e.Err }

// IsAtlas tells whether the file has the marks of an atlas.
func (e *FormatError) IsAtlas() bool { return !errors.Is(e.Err, errNoAtlas) }

var (
	errNoAtlas   = errors.New("not an atlas file of this version")
	errDirectory = errors.New("the directory is damaged")
	errSection   = errors.New("a section is damaged")
)

func castagnoli(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

// encodeDirectory writes the directory and the footer; at is where it begins.
func encodeDirectory(list []section, at uint64) []byte {
	b := binary.AppendUvarint(nil, uint64(len(list)))
	for _, s := range list {
		b = append(b, byte(s.kind))
		for _, v := range []uint64{uint64(s.kernel + 1), uint64(s.group), s.offset, s.size, s.raw} {
			b = binary.AppendUvarint(b, v)
		}
	}
	n := uint64(len(b))
	sum := castagnoli(b)
	b = binary.LittleEndian.AppendUint64(b, at)
	b = binary.LittleEndian.AppendUint64(b, n)
	b = binary.LittleEndian.AppendUint32(b, sum)
	return append(b, magic...)
}

// readDirectory reads what encodeDirectory wrote from the end of a file.
func readDirectory(r io.ReaderAt, size int64) ([]section, error) {
	if size < int64(len(magic)+footerSize) {
		return nil, errNoAtlas
	}
	foot := make([]byte, footerSize)
	if _, err := r.ReadAt(foot, size-int64(footerSize)); err != nil {
		return nil, err
	}
	if string(foot[footerSize-len(magic):]) != magic {
		return nil, errNoAtlas
	}
	at, n := binary.LittleEndian.Uint64(foot), binary.LittleEndian.Uint64(foot[8:])
	end := uint64(size) - uint64(footerSize)
	if n > end || at != end-n {
		return nil, errDirectory
	}
	b := make([]byte, n)
	if _, err := r.ReadAt(b, int64(at)); err != nil {
		return nil, err
	}
	if castagnoli(b) != binary.LittleEndian.Uint32(foot[16:]) {
		return nil, errDirectory
	}
	return decodeDirectory(b, at)
}

func decodeDirectory(b []byte, end uint64) ([]section, error) {
	c := &cursor{data: b}
	n := c.next()
	if n > maxSections || n > uint64(len(b)) {
		return nil, errDirectory
	}
	list := make([]section, 0, n)
	for range n {
		s := section{kind: sectionKind(c.byte())}
		s.kernel, s.group = c.int(maxKernels)-1, c.int(math.MaxInt32)
		s.offset, s.size, s.raw = c.next(), c.next(), c.next()
		if s.offset > end || s.size > end-s.offset || s.raw > maxSection {
			return nil, errDirectory
		}
		list = append(list, s)
	}
	if !c.done() {
		return nil, errDirectory
	}
	return list, nil
}

// unpack reads a section.
func (s section) unpack(r io.ReaderAt, d *zstd.Decoder) ([]byte, error) {
	if s.raw == 0 && s.size == 0 {
		return nil, nil // nothing is packed as nothing
	}
	b := make([]byte, s.size)
	if _, err := r.ReadAt(b, int64(s.offset)); err != nil {
		return nil, err
	}
	var h zstd.Header
	if err := h.Decode(b); err != nil || !h.HasFCS || h.FrameContentSize != s.raw {
		return nil, errSection
	}
	out, err := d.DecodeAll(b, make([]byte, 0, s.raw))
	if err != nil || uint64(len(out)) != s.raw {
		return nil, errSection
	}
	return out, nil
}
