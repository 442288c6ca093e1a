package elfbin

import (
	"debug/elf"
	"encoding/hex"
)

// noteBuildID is NT_GNU_BUILD_ID.
const noteBuildID = 3

// maxBuildID bounds a build id in bytes; SHA-1 has 20, and linkers take any
// length from the command line. NAME_MAX bounds the name of a debug file.
const maxBuildID = 120

// BuildID is the build id in lower-case hex, empty if the file has none.
func (f *File) BuildID() string {
	// Sections first: the segments of a separate debug file may lie elsewhere.
	for _, s := range f.sections {
		if s.Type == elf.SHT_NOTE {
			if id := f.noteID(s.Name, s.Offset, s.Size, 4); id != "" {
				return id
			}
		}
	}
	for _, s := range f.segments {
		if s.typ == elf.PT_NOTE {
			if id := f.noteID("PT_NOTE", s.offset, s.stored(f.size), s.align); id != "" {
				return id
			}
		}
	}
	return ""
}

// noteID looks for the build id among the notes at a file offset.
func (f *File) noteID(where string, offset, size, align uint64) string {
	b, err := f.read(where, offset, size)
	if err != nil {
		return ""
	}
	if align != 8 {
		align = 4
	}
	for c := (&cursor{data: b}); !c.done(); {
		namesz, descsz, typ := uint64(c.u32()), uint64(c.u32()), c.u32()
		name := c.bytes(namesz)
		c.align(align)
		desc := c.bytes(descsz)
		if c.short {
			return ""
		}
		if typ == noteBuildID && string(name) == "GNU\x00" && descsz > 0 && descsz <= maxBuildID {
			return hex.EncodeToString(desc)
		}
		c.align(align)
	}
	return ""
}

// align skips the padding up to a multiple of n.
func (c *cursor) align(n uint64) {
	at := (uint64(c.at) + n - 1) / n * n
	c.at = int(min(at, uint64(len(c.data))))
}
