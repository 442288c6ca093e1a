package elfbin

import (
	"cmp"
	"slices"
)

// LandingPad says where control goes when a call in a range throws.
type LandingPad struct {
	Calls Range  // the calls: those whose last byte lies in it
	Pad   uint64 // virtual address
}

// LandingPads gives where exceptions are caught or cleaned up after: the call
// site tables to which .eh_frame leads (Itanium C++ ABI, "Exception Handling";
// Rust and C's cleanups have the same form), by the first address of the calls.
// It is nil without an error when no function of the file has any. Tables of
// another form are left out.
func (f *File) LandingPads() ([]LandingPad, error) {
	i := f.sectionIndex(".eh_frame")
	if i < 0 || !f.sections[i].stored() {
		return nil, nil
	}
	b, err := f.sectionData(i)
	if err != nil {
		return nil, err
	}
	var out []LandingPad
	e := ehFrame{file: f, section: f.sections[i], cursor: cursor{data: b}, cies: map[int]ehCIE{}}
	seen := map[uint64]bool{} // a table is its function's alone
	total := uint64(0)
	err = e.walk(func(r ehFDE) {
		if r.lsda == 0 || seen[r.lsda] || total > maxLSDA {
			return
		}
		seen[r.lsda] = true
		pads, size := f.callSites(r)
		total += size
		out = append(out, pads...)
	})
	if err != nil {
		return nil, err
	}
	slices.SortFunc(out, func(a, b LandingPad) int { return cmp.Compare(a.Calls.Low, b.Calls.Low) })
	return out, nil
}

// lsda reads the address of the exception table of an FDE; the cursor is
// behind its range.
func (e *ehFrame) lsda(start int, common ehCIE) (uint64, error) {
	if !common.augmented || common.lsda == ehOmit {
		return 0, nil
	}
	if e.uleb() == 0 { // no augmentation data
		return 0, nil
	}
	apply := common.lsda & ehApply
	place := e.section.Addr + uint64(e.at)
	v, ok := e.value(common.lsda & ehFormat)
	if !ok || apply != 0 && apply != ehPCRel || common.lsda&ehIndirect != 0 {
		return 0, nil // no compiler writes it: the function is as one without a table
	}
	if e.short {
		return 0, e.bad(start, "record is cut short")
	}
	if v != 0 && apply == ehPCRel {
		v += place
	}
	return v, nil
}

// lsdaHeader bounds the bytes in front of a call site table: three encodings,
// the landing pads' base and two numbers.
const lsdaHeader = 3 + 10 + 10 + 10

// callSites reads the call site table of a function, and gives its size in bytes.
func (f *File) callSites(fn ehFDE) (pads []LandingPad, size uint64) {
	c := cursor{data: f.Bytes(fn.lsda, lsdaHeader)}
	base, ok := fn.Low, true
	switch encoding := c.u8(); {
	case encoding == ehOmit:
	case encoding&(ehIndirect|ehApply) == ehPCRel:
		place := fn.lsda + uint64(c.at)
		base, ok = c.value(encoding & ehFormat)
		base += place
	case encoding&(ehIndirect|ehApply) == 0:
		base, ok = c.value(encoding & ehFormat)
	default:
		return nil, 0
	}
	if c.u8() != ehOmit {
		c.uleb() // offset of the type table
	}
	encoding := c.u8()
	size = c.uleb()
	at := fn.lsda + uint64(c.at)
	if !ok || c.short || encoding&^ehFormat != 0 || size > maxLSDA {
		return nil, 0
	}
	table := cursor{data: f.Bytes(at, int(size))}
	if uint64(len(table.data)) < size {
		return nil, 0
	}
	for !table.done() {
		start, ok1 := table.value(encoding & ehFormat)
		length, ok2 := table.value(encoding & ehFormat)
		pad, ok3 := table.value(encoding & ehFormat)
		table.uleb() // action
		if !ok1 || !ok2 || !ok3 || table.short {
			return nil, size
		}
		calls := Range{fn.Low + start, fn.Low + start + length}
		if pad != 0 && !calls.Empty() && fn.Contains(calls.Low) && f.Executable(base+pad) {
			pads = append(pads, LandingPad{calls, base + pad})
		}
	}
	return pads, size
}
