package image

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"

	"github.com/surehook/surehook/elfbin"
)

// Decompressor gives what a compressed stream holds; format is "gzip", "xz",
// "zstd" or "lz4". It may start a program, which this package may not.
type Decompressor func(format string, r io.Reader) (io.ReadCloser, error)

// ErrFormat says that a stream's format is not known, or needs a Decompressor.
var ErrFormat = errors.New("compression that is not read")

// formatOf tells a compressed stream by its first bytes, "" if it is none.
func formatOf(head []byte) string {
	for _, f := range []struct{ magic, name string }{
		{"\x1f\x8b", "gzip"}, {"\xfd7zXZ\x00", "xz"}, {"\x28\xb5\x2f\xfd", "zstd"}, {"\x02\x21\x4c\x18", "lz4"},
		{"BZh", "bzip2"}, {"\x5d\x00\x00", "lzma"}, {"\x89LZO", "lzo"},
	} {
		if bytes.HasPrefix(head, []byte(f.magic)) {
			return f.name
		}
	}
	return ""
}

// maxWindow bounds what a stream may have a decoder hold, in bytes; the
// kernel's own ask for 32 MiB (xz) and 128 MiB (zstd -22).
const maxWindow = 128 << 20

// decompress opens a compressed stream.
func (o *Options) decompress(format string, r io.Reader) (io.ReadCloser, error) {
	if o.Decompress != nil {
		return o.Decompress(format, r)
	}
	return Decompress(format, r)
}

// Decompress is the Decompressor that starts no program.
func Decompress(format string, r io.Reader) (io.ReadCloser, error) {
	switch format {
	case "gzip":
		return gzip.NewReader(r)
	case "zstd":
		d, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return nil, err
		}
		return d.IOReadCloser(), nil
	case "lz4":
		return io.NopCloser(&lz4Reader{r: r}), nil
	case "xz":
		return unxz(r)
	}
	return nil, fmt.Errorf("%w: %s", ErrFormat, format)
}

// maxXZ bounds an xz stream that is read without a program, in bytes: modules
// and kernels are smaller, debug packages larger and would take minutes.
const maxXZ = 64 << 20

// unxz unpacks a stream whole. What it may hold is bounded by its size: xz packs
// code to a quarter.
func unxz(r io.Reader) (io.ReadCloser, error) {
	packed, err := readLimited(r, maxXZ)
	if err != nil {
		return nil, fmt.Errorf("%w; only the program xz reads it (xz-utils)", err)
	}
	const least, most = 1 << 20, 64
	out, err := elfbin.Unxz(packed, min(maxImage, least+most*len(packed)))
	if err != nil {
		return nil, fmt.Errorf("%w; the program xz may read it (xz-utils)", err)
	}
	return io.NopCloser(bytes.NewReader(out)), nil
}

// lz4Reader reads the legacy frame that the kernel's build makes (lz4 -l): a
// magic number, then blocks with their size in front, each of which stands alone.
type lz4Reader struct {
	r     io.Reader
	begun bool
	out   []byte
}

// maxBlock is the size of a legacy frame's blocks when unpacked (LZ4 Frame
// Format, "Legacy frame"); packed ones are hardly larger.
const maxBlock = 8 << 20

var errLZ4 = errors.New("not a sound lz4 stream")

func (z *lz4Reader) Read(p []byte) (int, error) {
	for len(z.out) == 0 {
		if err := z.next(); err != nil {
			return 0, err
		}
	}
	n := copy(p, z.out)
	z.out = z.out[n:]
	return n, nil
}

func (z *lz4Reader) next() error {
	var head [4]byte
	if !z.begun {
		if _, err := io.ReadFull(z.r, head[:]); err != nil {
			return err
		}
		z.begun = true
	}
	if _, err := io.ReadFull(z.r, head[:]); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = io.EOF
		}
		return err
	}
	n := binary.LittleEndian.Uint32(head[:])
	if n == 0 || n > maxBlock+maxBlock/255+16 {
		return io.EOF // the size of the whole behind the last block
	}
	packed := make([]byte, n)
	if m, err := io.ReadFull(z.r, packed); err != nil {
		if m < 4 {
			return io.EOF
		}
		return fmt.Errorf("%w: a block is cut short", errLZ4)
	}
	var err error
	z.out, err = unlz4(packed)
	return err
}

// unlz4 unpacks one block (LZ4 Block Format).
func unlz4(b []byte) ([]byte, error) {
	out := make([]byte, 0, min(maxBlock, 4*len(b)))
	length := func(n int) int {
		for n >= 15 && len(b) > 0 {
			c := b[0]
			b = b[1:]
			n += int(c)
			if c != 255 || n > maxBlock {
				break
			}
		}
		return n
	}
	for len(b) > 0 {
		token := b[0]
		b = b[1:]
		n := length(int(token >> 4))
		if n > len(b) || len(out)+n > maxBlock {
			return nil, fmt.Errorf("%w: literals past the end", errLZ4)
		}
		out = append(out, b[:n]...)
		b = b[n:]
		if len(b) == 0 {
			return out, nil
		}
		if len(b) < 2 {
			return nil, fmt.Errorf("%w: it is cut short", errLZ4)
		}
		back := int(binary.LittleEndian.Uint16(b))
		b = b[2:]
		n = length(int(token&15)) + 4
		if back == 0 || back > len(out) || len(out)+n > maxBlock {
			return nil, fmt.Errorf("%w: a match outside the block", errLZ4)
		}
		for range n {
			out = append(out, out[len(out)-back])
		}
	}
	return out, nil
}
