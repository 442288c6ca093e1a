package dwarfinfo

import (
	"errors"
	"fmt"
	"sort"
)

// maxSplit bounds the .dwo files and package rows that are read; the largest
// browsers have 40,000 units.
const maxSplit = 1 << 20

// maxAdopted is how many skeletons may name one unit. The dwo_id is made of
// the contents, so that in practice it is one.
const maxAdopted = 4

var (
	errAdopted   = errors.New("too many units have that dwo_id")
	errNoSplit   = errors.New("no .dwo files are looked for")
	errManySplit = errors.New("too many .dwo files")
	errOtherID   = errors.New("holds no unit with that dwo_id: it belongs to another build")
)

// splitter finds the contents of skeleton units (DWARF5 §3.1.2, §3.1.3; GNU
// DebugFission before).
type splitter struct {
	*loader
	links  Links
	main   *sections
	byName map[SplitUnit][]*dwoFile // by directory and name
	byPath map[string]*dwoFile
	found  []splitFound
	took   map[uint64]int // by place of the unit
}

// dwoFile is a .dwo file that was taken for a unit.
type dwoFile struct {
	secs  *sections
	units []unit // their own entries are read
}

// splitFound is a unit and the index of its skeleton.
type splitFound struct {
	unit     unit
	skeleton int
}

// findAll adds the contents of all skeleton units.
func (s *splitter) findAll() {
	var skeletons []int
	for i := range s.units {
		if u := &s.units[i]; u.dwoName != "" && u.gap == nil {
			skeletons = append(skeletons, i)
		}
	}
	if len(skeletons) == 0 {
		return
	}
	if skeletons = s.fromPackage(skeletons); s.links.Split != nil {
		for _, i := range skeletons {
			s.find(i)
		}
	} else {
		for _, i := range skeletons {
			s.miss(i, errNoSplit)
		}
	}
	s.add()
}

// miss notes a skeleton without its contents.
func (s *splitter) miss(skeleton int, err error) {
	u := &s.units[skeleton]
	u.gapSet.add(GapSplit, u.off, fmt.Sprintf("%s: %v", u.dwoName, err))
}

// find looks for the .dwo file of one skeleton unit.
func (s *splitter) find(skeleton int) {
	k := &s.units[skeleton]
	want := SplitUnit{Dir: k.meta.CompDir, Name: k.dwoName, ID: k.id}
	file := SplitUnit{Dir: want.Dir, Name: want.Name} // LTO: several units in one
	for _, d := range s.byName[file] {
		if u := d.find(want.ID); u != nil {
			s.take(*u, skeleton)
			return
		}
	}
	if len(s.files) >= maxSplit {
		s.miss(skeleton, errManySplit)
		return
	}
	taken := false
	err := s.links.Split(want, func(src Source, path string) error {
		d, err := s.dwo(src, path)
		if err != nil {
			return err
		}
		u := d.find(want.ID)
		if u == nil {
			return errOtherID
		}
		s.byName[file] = append(s.byName[file], d)
		s.take(*u, skeleton)
		taken = true
		return nil
	})
	if !taken {
		if err == nil {
			err = errNoSplit
		}
		s.miss(skeleton, err)
	}
}

// take makes a unit the contents of a skeleton.
func (s *splitter) take(u unit, skeleton int) {
	at := u.secs.place(u.off)
	if s.took[at]++; s.took[at] > maxAdopted {
		s.miss(skeleton, errAdopted)
		return
	}
	s.found = append(s.found, splitFound{u, skeleton})
}

// dwo reads the units' own entries of a .dwo file, once.
func (s *splitter) dwo(src Source, path string) (*dwoFile, error) {
	if d := s.byPath[path]; d != nil {
		return d, nil
	}
	secs, err := readSections(src, ".dwo")
	if err != nil {
		return nil, err
	}
	secs.share(s.main, path)
	d := &dwoFile{secs: secs}
	headers, lost := secs.readHeaders()
	if lost != nil && len(headers) == 0 {
		return nil, *lost
	}
	secs.tabs = newTables(secs.abbrev, headers)
	for _, h := range headers {
		d.units = append(d.units, unit{header: h, secs: secs, lines: s.main})
		d.units[len(d.units)-1].open()
	}
	s.number(secs)
	s.byPath[path] = d
	return d, nil
}

// share gives a split file what stays in the main one: addresses, and ranges
// before DWARF 5.
func (s *sections) share(main *sections, path string) {
	s.split, s.path = true, path
	s.addr, s.ranges = main.addr, main.ranges
}

func (d *dwoFile) find(id uint64) *unit {
	for i := range d.units {
		if d.units[i].id == id {
			return &d.units[i]
		}
	}
	return nil
}

// add appends the units that were found, by place.
func (s *splitter) add() {
	sort.SliceStable(s.found, func(i, j int) bool {
		return s.found[i].unit.secs.place(s.found[i].unit.off) < s.found[j].unit.secs.place(s.found[j].unit.off)
	})
	for i := range s.found {
		f := &s.found[i]
		f.unit.adopt(&s.units[f.skeleton])
		f.unit.index = int32(len(s.units) + i)
		f.unit.gapSet.unit = f.unit.index
		for n := range f.unit.gapSet.gaps {
			f.unit.gapSet.gaps[n].Unit = f.unit.index
		}
	}
	for i := range s.found {
		s.units = append(s.units, s.found[i].unit)
	}
}

// adopt gives a split unit what its skeleton has for it (DWARF5 §3.1.3). With
// -fsplit-dwarf-inlining the skeleton repeats a part of the contents.
func (u *unit) adopt(skeleton *unit) {
	u.addrBase, u.rangeBase, u.lowPC = skeleton.addrBase, skeleton.rangeBase, skeleton.lowPC
	m, k := &u.meta, &skeleton.meta
	m.HasLines, m.lineOffset, m.lineAlt, m.strBase = k.HasLines, k.lineOffset, k.lineAlt, k.strBase
	u.lines = skeleton.lines
	if m.CompDir == "" {
		m.CompDir = k.CompDir
	}
	if u.gapSet.gaps == nil {
		skeleton.body = 0
	}
}
