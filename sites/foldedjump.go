package sites

import (
	"slices"

	"github.com/surehook/surehook/flow"
)

// maxFoldedBody bounds, in bytes, what GCC leaves of a function that it found
// equal to another: endbr64, a jump, and padding.
const maxFoldedBody = 32

// findFoldedJumps finds functions of which GCC left a jump to an equal one
// (-fipa-icf): the debug information defines them and gives them no code, the
// symbol's code is that jump. It gives their names by the address jumped to.
// Executions of such a function pass the other's entry.
func (b *Binary) findFoldedJumps() map[uint64][]string {
	out := map[uint64][]string{}
	for _, f := range b.index.live() {
		if len(f.bodies) != 1 || f.bodies[0].die >= 0 || len(f.copies) > 0 || !f.defined && !b.emptyDefinition(f) {
			continue
		}
		ref := &f.bodies[0]
		if !ref.named || ref.sym.IFunc() || ref.sym.Size == 0 || ref.sym.Size > maxFoldedBody {
			continue
		}
		bd := b.goBody(ref)
		if bd.err != nil || bd.graph.Entry < 0 {
			continue
		}
		i := bd.graph.Entry
		for bd.graph.Insns[i].Nop {
			next, ok := after(bd.graph, i)
			if !ok {
				break
			}
			i = next
		}
		if in := &bd.graph.Insns[i]; in.Kind == flow.Jump {
			out[in.Target] = append(out[in.Target], f.name)
		}
	}
	return out
}

// emptyDefinition tells whether the debug information defines a function of the
// name that has neither body nor copy.
func (b *Binary) emptyDefinition(f *function) bool {
	for _, other := range b.index.called(f.name) {
		if other != f && other.defined && len(other.bodies)+len(other.copies) == 0 {
			return true
		}
	}
	return false
}

// doubtFoldedJump says of a function of which only such a jump is left that
// calls of it may go to the other at once.
func (b *Binary) doubtFoldedJump(t *tally, f *function) {
	if len(f.bodies) != 1 || f.bodies[0].die >= 0 {
		return
	}
	for to, names := range b.foldedJumps() {
		if slices.Contains(names, f.name) {
			other, _ := b.symbolize(to)
			t.doubt(ReasonFolded, "the compiler found the function equal to "+other+": calls of it may go there at once")
			return
		}
	}
}
