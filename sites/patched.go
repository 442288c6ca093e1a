package sites

import (
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// maxPatch bounds the space for patches at the beginning of a function, in
// bytes: kernels have two instructions.
const maxPatch = 64

// patched gives the function among those of a symbol's name whose body the
// debug information begins behind the symbol, after nothing but nops, and moves
// the body's entry to the symbol: GCC before 13 does not count the space of
// -fpatchable-function-entry as the function's on arm64. nil if there is none.
func (b *Binary) patched(named []*function, s elfbin.Symbol) *function {
	for _, f := range named {
		for i := range f.bodies {
			r := &f.bodies[i]
			gap := r.entry - s.Value
			if r.die < 0 || r.named || gap == 0 || gap > maxPatch || gap >= s.Size {
				continue
			}
			census, err := flow.ReadCalls(b.file, b.file.Arch(), []elfbin.Range{{Low: s.Value, High: r.entry}})
			if err == nil && census.Filling {
				r.entry = s.Value
				return f
			}
		}
	}
	return nil
}
