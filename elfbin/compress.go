package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/klauspost/compress/zlib"
	"github.com/klauspost/compress/zstd"
)

// ELFCOMPRESS_ZSTD of the gABI's compression header.
const compressZstd = elf.CompressionType(2)

// chdrSize is the size of an Elf64_Chdr.
const chdrSize = 24

// decompress gives a section's contents from its bytes in the file.
func (f *File) decompress(s SectionHeader, b []byte) ([]byte, error) {
	typ, size := elf.CompressionType(0), uint64(0)
	switch {
	case s.Flags&elf.SHF_ALLOC != 0:
		return b, nil // the gABI forbids to compress what is loaded
	case s.Flags&elf.SHF_COMPRESSED != 0:
		if len(b) < chdrSize {
			return nil, f.bad(s.Name, s.Offset, "compression header is cut short")
		}
		typ, size = elf.CompressionType(binary.LittleEndian.Uint32(b)), binary.LittleEndian.Uint64(b[8:])
		b = b[chdrSize:]
	case strings.HasPrefix(s.Name, ".zdebug_"):
		if len(b) < 12 || string(b[:4]) != "ZLIB" {
			return b, nil // binutils read it as stored, too
		}
		typ, size = elf.COMPRESS_ZLIB, binary.BigEndian.Uint64(b[4:])
		b = b[12:]
	default:
		return b, nil
	}
	if size > maxDecompressed || size > freeDecompressed && size/maxRatio > uint64(len(b)) {
		return nil, f.bad(s.Name, s.Offset, "%d bytes claim to decompress to %d, beyond the limits (%d times, %d bytes)",
			len(b), size, maxRatio, uint64(maxDecompressed))
	}
	var out []byte
	var err error
	switch typ {
	case elf.COMPRESS_ZLIB:
		out, err = inflate(b, size)
	case compressZstd:
		out, err = unzstd(b, size)
	default:
		err = fmt.Errorf("unknown compression %v", typ)
	}
	if err != nil {
		return nil, f.bad(s.Name, s.Offset, "decompressing: %w", err)
	}
	return out, nil
}

var errSize = errors.New("the contents do not have the size that the header says")

func inflate(b []byte, size uint64) ([]byte, error) {
	r, err := zlib.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return readExactly(r, size)
}

func unzstd(b []byte, size uint64) ([]byte, error) {
	// Decoding into a buffer of the final size needs no window, which the
	// frame would choose; one goroutine, as sections are read in parallel.
	r, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	out, err := r.DecodeAll(b, make([]byte, 0, size))
	if err == nil && uint64(len(out)) != size {
		err = errSize
	}
	return out, err
}

// readExactly reads size bytes and the end, which checks the checksum.
func readExactly(r io.Reader, size uint64) ([]byte, error) {
	out := make([]byte, size)
	if _, err := io.ReadFull(r, out); err != nil {
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("%w: %w", errSize, io.ErrUnexpectedEOF)
		}
		return nil, err
	}
	var more [1]byte
	n, err := io.ReadFull(r, more[:])
	if n > 0 {
		return nil, errSize
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return out, nil
}
