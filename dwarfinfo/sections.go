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

	lines []lineOnce // by unit
}

// lineOnce caches one unit's line table. Behind a pointer-free slice element,
// so that asking for one unit never waits for another.
type lineOnce struct {
	once  sync.Once
	table *LineTable
	err   error
}

func readSections(src Source) (*sections, error) {
	s := &sections{}
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
	} {
		data, err := src.Section(want.name)
		if err != nil {
			return nil, fmt.Errorf("section %s: %w", want.name, err)
		}
		*want.to = data
	}
	return s, nil
}
