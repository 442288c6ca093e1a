package sites

import (
	"sort"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// findPads reads the exception tables. Where they cannot be read, landing pads
// stay code that nothing leads to, which is a doubt of its own (findRoots).
func (b *Binary) findPads() []elfbin.LandingPad {
	pads, err := b.file.LandingPads()
	if err != nil {
		return nil
	}
	return pads
}

// pad gives the landing pad of the call at a virtual address. The unwinder
// looks for the last byte of the call; no other call is in between.
func (b *Binary) pad(call uint64) (uint64, bool) {
	pads := b.pads()
	i := sort.Search(len(pads), func(i int) bool { return pads[i].Calls.Low > call }) - 1
	if i < 0 || !pads[i].Calls.Contains(call) {
		return 0, false
	}
	return pads[i].Pad, true
}

// throws tells whether an instruction is a call from which an exception goes on
// in the same body.
func (bd *body) throws(i int32) bool {
	for _, e := range bd.graph.Succ(i) {
		if e.Kind == flow.Unwind {
			return true
		}
	}
	return false
}

// behind tells whether an edge is where a call comes back, from which an
// exception may go elsewhere: hits of the call are more than those of the edge.
func (bd *body) behind(e entryEdge) bool {
	return e.from >= 0 && bd.throws(e.from) && bd.graph.Insns[e.from].End() == bd.graph.Insns[e.to].Addr
}
