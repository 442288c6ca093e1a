package atlas

import (
	"github.com/surehook/surehook/internal/flat"
	"github.com/surehook/surehook/kernel"
)

// copies are a kernel's inlined copies by module and address.
type copies struct {
	first []int // of each module its first copy; one more at the end
	addr  []uint64
	byFn  rows[uint32]

	conds   []condition
	cond    map[uint32]uint32 // index in conds, of the copies that have one
	callers map[uint32]uint32 // of those that are not in the symbol before the address: its place and 1, 0 for none
}

// copiesOf gives the inlined copies of a function.
func (e *Entry) copiesOf(fn int) ([]kernel.Copy, error) {
	if e.meta.Copies == 0 {
		return nil, nil
	}
	all, err := e.copies()
	if err != nil {
		return nil, err
	}
	y, err := e.symbols()
	if err != nil {
		return nil, err
	}
	mods, err := e.mods()
	if err != nil {
		return nil, err
	}
	var out []kernel.Copy
	for _, i := range all.byFn.of(fn) {
		m := moduleAt(all.first, int(i))
		c := kernel.Copy{Address: all.addr[i], Module: mods[m], Times: plainCopy().times}
		low, high := y.first[m], y.first[m+1]
		if at := all.caller(i, y.addr[low:high]); at >= 0 {
			if at >= high-low {
				return nil, e.bad(sectCopyConds)
			}
			if c.Caller, err = e.symbolName(y, low+at); err != nil {
				return nil, err
			}
			c.Offset = c.Address - y.addr[low+at]
		}
		if k, ok := all.cond[i]; ok {
			c.Cond, c.Times = all.conds[k].cond, all.conds[k].times
		}
		out = append(out, c)
	}
	return out, nil
}

// caller gives the place of the symbol that contains a copy among those of its
// module; -1 if none does.
func (all *copies) caller(i uint32, addr []uint64) int {
	if at, ok := all.callers[i]; ok {
		return int(at) - 1
	}
	return holding(func(i int) (uint64, bool) {
		if i >= len(addr) {
			return 0, false
		}
		return addr[i], true
	}, all.addr[i])
}

func (e *Entry) readCopies() (*copies, error) {
	mods, err := e.mods()
	if err != nil {
		return nil, err
	}
	c, err := e.section(sectCopyAddrs)
	if err != nil {
		return nil, err
	}
	counts, sum := make([]int, len(mods)), 0
	for i := range counts {
		counts[i] = c.int(e.meta.Copies)
		sum += counts[i]
	}
	if sum != e.meta.Copies || sum > len(c.data) {
		return nil, e.bad(sectCopyAddrs)
	}
	all := &copies{addr: make([]uint64, 0, sum)}
	for _, n := range counts {
		all.first = append(all.first, len(all.addr))
		a := uint64(0)
		for range n {
			a += c.next()
			all.addr = append(all.addr, a)
		}
	}
	all.first = append(all.first, len(all.addr))
	if !c.done() {
		return nil, e.bad(sectCopyAddrs)
	}
	if err := e.readCopyFuncs(all); err != nil {
		return nil, err
	}
	return all, e.readConditions(all)
}

func (e *Entry) readCopyFuncs(all *copies) error {
	c, err := e.section(sectCopyFuncs)
	if err != nil {
		return err
	}
	n, sum := e.meta.Funcs, uint64(0)
	if n > len(c.data) {
		return e.bad(sectCopyFuncs)
	}
	counts := make([]uint32, n)
	for i := range counts {
		counts[i] = uint32(c.int(len(all.addr)))
		sum += uint64(counts[i])
	}
	if c.bad || sum != uint64(len(all.addr)) {
		return e.bad(sectCopyFuncs)
	}
	_, order := ranks(counts)
	fn := make([]uint32, len(all.addr))
	for i := range fn {
		fn[i] = order[c.int(n-1)]
	}
	if !c.done() {
		return e.bad(sectCopyFuncs)
	}
	all.byFn = group(fn, n)
	return nil
}

func (e *Entry) readConditions(all *copies) error {
	c, err := e.section(sectCopyConds)
	if err != nil {
		return err
	}
	for range c.count() {
		d := flat.Decoder([]byte(c.text()), &e.a.names)
		var x condition
		codeCond(d, &x)
		if d.Err() != nil {
			return e.bad(sectCopyConds)
		}
		all.conds = append(all.conds, x)
	}
	all.cond, all.callers = map[uint32]uint32{}, map[uint32]uint32{}
	size := c.count()
	if c.bad {
		return e.bad(sectCopyConds)
	}
	at, callers := &cursor{data: c.data[:size]}, &cursor{data: c.data[size:]}
	for i := uint64(0); !at.bad && len(at.data) > 0; {
		i += at.next()
		all.cond[uint32(i)] = uint32(at.int(len(all.conds) - 1))
	}
	for i := uint64(0); !callers.bad && len(callers.data) > 0; {
		i += callers.next()
		all.callers[uint32(i)] = uint32(callers.next())
	}
	if !at.done() || !callers.done() || len(all.conds) == 0 && len(all.cond) > 0 {
		return e.bad(sectCopyConds)
	}
	return nil
}
