package elfbin

import (
	"bytes"
	"debug/elf"
	"encoding/binary"
	"slices"
	"strings"
)

// dynamic is what is wanted of the dynamic section.
type dynamic struct {
	needed   []string
	soname   string
	symbolic bool // the file's own definitions come first
}

// Needed gives the sonames of the libraries that the file is linked with
// (DT_NEEDED), in order.
func (f *File) Needed() []string { return slices.Clone(f.dynamic().needed) }

// SoName is the library's own name (DT_SONAME), empty without one.
func (f *File) SoName() string { return f.dynamic().soname }

// Interp is the path of the dynamic linker (PT_INTERP), empty without one.
func (f *File) Interp() string {
	for _, s := range f.segments {
		if s.typ != elf.PT_INTERP {
			continue
		}
		b, err := f.read("PT_INTERP", s.offset, min(s.stored(f.size), maxInterp))
		if err != nil {
			return ""
		}
		path, _, _ := strings.Cut(string(b), "\x00")
		return path
	}
	return ""
}

func (f *File) readDynamic() dynamic {
	var d dynamic
	b := f.dynamicBytes()
	table := uint64(0)
	var needed, soname []uint64
	for ; len(b) >= dynSize; b = b[dynSize:] {
		tag, value := elf.DynTag(binary.LittleEndian.Uint64(b)), binary.LittleEndian.Uint64(b[8:])
		if tag == elf.DT_NULL {
			break
		}
		switch tag {
		case elf.DT_STRTAB:
			table = value
		case elf.DT_NEEDED:
			if len(needed) < maxNeeded {
				needed = append(needed, value)
			}
		case elf.DT_SYMBOLIC:
			d.symbolic = true
		case elf.DT_FLAGS:
			d.symbolic = d.symbolic || elf.DynFlag(value)&elf.DF_SYMBOLIC != 0
		case elf.DT_SONAME:
			soname = append(soname[:0], value)
		}
	}
	for _, off := range needed {
		if s := f.dynamicString(table + off); s != "" {
			d.needed = append(d.needed, s)
		}
	}
	for _, off := range soname {
		d.soname = f.dynamicString(table + off)
	}
	return d
}

// dynamicBytes is the dynamic section by its segment, as the loader finds
// it, or by its section header.
func (f *File) dynamicBytes() []byte {
	for _, s := range f.segments {
		if n := s.stored(f.size); s.typ == elf.PT_DYNAMIC && n > 0 {
			if b, err := f.read("PT_DYNAMIC", s.offset, n); err == nil {
				return b
			}
		}
	}
	for i, s := range f.sections {
		if s.Type == elf.SHT_DYNAMIC {
			b, _ := f.sectionData(i)
			return b
		}
	}
	return nil
}

// dynamicString is the string at a virtual address.
func (f *File) dynamicString(addr uint64) string {
	s, _, ok := bytes.Cut(f.Bytes(addr, maxInterp), []byte{0})
	if !ok {
		return ""
	}
	return string(s)
}
