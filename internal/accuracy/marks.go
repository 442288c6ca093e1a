package accuracy

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
)

var errMarks = errors.New("malformed marker section")

// readMarks reads the addresses of the markers.
func readMarks(path string, b *image) (map[uint64]function, error) {
	f, err := elf.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	sec := f.Section(markSection)
	if sec == nil {
		return nil, fmt.Errorf("%s: %w: no %s", path, errMarks, markSection)
	}
	data, err := sec.Data()
	if err != nil {
		return nil, err
	}
	if f.Type == elf.ET_EXEC { // gcc's, linked without PIE
		return pairMarks(data, b.atBody)
	}
	marks, err := namedMarks(data, sec.Addr)
	for addr, fn := range marks {
		if b.functions[fn] == nil { // libc's, from a header
			delete(marks, addr)
		}
	}
	return marks, err
}

// pairMarks reads gcc's records. Functions of other files than the program's
// own are left out.
func pairMarks(data []byte, atBody map[uint64]function) (map[uint64]function, error) {
	const record = 16
	if len(data)%record != 0 {
		return nil, errMarks
	}
	marks := map[uint64]function{}
	for ; len(data) > 0; data = data[record:] {
		if f, ok := atBody[binary.LittleEndian.Uint64(data[8:])]; ok {
			marks[binary.LittleEndian.Uint64(data)] = f
		}
	}
	return marks, nil
}

// namedMarks reads clang's records; addr is the section's address.
func namedMarks(data []byte, addr uint64) (map[uint64]function, error) {
	marks := map[uint64]function{}
	for len(data) > 0 {
		end := bytes.IndexByte(data[min(4, len(data)):], 0)
		if end < 0 {
			return nil, errMarks
		}
		at := addr + uint64(int64(int32(binary.LittleEndian.Uint32(data))))
		file, name, ok := bytes.Cut(data[4:4+end], []byte(":"))
		if !ok {
			return nil, errMarks
		}
		marks[at] = function{string(name), string(file)}
		addr += uint64(4 + end + 1)
		data = data[4+end+1:]
	}
	return marks, nil
}
