package sites

import (
	"slices"
	"sort"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// strangers is what code without a DIE of its own may hide.
type strangers struct {
	// outside: some of it comes from no unit with debug information. It may
	// hold copies of any function of a header.
	outside bool
	// folded are functions of which code that GCC folded with other code may
	// hold copies, with the name of that code. GCC replaces one of two equal
	// functions by a call of the other (-fipa-icf, on at -O2) and may inline that
	// call again: of what was inlined into the other, this code has no record.
	folded map[int32]string // by number
}

// undescribedBody is code without a DIE.
type undescribedBody struct {
	f     *function
	entry uint64
	size  uint64

	symbol string
}

// undescribedBodies lists the bodies that no DIE describes, but for those that
// start files bring into every program.
func (x *index) undescribedBodies() []undescribedBody {
	var out []undescribedBody
	for _, f := range x.live() {
		for i := range f.bodies {
			if r := &f.bodies[i]; r.die < 0 && r.named && !r.sym.IFunc() && !startFiles[f.name] && !r.part && !thunk(r.sym) {
				out = append(out, undescribedBody{f, r.entry, r.sym.Size, r.sym.Name})
			}
		}
	}
	return out
}

// findStrangers looks at all code without a DIE.
func (b *Binary) findStrangers() strangers {
	s := strangers{folded: map[int32]string{}}
	bodies := b.index.undescribedBodies()
	if b.data == nil || len(bodies) == 0 {
		return s
	}
	unwound := b.unwound()
	units := b.bodyUnits()
	assembly := b.assembly()
	for _, u := range bodies {
		if kernelAssembly(u.f.name) || kernelAssembly(u.symbol) || inRanges(assembly, u.entry) {
			continue
		}
		if unwound != nil && !unwound[u.entry] {
			continue // no compiler's: assembly without unwind information inlines nothing
		}
		unit, ok := b.unitAround(units, u.entry)
		if !ok {
			s.outside = true
			continue
		}
		for _, f := range b.twinCopies(unit, u) {
			s.folded[f.number] = u.f.name
		}
	}
	return s
}

// langAssembler is DW_LANG_Mips_Assembler: what GNU as and LLVM write for
// assembly of any processor.
const langAssembler = 0x8001

// assembly lists the code that the debug information says was assembled from
// assembly: nothing is inlined into it.
func (b *Binary) assembly() []elfbin.Range {
	var out []elfbin.Range
	data := b.Data()
	if data == nil {
		return nil
	}
	for i := range data.Units {
		if data.Units[i].Language != langAssembler {
			continue
		}
		lines, err := data.Lines(int32(i))
		if err != nil {
			continue
		}
		low := uint64(0)
		for k, r := range lines.Rows {
			if k == 0 || lines.Rows[k-1].EndSeq {
				low = r.Addr
			}
			if r.EndSeq && r.Addr > low {
				out = append(out, elfbin.Range{Low: low, High: r.Addr})
			}
		}
	}
	return out
}

// unwound is the set of addresses where unwind information of a function
// begins; nil when the file has none or it cannot be read.
func (b *Binary) unwound() map[uint64]bool {
	ranges, err := b.file.FDERanges()
	if err != nil || len(ranges) == 0 {
		return nil
	}
	out := make(map[uint64]bool, len(ranges))
	for _, r := range ranges {
		out[r.Low] = true
	}
	return out
}

// bodyUnit says which unit the code at an address comes from.
type bodyUnit struct {
	entry uint64
	unit  int32
}

// bodyUnits lists the described bodies by address.
func (b *Binary) bodyUnits() []bodyUnit {
	var out []bodyUnit
	for _, f := range b.index.live() {
		for _, r := range f.bodies {
			if r.die >= 0 {
				out = append(out, bodyUnit{r.entry, b.data.Func(r.die).Unit})
			}
		}
	}
	slices.SortFunc(out, func(a, b bodyUnit) int {
		if a.entry < b.entry {
			return -1
		}
		return 1
	})
	return out
}

// unitAround finds the unit whose line table has a row at the address: one of
// those of the bodies before and behind it.
func (b *Binary) unitAround(units []bodyUnit, addr uint64) (int32, bool) {
	i := sort.Search(len(units), func(i int) bool { return units[i].entry > addr })
	for _, k := range []int{i - 1, i} {
		if k < 0 || k >= len(units) {
			continue
		}
		lines, err := b.data.Lines(units[k].unit)
		if err != nil || lines == nil {
			continue
		}
		if row, ok := lines.At(addr); ok && row.Addr == addr && row.Line != 0 {
			return units[k].unit, true
		}
	}
	return 0, false
}

// twinCopies lists the functions inlined into bodies of the unit that code
// without a record may be the same as: those that call what it calls, all
// bodies of the unit if there is none.
func (b *Binary) twinCopies(unit int32, u undescribedBody) []*function {
	want, known := b.callees([]elfbin.Range{{Low: u.entry, High: u.entry + u.size}})
	var twins, all []*function
	found := false
	count := b.data.NumFuncs() // in the order of their units
	first := sort.Search(int(count), func(i int) bool { return b.data.Func(int32(i)).Unit >= unit })
	for i := int32(first); i < count; i++ {
		fn := b.data.Func(i)
		if fn.Unit != unit {
			break
		}
		if len(fn.Ranges) == 0 {
			continue
		}
		var held []*function
		for c := fn.FirstCopy; c < fn.EndCopy; c++ {
			if origin := b.data.Copy(c).Origin; origin >= 0 && b.index.ofRoot(origin) != nil {
				held = append(held, b.index.ofRoot(origin))
			}
		}
		all = append(all, held...)
		if have, ok := b.callees(fn.Ranges); ok && known && slices.Equal(have, want) {
			twins, found = append(twins, held...), true
		}
	}
	if !found {
		return all
	}
	return twins
}

// callees lists the targets of the direct calls and tail jumps of some code,
// sorted.
func (b *Binary) callees(code []elfbin.Range) ([]uint64, bool) {
	edges, err := flow.Calls(b.file, b.file.Arch(), code)
	if err != nil {
		return nil, false
	}
	var out []uint64
	for _, e := range edges {
		if !inRanges(code, e.To) {
			out = append(out, e.To)
		}
	}
	slices.Sort(out)
	return out, true
}

// foldedBody tells whether a body without a DIE is a definition that the
// debug information knows, folded with other code: the unit's line table
// begins it with its declaration, and its copies elsewhere are recorded.
func (b *Binary) foldedBody(f *function, entry uint64) bool {
	for _, root := range f.roots {
		fn := b.data.Func(root)
		if fn.Declaration {
			continue
		}
		lines, err := b.data.Lines(fn.Unit)
		if err != nil || lines == nil {
			continue
		}
		row, ok := lines.At(entry)
		if ok && row.Addr == entry && int(row.Line) == fn.DeclLine && int(row.File) < len(lines.Files) && lines.Files[row.File] == fn.DeclFile {
			return true
		}
	}
	return false
}

// adopter gives the one function among those of a symbol's name that a body
// without a DIE belongs to, nil if it cannot be told.
func (b *Binary) adopter(known []*function, s elfbin.Symbol, suffix cloneSuffix) *function {
	if len(known) == 1 && suffix.clone {
		return known[0]
	}
	var found *function
	for _, f := range known {
		if len(f.bodies) > 0 || s.IFunc() || len(f.copies) == 0 && !b.defines(f) {
			continue
		}
		if found != nil {
			return nil
		}
		found = f
	}
	return found
}

// defines tells whether the debug information has the function's definition,
// not only declarations.
func (b *Binary) defines(f *function) bool {
	return slices.ContainsFunc(f.roots, func(r int32) bool { return !b.data.Func(r).Declaration })
}
