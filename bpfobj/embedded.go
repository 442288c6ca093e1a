package bpfobj

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Limits of the search for objects inside of executables.
const (
	// maxSearched bounds how much of an executable is searched. Agents that
	// carry objects have up to 200 MB.
	maxSearched = 1 << 30
	// maxEmbedded bounds the objects of one executable; tetragon has some 60.
	maxEmbedded = 1024
	// chunk is what is searched at once.
	chunk = 1 << 20
)

// ReadExecutable finds the objects in the data of an executable of size bytes
// and reads them. A file without any gives no programs. What looks like an
// object and cannot be read as one is in Skipped.
func ReadExecutable(r io.ReaderAt, size int64, path string) (*File, error) {
	f := &File{Path: path, Kind: Executable}
	places, err := embedded(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	var list []*skeleton
	for _, at := range places {
		n, err := objectSize(r, at, size)
		if err == nil {
			var k *skeleton
			if k, err = f.add(io.NewSectionReader(r, at, n), n, fmt.Sprintf("%#x:", at)); k != nil {
				list = append(list, k)
			}
		}
		if err != nil {
			f.Skipped = append(f.Skipped, Skipped{What: "object", Where: fmt.Sprintf("%#x", at), Why: err.Error()})
		}
	}
	if size > maxSearched {
		f.Skipped = append(f.Skipped, Skipped{What: "rest of the file", Where: fmt.Sprintf("%#x", maxSearched), Why: "not searched for objects: the file is too large"})
	}
	return f, f.readLoader(r, size, list)
}

// Embedded gives the objects in the data of an executable of size bytes, in
// their order. What looks like one and is damaged is left out.
func Embedded(r io.ReaderAt, size int64) ([]*io.SectionReader, error) {
	places, err := embedded(r, size)
	var out []*io.SectionReader
	for _, at := range places {
		if n, err := objectSize(r, at, size); err == nil {
			out = append(out, io.NewSectionReader(r, at, n))
		}
	}
	return out, err
}

// embedded gives the offsets of what begins like an object, behind the file's
// own beginning.
func embedded(r io.ReaderAt, size int64) ([]int64, error) {
	var places []int64
	buf := make([]byte, chunk+headerSize)
	for at := int64(0); at < min(size, maxSearched); at += chunk {
		n, err := r.ReadAt(buf, at)
		if err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		for b, from := buf[:n], int64(0); ; {
			i := bytes.Index(b, []byte(elf.ELFMAG))
			if i < 0 || from+int64(i) >= chunk {
				break
			}
			from, b = from+int64(i), b[i:]
			if at+from > 0 && IsObject(b) {
				if places = append(places, at+from); len(places) > maxEmbedded {
					return nil, fmt.Errorf("more than %d objects", maxEmbedded)
				}
			}
			from, b = from+1, b[1:]
		}
	}
	return places, nil
}

// objectSize is where the last section of the object at an offset ends: the
// section headers are behind everything else.
func objectSize(r io.ReaderAt, at, size int64) (int64, error) {
	head := make([]byte, headerSize)
	if _, err := r.ReadAt(head, at); err != nil {
		return 0, err
	}
	le := binary.LittleEndian
	if elf.Data(head[elf.EI_DATA]) != elf.ELFDATA2LSB {
		return min(size-at, headerSize), nil // it says its byte order, which is all that is read
	}
	shoff, n := le.Uint64(head[40:]), uint64(le.Uint16(head[60:]))
	if shoff > uint64(size-at) || n*sectionSize > uint64(size-at)-shoff {
		return 0, fmt.Errorf("the section headers at %#x of the object are behind the end of the file", shoff)
	}
	end := shoff + n*sectionSize
	for i := range n {
		b := make([]byte, sectionSize)
		if _, err := r.ReadAt(b, at+int64(shoff+i*sectionSize)); err != nil {
			return 0, err
		}
		if elf.SectionType(le.Uint32(b[4:])) == elf.SHT_NOBITS {
			continue
		}
		from, length := le.Uint64(b[24:]), le.Uint64(b[32:])
		if from > uint64(size-at) || length > uint64(size-at)-from {
			return 0, fmt.Errorf("section %d of the object ends behind the end of the file", i)
		}
		end = max(end, from+length)
	}
	return int64(end), nil
}
