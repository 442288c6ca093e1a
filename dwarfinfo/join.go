package dwarfinfo

import "sort"

// joiner puts the units together and follows references between them.
type joiner struct {
	d     *Data
	units []unit // by place
	files []*sections
	types *typeUnits
	refs  []int32 // by Func: the index its origin leads to, -1 for none
}

// join fills d from the units.
func join(d *Data, l *loader) {
	j := &joiner{d: d, units: l.units, files: l.files, types: &typeUnits{files: l.files, pkg: l.pkg}}
	j.allocate()
	parallel(len(j.units), func() func(int) { return j.place })
	j.ranges()
	j.roots()
	j.scopes()
	parallel(len(j.units), func() func(int) { return j.finish })
}

// allocate gives each unit its part of the common slices.
func (j *joiner) allocate() {
	var funcs, copies, calls int
	for i := range j.units {
		u := &j.units[i]
		u.firstRef, u.firstCpy, u.firstCal = int32(funcs), int32(copies), int32(calls)
		funcs += len(u.funcs)
		copies += len(u.copies)
		calls += len(u.calls)
		u.endCal = int32(calls)
	}
	j.d.Units = make([]Unit, len(j.units))
	j.d.Funcs = make([]Func, funcs)
	j.d.Copies = make([]Copy, copies)
	j.d.Calls = make([]Call, calls)
	j.refs = make([]int32, funcs)
}

// place copies one unit's results to their final places, with indexes made
// global and references resolved to what they name directly.
func (j *joiner) place(i int) {
	u := &j.units[i]
	j.d.Units[i] = u.meta
	for n := range u.funcs {
		f := &u.funcs[n]
		f.FirstCopy += u.firstCpy
		f.EndCopy += u.firstCpy
		j.d.Funcs[int(u.firstRef)+n] = *f
		j.refs[int(u.firstRef)+n] = j.lookup(u, u.funcSrc[n].origin, f.Offset, "function")
	}
	for n := range u.copies {
		c := &u.copies[n]
		c.Func += u.firstRef
		if c.Parent >= 0 {
			c.Parent += u.firstCpy
		}
		origin := u.copySrc[n].origin
		if origin == noRef {
			u.gapSet.add(GapOrigin, c.Offset, "an inlined copy has no abstract origin")
		}
		c.Origin = j.lookup(u, origin, c.Offset, "inlined copy")
		j.d.Copies[int(u.firstCpy)+n] = *c
	}
	u.copies = nil
	for n := range u.calls {
		c := &u.calls[n]
		c.Func += u.firstRef
		if c.Copy >= 0 {
			c.Copy += u.firstCpy
		}
		c.Callee = j.lookup(u, u.callSrc[n], u.off, "callee")
		j.d.Calls[int(u.firstCal)+n] = *c
	}
	u.calls, u.callSrc = nil, nil
}

// lookup finds the function at a place; -1 without one. at is the offset
// where the reference is written, in unit u.
func (j *joiner) lookup(u *unit, ref, at uint64, what string) int32 {
	if ref == noRef || ref == lostRef {
		return -1
	}
	if to := holder(j.units, u, ref); to != nil {
		off := ref - to.secs.base
		n := sort.Search(len(to.funcs), func(n int) bool { return to.funcs[n].Offset >= off })
		if n < len(to.funcs) && to.funcs[n].Offset == off {
			return to.firstRef + int32(n)
		}
	}
	u.gapSet.add(GapOrigin, at, "origin of a "+what+" is not a function that was read")
	return -1
}

// holds tells whether a place is in the unit.
func (u *unit) holds(ref uint64) bool {
	return u.secs.place(u.off) <= ref && ref < u.secs.place(uint64(u.end))
}

// holder finds the unit that holds a place; it is often the one that names it.
func holder(units []unit, from *unit, ref uint64) *unit {
	if from.holds(ref) {
		return from
	}
	n := sort.Search(len(units), func(n int) bool { return units[n].secs.place(uint64(units[n].end)) > ref })
	if n < len(units) && units[n].holds(ref) {
		return &units[n]
	}
	return nil
}

// ranges resolves all spans, in order.
func (j *joiner) ranges() {
	r := newRangeReader(j.files)
	for i := range j.units {
		u := &j.units[i]
		for n := range u.funcSrc {
			f, s := &j.d.Funcs[int(u.firstRef)+n], &u.funcSrc[n].span
			f.Ranges, f.EntryPC, f.HasEntry = r.resolve(u, s, f.Offset)
			if !f.HasEntry && s.has&hasLow != 0 {
				f.EntryPC, f.HasEntry = s.low, true
			}
		}
		for n := range u.copySrc {
			c := &j.d.Copies[int(u.firstCpy)+n]
			c.Ranges, c.EntryPC, c.HasEntry = r.resolve(u, &u.copySrc[n].span, c.Offset)
		}
	}
}

// shift makes offsets in a row of a package offsets in the package.
func (u *unit) shift(d *Data) {
	by := u.secs.shift
	if by == 0 {
		return
	}
	d.Units[u.index].Offset += by
	for n := range u.funcs {
		d.Funcs[int(u.firstRef)+n].Offset += by
	}
	for n := range u.copySrc {
		d.Copies[int(u.firstCpy)+n].Offset += by
	}
	for n := range u.gapSet.gaps {
		u.gapSet.gaps[n].Offset += by
	}
}

// finish gives one unit's parts what only the roots know.
func (j *joiner) finish(i int) {
	u, d := &j.units[i], j.d
	for n := range u.funcs {
		i := u.firstRef + int32(n)
		if f := &d.Funcs[i]; f.Root != i { // roots have theirs, and others read them now
			f.Inline, f.Scope = d.Funcs[f.Root].Inline, d.Funcs[f.Root].Scope
		}
	}
	for n := range u.copySrc {
		if c := &d.Copies[int(u.firstCpy)+n]; c.Origin >= 0 {
			c.Origin = d.Funcs[c.Origin].Root
		}
	}
	u.shift(d)
	for n := u.firstCal; n < u.endCal; n++ {
		if c := &d.Calls[n]; c.Callee >= 0 {
			c.Callee = d.Funcs[c.Callee].Root
		}
	}
}
