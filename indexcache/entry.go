package indexcache

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"sync"
)

// ErrDamaged says that a stored file is not what was written.
var ErrDamaged = errors.New("file is damaged")

// The format of a file: a header, blocks of data, a checksum for each block,
// a trailer. Numbers are little-endian, checksums CRC-32C.
const (
	magic      = "SHINDEX1"
	headerSize = 16 // magic, bytes of identity, their checksum; the identity follows
	block      = 16 << 10
	trailer    = 8 + 4 + 8 // bytes of data, checksum of this and the checksums, magic

	// maxIdentity bounds key and version.
	maxIdentity = 4096
	// cached is how many blocks stay in memory: 16 MiB.
	cached = 1024
)

func sum(b []byte) uint32 { return crc32.Checksum(b, crc32.MakeTable(crc32.Castagnoli)) }

func identity(key, version string) string { return key + "\x00" + version }

// writer writes a file.
type writer struct {
	f    io.Writer
	buf  []byte // of the block being filled
	sums []byte
	size uint64
	err  error
}

func newWriter(f io.Writer, key, version string) *writer {
	w := &writer{f: f, buf: make([]byte, 0, block)}
	id := identity(key, version)
	head := binary.LittleEndian.AppendUint32([]byte(magic), uint32(len(id)))
	head = binary.LittleEndian.AppendUint32(head, sum([]byte(id)))
	w.write(append(head, id...))
	return w
}

func (w *writer) write(b []byte) {
	if w.err == nil {
		_, w.err = w.f.Write(b)
	}
}

// Write adds data.
func (w *writer) Write(b []byte) (int, error) {
	n := len(b)
	for len(b) > 0 && w.err == nil {
		room := min(len(b), block-len(w.buf))
		w.buf, b = append(w.buf, b[:room]...), b[room:]
		if len(w.buf) == block {
			w.flush()
		}
	}
	return n, w.err
}

func (w *writer) flush() {
	w.sums = binary.LittleEndian.AppendUint32(w.sums, sum(w.buf))
	w.size += uint64(len(w.buf))
	w.write(w.buf)
	w.buf = w.buf[:0]
}

func (w *writer) close() error {
	if len(w.buf) > 0 {
		w.flush()
	}
	end := binary.LittleEndian.AppendUint64(w.sums, w.size)
	end = binary.LittleEndian.AppendUint32(end, sum(end))
	w.write(append(end, magic...))
	return w.err
}

// entry is a stored file, open for reading.
type entry struct {
	f     *os.File
	start int64 // of the data
	size  int64 // of the data
	sums  []byte

	mu     sync.Mutex
	blocks map[int64][]byte // verified
}

// openEntry opens a file and reads all but its data.
func openEntry(path, key, version string) (*entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	e := &entry{f: f, blocks: map[int64][]byte{}}
	if err := e.open(key, version); err != nil {
		f.Close()
		return nil, err
	}
	return e, nil
}

func (e *entry) open(key, version string) error {
	info, err := e.f.Stat()
	if err != nil {
		return err
	}
	if !info.Mode().IsRegular() {
		return fmt.Errorf("%w: not a regular file", ErrDamaged)
	}
	id := identity(key, version)
	e.start = headerSize + int64(len(id))
	b := make([]byte, e.start)
	if len(id) > maxIdentity || info.Size() < e.start+trailer {
		return fmt.Errorf("%w: too short", ErrDamaged)
	}
	if _, err := e.f.ReadAt(b, 0); err != nil {
		return err
	}
	if string(b[:len(magic)]) != magic || string(b[headerSize:]) != id || binary.LittleEndian.Uint32(b[len(magic):]) != uint32(len(id)) {
		return errors.New("it is of another version or file")
	}
	end := make([]byte, trailer)
	if _, err := e.f.ReadAt(end, info.Size()-trailer); err != nil {
		return err
	}
	size := binary.LittleEndian.Uint64(end)
	rest := uint64(info.Size() - e.start - trailer)
	count := (size + block - 1) / block
	if string(end[12:]) != magic || size > rest || size+4*count != rest {
		return fmt.Errorf("%w: sizes do not agree", ErrDamaged)
	}
	e.size = int64(size)
	sums := make([]byte, 4*count+8)
	if _, err := e.f.ReadAt(sums, e.start+e.size); err != nil {
		return err
	}
	if sum(sums) != binary.LittleEndian.Uint32(end[8:]) {
		return fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	e.sums = sums[:4*count]
	return nil
}

// Close closes the file.
func (e *entry) Close() error { return e.f.Close() }

// ReadAt reads data, all that is asked for or with an error.
func (e *entry) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off > e.size || int64(len(b)) > e.size-off {
		return 0, io.ErrUnexpectedEOF
	}
	n := 0
	for n < len(b) {
		at := off + int64(n)
		data, err := e.block(at / block)
		if err != nil {
			return n, err
		}
		n += copy(b[n:], data[at%block:])
	}
	return n, nil
}

// block gives a block that has its checksum.
func (e *entry) block(i int64) ([]byte, error) {
	e.mu.Lock()
	data := e.blocks[i]
	e.mu.Unlock()
	if data != nil {
		return data, nil
	}
	data = make([]byte, min(block, e.size-i*block))
	if _, err := e.f.ReadAt(data, e.start+i*block); err != nil {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("%w: it has shrunk", ErrDamaged)
		}
		return nil, err
	}
	if sum(data) != binary.LittleEndian.Uint32(e.sums[4*i:]) {
		return nil, fmt.Errorf("%w: wrong checksum", ErrDamaged)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.blocks) >= cached {
		for old := range e.blocks { // any: most are read once
			delete(e.blocks, old)
			break
		}
	}
	e.blocks[i] = data
	return data, nil
}
