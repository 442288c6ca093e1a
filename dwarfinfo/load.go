package dwarfinfo

import (
	"runtime"
	"sync"
	"sync/atomic"
)

// Load reads the functions, inlined copies and calls of all units. Only a
// section that cannot be had is an error; what is damaged or not read inside
// them is in Data.Gaps. Without .debug_info there are no units.
func Load(src Source) (*Data, error) {
	secs, err := readSections(src)
	if err != nil {
		return nil, err
	}
	headers, lost := readHeaders(secs.info)
	units := make([]unit, len(headers))
	tabs := newTables(secs.abbrev, headers)
	parallel(len(units), func() func(int) {
		return func(i int) {
			units[i] = unit{header: headers[i], index: int32(i), secs: secs}
			units[i].open(tabs)
		}
	})
	files := newFileTables(units)
	parallel(len(units), func() func(int) {
		w := &walker{paths: newPaths()}
		return func(i int) { w.walk(&units[i], files) }
	})
	secs.lines = make([]lineOnce, len(units))
	d := &Data{src: src, secs: secs}
	join(d, units)
	for i := range units {
		d.Gaps = append(d.Gaps, units[i].gapSet.list()...)
	}
	if lost != nil {
		d.Gaps = append(d.Gaps, *lost)
	}
	return d, nil
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
