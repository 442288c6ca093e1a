package flat

import (
	"encoding/binary"
	"io"
)

// Writer writes the parts of a file one after another.
type Writer struct {
	w   io.Writer
	pos uint64
	err error
}

// NewWriter writes to w.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write appends a part and gives where it is.
func (w *Writer) Write(b []byte) Part {
	at := Part{w.pos, uint64(len(b))}
	if w.err == nil {
		_, w.err = w.w.Write(b)
	}
	w.pos += uint64(len(b))
	return at
}

// Close writes where the parts are that a reader begins with, to the end of
// the file.
func (w *Writer) Close(parts ...Part) error {
	var b []byte
	for _, p := range parts {
		b = binary.LittleEndian.AppendUint64(b, p.Offset)
		b = binary.LittleEndian.AppendUint64(b, p.Size)
	}
	w.Write(b)
	return w.err
}

// Part is where something is in a file, in bytes.
type Part struct{ Offset, Size uint64 }

const partSize = 16

// Parts reads the n parts that Close was given, of a file of size bytes.
func Parts(r io.ReaderAt, size int64, n int) ([]Part, error) {
	if size < int64(n)*partSize {
		return nil, ErrFormat
	}
	b := make([]byte, n*partSize)
	if _, err := r.ReadAt(b, size-int64(len(b))); err != nil {
		return nil, err
	}
	parts := make([]Part, n)
	for i := range parts {
		p := Part{binary.LittleEndian.Uint64(b[i*partSize:]), binary.LittleEndian.Uint64(b[i*partSize+8:])}
		if p.Offset > uint64(size) || p.Size > uint64(size)-p.Offset {
			return nil, ErrFormat
		}
		parts[i] = p
	}
	return parts, nil
}

// Read gives the bytes of a part.
func (p Part) Read(r io.ReaderAt) ([]byte, error) {
	b := make([]byte, p.Size)
	if _, err := r.ReadAt(b, int64(p.Offset)); err != nil {
		return nil, err
	}
	return b, nil
}

// Reader gives a part as a file of its own.
func (p Part) Reader(r io.ReaderAt) *io.SectionReader {
	return io.NewSectionReader(r, int64(p.Offset), int64(p.Size))
}

// Table is a part made of rows of equal size.
type Table struct {
	r    io.ReaderAt
	part Part
	row  uint64
}

// Table gives a part as rows of the size in bytes.
func (p Part) Table(r io.ReaderAt, row uint64) (Table, error) {
	if p.Size%row != 0 {
		return Table{}, ErrFormat
	}
	return Table{r, p, row}, nil
}

// Len is the number of rows.
func (t Table) Len() int { return int(t.part.Size / t.row) }

// Row reads a row into b, which has its size.
func (t Table) Row(i int, b []byte) error {
	if i < 0 || i >= t.Len() {
		return ErrFormat
	}
	_, err := t.r.ReadAt(b[:t.row], int64(t.part.Offset+uint64(i)*t.row))
	return err
}

// Search gives the first row for which after is true, as sort.Search.
func (t Table) Search(after func(row []byte) bool) (int, error) {
	low, high := 0, t.Len()
	b := make([]byte, t.row)
	for low < high {
		mid := int(uint(low+high) >> 1)
		if err := t.Row(mid, b); err != nil {
			return 0, err
		}
		if after(b) {
			high = mid
		} else {
			low = mid + 1
		}
	}
	return low, nil
}
