package elfbin

import (
	"debug/elf"
	"io"
	"slices"
	"strings"
	"sync"
)

// Section gives the contents of the first section of a name, decompressed
// (SHF_COMPRESSED, or the older .zdebug_ sections under their .debug_ name).
// It is nil without an error when there is no such section or it has no bytes
// in this file (SHT_NOBITS). The caller must not change the bytes.
//
// Sections of split debug information (".debug_info.dwo") of one name follow
// each other: gcc gives each type unit of a .dwo file a section of its own.
func (f *File) Section(name string) ([]byte, error) {
	if f.typ == elf.ET_REL && strings.HasSuffix(name, ".dwo") {
		return f.sectionsOf(name)
	}
	i := f.sectionIndex(name)
	if i < 0 && strings.HasPrefix(name, ".debug_") {
		i = f.sectionIndex(".z" + name[1:])
	}
	if i < 0 || !f.sections[i].stored() {
		return nil, nil
	}
	return f.sectionData(i)
}

// sectionsOf gives the contents of all sections of a name.
func (f *File) sectionsOf(name string) ([]byte, error) {
	var all [][]byte
	for i := range f.sections {
		s := &f.sections[i]
		if s.Name != name && (!strings.HasPrefix(name, ".debug_") || s.Name != ".z"+name[1:]) || s.Type == elf.SHT_NULL || !s.stored() {
			continue
		}
		b, err := f.sectionData(i)
		if err != nil {
			return nil, err
		}
		all = append(all, b)
	}
	if len(all) == 1 {
		return all[0], nil
	}
	return slices.Concat(all...), nil
}

// SectionReader gives the contents of the first section of a name as they are
// in the file, for reading parts of them; false where Section would have to
// decompress or relocate them, or has none.
func (f *File) SectionReader(name string) (*io.SectionReader, bool) {
	i := f.sectionIndex(name)
	if i < 0 || !f.sections[i].stored() || f.typ == elf.ET_REL || f.sections[i].Flags&elf.SHF_COMPRESSED != 0 {
		return nil, false
	}
	s := &f.sections[i]
	if s.Offset > f.size || s.Size > f.size-s.Offset || s.Size > maxRead {
		return nil, false // Section says why
	}
	return io.NewSectionReader(f.src, int64(s.Offset), int64(s.Size)), true
}

// sectionIndex is the number of the first section of a name, -1 without one.
// A section with bytes goes before one without.
func (f *File) sectionIndex(name string) int {
	empty := -1
	for i := range f.sections {
		if s := &f.sections[i]; s.Name == name && s.Type != elf.SHT_NULL {
			if s.stored() {
				return i
			}
			if empty < 0 {
				empty = i
			}
		}
	}
	return empty
}

// sectionData gives the contents of section number i, read once.
func (f *File) sectionData(i int) ([]byte, error) {
	f.mu.Lock()
	load := f.cache[i]
	if load == nil {
		load = sync.OnceValues(func() ([]byte, error) { return f.loadSection(i) })
		f.cache[i] = load
	}
	f.mu.Unlock()
	return load()
}

func (f *File) loadSection(i int) ([]byte, error) {
	s := f.sections[i]
	b, err := f.read(s.Name, s.Offset, s.Size)
	if err != nil {
		return nil, err
	}
	if b, err = f.decompress(s, b); err != nil {
		return nil, err
	}
	if f.typ == elf.ET_REL {
		if err := f.relocate(i, b); err != nil {
			return nil, err
		}
	}
	return b, nil
}

// HasDWARF tells whether this file itself has debug information: a
// .debug_info that is not empty.
func (f *File) HasDWARF() bool { return f.hasBytes(".debug_info") || f.hasBytes(".zdebug_info") }

// HasMiniDebug tells whether the file has a .gnu_debugdata section: an
// xz-compressed symbol table without debug information.
func (f *File) HasMiniDebug() bool { return f.hasBytes(".gnu_debugdata") }

func (f *File) hasBytes(name string) bool {
	i := f.sectionIndex(name)
	return i >= 0 && f.sections[i].stored() && f.sections[i].Size > 0
}
