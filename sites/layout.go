package sites

import (
	"cmp"
	"debug/elf"
	"slices"
	"sort"
	"strings"

	"github.com/surehook/surehook/elfbin"
)

// layout says which code of the file belongs to functions, as far as symbols
// and .eh_frame tell.
type layout struct {
	owned []elfbin.Range // functions and parts of them, by address, disjoint
	loose []elfbin.Range // the rest of the executable sections: padding, or code that nothing describes
	fdes  []elfbin.Range // of .eh_frame, by address; nested and equal ones as they are
	err   error          // why .eh_frame is not read
}

// findLayout divides the code among the functions. Symbols go first: an FDE
// may be there for many stubs at once, or for the part of a function.
func (b *Binary) findLayout() *layout {
	l := &layout{}
	l.fdes, l.err = b.file.FDERanges()
	l.fdes = slices.DeleteFunc(l.fdes, func(r elfbin.Range) bool { return !b.file.Executable(r.Low) })
	byAddress := func(a, c elfbin.Range) int { return cmp.Or(cmp.Compare(a.Low, c.Low), cmp.Compare(a.High, c.High)) }
	slices.SortFunc(l.fdes, byAddress)
	named := b.symbolRanges()
	l.owned = append(slices.Clone(named), without(disjoint(l.fdes), named)...)
	slices.SortFunc(l.owned, byAddress)
	var text []elfbin.Range
	for _, s := range b.file.Sections() {
		if s.Flags&elf.SHF_EXECINSTR == 0 || s.Type == elf.SHT_NOBITS || s.Size > ^s.Addr {
			continue
		}
		if strings.HasPrefix(s.Name, ".plt") || s.Name == ".iplt" {
			stubs := []elfbin.Range{{Low: s.Addr, High: s.Addr + s.Size}}
			l.owned = without(l.owned, stubs)
			continue
		}
		text = append(text, elfbin.Range{Low: s.Addr, High: s.Addr + s.Size})
	}
	slices.SortFunc(text, byAddress)
	text = disjoint(text)
	l.owned = without(l.owned, without([]elfbin.Range{{Low: 0, High: ^uint64(0)}}, text))
	l.loose = without(text, l.owned)
	return l
}

// fde gives the innermost range of .eh_frame that holds a virtual address.
func (l *layout) fde(addr uint64) (r elfbin.Range, ok bool) {
	i := sort.Search(len(l.fdes), func(i int) bool { return l.fdes[i].Low > addr })
	const near = 8 // ranges that overlap are rare, and nest
	for k := i - 1; k >= max(0, i-near); k-- {
		if l.fdes[k].Contains(addr) {
			return l.fdes[k], true
		}
	}
	return elfbin.Range{}, false
}

// begins tells whether a range of .eh_frame begins at the address: a function
// or a part of one.
func (l *layout) begins(addr uint64) bool {
	r, ok := l.fde(addr)
	return ok && r.Low == addr
}

// nameless counts the ranges of .eh_frame, stubs apart, that no symbol names.
func (b *Binary) nameless() (n int) {
	l := b.layout()
	last := uint64(0)
	for _, r := range l.fdes {
		i := sort.Search(len(l.owned), func(i int) bool { return l.owned[i].High > r.Low })
		_, named := b.file.SymbolAt(r.Low)
		if r.Low != last && !named && i < len(l.owned) && l.owned[i].Contains(r.Low) {
			n++
		}
		last = r.Low
	}
	return n
}

// disjoint cuts sorted ranges so that none begins before another ends.
func disjoint(rs []elfbin.Range) []elfbin.Range {
	var out []elfbin.Range
	last := uint64(0)
	for _, r := range rs {
		if r.Low = max(r.Low, last); r.High > r.Low {
			out = append(out, r)
			last = r.High
		}
	}
	return out
}

// without gives what of sorted, disjoint ranges lies outside of others.
func without(rs, others []elfbin.Range) []elfbin.Range {
	var out []elfbin.Range
	k := 0
	for _, r := range rs {
		for k > 0 && others[k-1].High > r.Low {
			k-- // the last one may reach into this range as well
		}
		for ; k < len(others) && others[k].Low < r.High; k++ {
			if o := others[k]; o.High > r.Low {
				if o.Low > r.Low {
					out = append(out, elfbin.Range{Low: r.Low, High: o.Low})
				}
				r.Low = min(o.High, r.High)
			}
		}
		if r.High > r.Low {
			out = append(out, r)
		}
	}
	return out
}

// symbolRanges lists the code of the function symbols, by address, disjoint.
func (b *Binary) symbolRanges() []elfbin.Range {
	var out []elfbin.Range
	last := uint64(0)
	for _, s := range b.index.symbols() {
		if s.Size == 0 || s.Value < last || s.Size > ^s.Value {
			continue
		}
		out = append(out, elfbin.Range{Low: s.Value, High: s.Value + s.Size})
		last = s.Value + s.Size
	}
	return out
}
