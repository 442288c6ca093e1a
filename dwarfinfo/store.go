package dwarfinfo

import (
	"encoding/binary"
	"errors"

	"github.com/surehook/surehook/internal/flat"
)

// ErrNotStored says that debug information is not of the kind that is stored.
var ErrNotStored = errors.New("debug information with parts in other files is not stored")

// dirRow is the size of a row of the stored directory, one a unit: where its
// record is, and how many functions and copies it has.
const dirRow = 8 + 4 + 4 + 4

// Store writes units, functions and copies for Open to read, without calls
// and gaps. Debug information that depends on other files gives ErrNotStored.
func (d *Data) Store(w *flat.Writer) ([]flat.Part, error) {
	if !d.alone() {
		return nil, ErrNotStored
	}
	var dir []byte
	strings := &flat.Strings{}
	c := flat.Encoder(strings)
	fn, cp := 0, 0
	for i := range d.Units {
		u := storedUnit{unit: d.Units[i]}
		firstFunc, firstCopy := fn, cp
		for fn < len(d.Funcs) && d.Funcs[fn].Unit == int32(i) {
			fn++
		}
		for cp < len(d.Copies) && d.Copies[cp].Unit == int32(i) {
			cp++
		}
		u.funcs, u.copies = d.Funcs[firstFunc:fn], d.Copies[firstCopy:cp]
		u.code(c, int32(i), int32(firstFunc), int32(firstCopy), int32(len(d.Funcs)))
		if err := c.Err(); err != nil {
			return nil, err
		}
		part := w.Write(c.Record())
		dir = binary.LittleEndian.AppendUint64(dir, part.Offset)
		dir = binary.LittleEndian.AppendUint32(dir, uint32(part.Size))
		dir = binary.LittleEndian.AppendUint32(dir, uint32(len(u.funcs)))
		dir = binary.LittleEndian.AppendUint32(dir, uint32(len(u.copies)))
	}
	if fn != len(d.Funcs) || cp != len(d.Copies) {
		return nil, ErrNotStored
	}
	return []flat.Part{w.Write(dir), w.Write(strings.Bytes())}, nil
}

// alone tells that all was read from one file: what other files hold, or held
// not, may be different tomorrow.
func (d *Data) alone() bool {
	if d.secs.alt != nil {
		return false
	}
	for i := range d.Units {
		if d.Units[i].File != "" {
			return false
		}
	}
	for _, g := range d.Gaps {
		if g.Kind == GapAltFile || g.Kind == GapSplit {
			return false
		}
	}
	return true
}
