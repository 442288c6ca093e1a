package main

import (
	"cmp"
	"slices"

	"github.com/surehook/surehook/kernel"
)

// slim leaves out of the atlas in the program what modules have beside names,
// symbols and events: signatures, calls and copies of 50,000 more functions would
// make it twice as large. Of signatures and copies no topic says so, as the kernel's
// own are there: KNOWN_ISSUES.md does.
func slim(s *kernel.Snapshot) {
	for i := range s.Functions {
		f := &s.Functions[i]
		f.Copies = slices.DeleteFunc(f.Copies, func(c kernel.Copy) bool { return c.Module != "" })
		if len(f.Symbols) == 0 || slices.ContainsFunc(f.Symbols, func(y kernel.Symbol) bool { return y.Module == "" }) {
			continue
		}
		f.Protos, f.Sources = nil, nil
		for j := range f.Symbols {
			f.Symbols[j].Args = nil
		}
	}
	s.Unknown[kernel.ModuleCalls] = cmp.Or(s.Unknown[kernel.ModuleCalls], "left out of the atlas in the program: surehook kernel snapshot of the packages has them")
	s.Edges = slices.DeleteFunc(s.Edges, func(c kernel.Call) bool { return c.CallerModule != "" || c.CalleeModule != "" })
}
