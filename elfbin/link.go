package elfbin

import "encoding/hex"

// DebugLink gives the file name and the CRC-32 (IEEE) of the separate debug
// file that .gnu_debuglink names.
func (f *File) DebugLink() (name string, crc uint32, ok bool) {
	b, err := f.Section(".gnu_debuglink")
	if err != nil || b == nil {
		return "", 0, false
	}
	c := &cursor{data: b}
	name = c.cstring()
	c.align(4)
	crc = c.u32()
	return name, crc, !c.short && name != ""
}

// AltLink gives the path and the build id (hex) of the alternate debug file
// that holds what dwz or a linker moved out of several files: .gnu_debugaltlink
// or .debug_sup (DWARF5 §7.3.6).
func (f *File) AltLink() (name, buildID string, ok bool) {
	if b, err := f.Section(".gnu_debugaltlink"); err == nil && b != nil {
		c := &cursor{data: b}
		name = c.cstring()
		id := b[c.at:]
		return name, hex.EncodeToString(id), !c.short && name != ""
	}
	// A supplementary file says so of itself and links to nothing.
	name, buildID, supplementary, ok := f.sup()
	return name, buildID, ok && !supplementary && name != ""
}

// altID is the id (hex) that files refer to this one by as their alternate
// file; empty if it is none.
func (f *File) altID() string {
	if _, id, supplementary, ok := f.sup(); ok && supplementary {
		return id
	}
	return f.BuildID()
}

// sup reads .debug_sup (DWARF5 §7.3.6): the checksum stands for a build id.
func (f *File) sup() (name, id string, supplementary, ok bool) {
	b, err := f.Section(".debug_sup")
	if err != nil || b == nil {
		return "", "", false, false
	}
	c := &cursor{data: b}
	version, is := c.u16(), c.u8()
	name = c.cstring()
	sum := c.bytes(c.uleb())
	return name, hex.EncodeToString(sum), is != 0, !c.short && version == 5
}
