package dwarfinfo

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Load reads the functions, inlined copies and calls of all units. Only a
// section that cannot be had is an error; what is damaged or not read inside
// them is in Data.Gaps. Without .debug_info there are no units.
func Load(src Source) (*Data, error) { return LoadLinked(src, Links{}) }

// LoadLinked also reads the files that links lead to. Their sections are read
// before it returns. One that cannot be had, or that breaks the format, costs
// what is in it and is in Data.Gaps.
func LoadLinked(src Source, links Links) (*Data, error) {
	secs, err := readSections(src, "")
	if err != nil {
		return nil, err
	}
	l := &loader{noCalls: links.WithoutCalls}
	l.file(secs)
	l.link(secs, links)
	l.walk()
	secs.lines = make([]lineOnce, len(l.units))
	d := &Data{src: src, secs: secs}
	join(d, l)
	if err := secs.err(); err != nil {
		return nil, err
	}
	for i := range l.units {
		d.Gaps = append(d.Gaps, l.units[i].gapSet.list()...)
	}
	d.Gaps = append(d.Gaps, l.lost...)
	return d, nil
}

// loader gathers the units of all files, by place.
type loader struct {
	files []*sections
	units []unit
	lost  []Gap    // files and ends of files that cannot be read
	pkg   *pkgFile // nil without one

	noCalls bool // call sites are stepped over
}

// file adds the units of a file.
func (l *loader) file(s *sections) {
	l.number(s)
	headers, lost := s.readHeaders()
	s.tabs = newTables(s.abbrev, headers)
	for i := range headers {
		l.units = append(l.units, unit{header: headers[i], index: int32(len(l.units)), secs: s, lines: s})
	}
	if lost != nil {
		lost.File = s.path
		l.lost = append(l.lost, *lost)
	}
}

// number gives the entries of a file their places.
func (l *loader) number(s *sections) {
	s.base = uint64(len(l.files)) << placeBits
	l.files = append(l.files, s)
}

// open reads the units' own entries.
func (l *loader) open(units []unit) {
	parallel(len(units), func() func(int) { return func(i int) { units[i].open() } })
}

// walk reads the units' contents.
func (l *loader) walk() {
	files := newFileTables(l.units)
	parallel(len(l.units), func() func(int) {
		w := &walker{paths: newPaths(), noCalls: l.noCalls}
		return func(i int) { w.walk(&l.units[i], files) }
	})
}

// parallel calls a worker's function for 0..n-1, each once, in no order: what
// it writes must be its own index's.
func parallel(n int, worker func() func(int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			do := worker()
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				do(i)
			}
		}()
	}
	wg.Wait()
}
