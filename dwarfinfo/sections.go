package dwarfinfo

import (
	"fmt"
	"sync"
)

// sections are the bytes that Load and Lines read. The slices belong to the
// Source, and names in Data point into them.
type sections struct {
	info, abbrev, str, lineStr, strOffsets []byte
	addr, ranges, rnglists, line           []byte
	types                                  []byte // before DWARF 5

	part *infoReader // instead of info, which is nil then

	base uint64    // place of offset 0 in .debug_info, see place
	path string    // of the file; empty for the one that Load was asked for
	alt  *sections // of the alternate file, if it has one and it was found
	tabs *tables

	split  bool      // of a .dwo or .dwp file
	within *sections // the package's, of which these are a row's parts
	shift  uint64    // where in the package's .debug_info the row's part begins

	lines []lineOnce // by unit, in the first file's
}

// placeBits is how many low bits of a place are the offset; package elfbin
// gives sections of at most 8 GiB.
const placeBits = 40

// place numbers the entries of all files: the number of the file above, the
// offset in its .debug_info below. Offsets of two files may be equal.
func (s *sections) place(off uint64) uint64 {
	return s.base + min(off, 1<<placeBits-1)
}

// lineOnce caches one unit's line table. Behind a pointer-free slice element,
// so that asking for one unit never waits for another.
type lineOnce struct {
	once  sync.Once
	table *LineTable
	err   error
}

// readSections reads the sections; suffix is ".dwo" in a split file.
func readSections(src Source, suffix string) (*sections, error) {
	s := &sections{}
	if p, ok := src.(partSource); ok && suffix == "" {
		if r, ok := p.SectionReader(".debug_info"); ok {
			s.part = &infoReader{r: r}
		}
	}
	for _, want := range []struct {
		name string
		to   *[]byte
	}{
		{".debug_info", &s.info},
		{".debug_abbrev", &s.abbrev},
		{".debug_str", &s.str},
		{".debug_line_str", &s.lineStr},
		{".debug_str_offsets", &s.strOffsets},
		{".debug_addr", &s.addr},
		{".debug_ranges", &s.ranges},
		{".debug_rnglists", &s.rnglists},
		{".debug_line", &s.line},
		{".debug_types", &s.types},
	} {
		if want.to == &s.info && s.part != nil {
			continue
		}
		data, err := src.Section(want.name + suffix)
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", want.name+suffix, err)
		}
		*want.to = data
	}
	return s, nil
}

// readLineSections reads what line tables are made of.
func readLineSections(src Source) (*sections, error) {
	s := &sections{}
	for name, to := range map[string]*[]byte{
		".debug_str": &s.str, ".debug_line_str": &s.lineStr, ".debug_str_offsets": &s.strOffsets, ".debug_line": &s.line,
	} {
		data, err := src.Section(name)
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", name, err)
		}
		*to = data
	}
	return s, nil
}
