package dwarfinfo

// Links lead to the files in which a file keeps parts of its debug
// information. What is missing becomes Gaps. The zero value has none.
type Links struct {
	Alt     Source // the alternate file of dwz, or DWARF 5 supplementary file; nil if not to be had
	AltPath string // for Unit.File

	// Package gives the .dwp file and its path, nil if there is none. It is
	// called at most once, and only for a file with skeleton units.
	Package func() (src Source, path string)
	// Split looks for the .dwo file of a skeleton unit, unless the package
	// has it: it offers take one file after the other until that returns nil.
	// The error says where it looked.
	Split func(unit SplitUnit, take func(src Source, path string) error) error

	// WithoutCalls leaves Data.Calls empty: call sites are stepped over.
	WithoutCalls bool
}

// SplitUnit is what a skeleton unit says of where its contents are.
type SplitUnit struct {
	Dir  string // DW_AT_comp_dir, that Name counts from
	Name string // DW_AT_dwo_name
	ID   uint64 // dwo_id
}

// Alone tells whether all of d was in the one file: nothing was in another,
// and none is missing that could turn up. Else what was computed of the file
// may change without it.
func (d *Data) Alone() bool {
	for _, g := range d.Gaps {
		if g.Kind == GapAltFile || g.Kind == GapSplit {
			return false
		}
	}
	for i := range d.Units {
		if d.Units[i].File != "" {
			return false
		}
	}
	return true
}

// link reads the files that the first one refers to.
func (l *loader) link(main *sections, links Links) {
	if links.Alt != nil {
		l.alternate(main, links)
	}
	l.open(l.units)
	s := splitter{loader: l, links: links, main: main, byName: map[SplitUnit][]*dwoFile{},
		byPath: map[string]*dwoFile{}, took: map[uint64]int{}}
	s.findAll()
}

func (l *loader) alternate(main *sections, links Links) {
	alt, err := readSections(whole{links.Alt}, "")
	if err != nil {
		l.lost = append(l.lost, Gap{Kind: GapAltFile, Unit: -1, File: links.AltPath, Detail: err.Error()})
		return
	}
	alt.path = links.AltPath
	main.alt = alt
	l.file(alt)
}
