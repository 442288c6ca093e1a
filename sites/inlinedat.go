package sites

import (
	"slices"

	"github.com/surehook/surehook/elfbin"
)

// nearCopy is how far before an inlined copy the place may be where its
// beginning is counted: the instruction in front of it, which has at most 15
// bytes on x86-64.
const nearCopy = 16

// InlinedAt gives the source names of functions of which an inlined copy lies
// at a virtual address or begins right behind it: those that a probe there may
// be meant for. Without debug information there are none.
func (b *Binary) InlinedAt(addr uint64) []string {
	if b.data == nil {
		return nil
	}
	inside := func(r elfbin.Range, before uint64) bool {
		return addr < r.High && addr+before >= r.Low
	}
	var out []string
	for i := range b.data.NumFuncs() {
		fn := b.data.Func(i)
		if fn.FirstCopy == fn.EndCopy || !slices.ContainsFunc(fn.Ranges, func(r elfbin.Range) bool { return inside(r, 0) }) {
			continue
		}
		for c := fn.FirstCopy; c < fn.EndCopy; c++ {
			cp := b.data.Copy(c)
			if cp.Origin < 0 || !slices.ContainsFunc(cp.Ranges, func(r elfbin.Range) bool { return inside(r, nearCopy) }) {
				continue
			}
			if name := b.rootName(cp.Origin); name != "" && !slices.Contains(out, name) {
				out = append(out, name)
			}
		}
	}
	return out
}
