package elfbin

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
)

// Fingerprint tells versions of a file apart without reading it whole: by its
// size, its time of modification if Open knew it, its build id and all its
// headers. Who strips, compresses or patches a file changes one of them,
// unless he sets the time back.
func (f *File) Fingerprint() string {
	h := sha256.New()
	fmt.Fprintln(h, f.size, f.modified.UnixNano(), f.BuildID(), f.typ, f.arch, f.entry)
	for _, s := range f.segments {
		fmt.Fprintln(h, s.typ, s.flags, s.offset, s.addr, s.filesz, s.memsz)
	}
	for i := range f.sections {
		fmt.Fprintf(h, "%+v\n", f.sections[i])
	}
	return hex.EncodeToString(h.Sum(nil))
}
