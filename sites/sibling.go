package sites

import (
	"slices"

	"github.com/surehook/surehook/flow"
)

// doubtSiblings looks for executions of which no record is left. Compilers fold
// calls away whose result is known or unused, and drop the record with the
// last instruction. Two things tell: another instance of the caller holds a copy
// that this one lacks although code of the call's line is there, and copies of
// which next to nothing is left.
func (b *Binary) doubtSiblings(t *tally, f *function, found []copyResult) {
	if len(f.copies) == 0 {
		return
	}
	if !slices.ContainsFunc(found, func(c copyResult) bool { return c.silent }) {
		return // nothing of it can be left out
	}
	at, yes, all := b.lacked(f)
	switch {
	case !all:
		t.doubt(ReasonDropped, "the callers have more than "+plural(maxInstances, "instance")+": whether one lacks a call that another holds was not looked for in all")
	case yes:
		t.doubt(ReasonDropped, "another copy of the caller holds a call that the one at "+hex(at)+" lacks: it may have been folded away")
	}
	if dwindled(found) {
		t.doubt(ReasonDropped, "next to nothing is left of some copies, and the function has no effect: others may have been folded away")
	}
}

// minDwindled is how many copies must be seen before their sizes say anything.
const minDwindled = 3

// dwindled tells whether, of a function without any effect, some copies shrank
// to one instruction or to less than a third of the largest.
func dwindled(found []copyResult) bool {
	n, least, most := 0, 0, 0
	for _, c := range found {
		if c.effect {
			return false
		}
		if c.size > 0 {
			n++
			most = max(most, c.size)
			if least == 0 || c.size < least {
				least = c.size
			}
		}
	}
	return n >= minDwindled && (least == 1 || 3*least < most)
}

// callPlace is where a copy is called from, in the source.
type callPlace struct {
	caller    *function
	file      string
	line, col int
}

// instance is an out-of-line body or an inlined copy of a function.
type instance struct {
	die, copy int32 // copy is -1 for a body
}

// maxInstances bounds how many instances of callers are compared for one
// function: header functions of large programs have tens of thousands.
const maxInstances = 1 << 14

// lacked finds an instance of a caller of f that holds no copy of f, nor a call
// of it, where another instance does, though it has code of the same line. It
// tells as well whether all instances were looked at.
func (b *Binary) lacked(f *function) (at uint64, yes, all bool) {
	seen := map[callPlace]bool{}
	left := maxInstances
	for _, i := range f.copies {
		c := b.data.Copy(i)
		root := b.data.Func(c.Func).Root
		if c.Parent >= 0 {
			root = b.data.Copy(c.Parent).Origin
		}
		k := callPlace{b.index.ofRoot(root), c.CallFile, c.CallLine, c.CallCol}
		if k.caller == nil || k.line == 0 || seen[k] {
			continue
		}
		seen[k] = true
		for _, in := range b.instances(k.caller) {
			if left--; left < 0 {
				return 0, false, false
			}
			if !b.holdsCopy(in, f, k) {
				if at, yes := b.hasLine(in, f, k); yes {
					return at, true, true
				}
			}
		}
	}
	return 0, false, true
}

// instances lists the bodies and copies of a function.
func (b *Binary) instances(f *function) []instance {
	var out []instance
	for _, r := range f.bodies {
		if r.die >= 0 {
			out = append(out, instance{r.die, -1})
		}
	}
	for _, c := range f.copies {
		out = append(out, instance{b.data.Copy(c).Func, c})
	}
	return out
}

// holdsCopy tells whether an instance holds a copy of f called from k.
func (b *Binary) holdsCopy(in instance, f *function, k callPlace) bool {
	fn := b.data.Func(in.die)
	first := fn.FirstCopy
	if in.copy >= 0 {
		first = in.copy + 1
	}
	for j := first; j < fn.EndCopy; j++ {
		c := b.data.Copy(j)
		if c.Parent < in.copy {
			break // past the instance: children follow their parent
		}
		if c.Parent == in.copy && c.CallLine == k.line && c.CallCol == k.col && c.Origin >= 0 && b.index.ofRoot(c.Origin) == f {
			return true
		}
	}
	return false
}

// hasLine tells whether an instance has code of the line of a call, and no
// direct call of f.
func (b *Binary) hasLine(in instance, f *function, k callPlace) (at uint64, yes bool) {
	bd := b.bodyOf(in.die)
	if bd.err != nil || bd.lines == nil {
		return 0, false
	}
	bd.mu.Lock()
	defer bd.mu.Unlock()
	ranges := bd.fn.Ranges
	if in.copy >= 0 {
		ranges = b.covered(in.copy)
	}
	for _, i := range bd.regionOf(ranges).list {
		insn := &bd.graph.Insns[i]
		if (insn.Kind == flow.Call || insn.Kind == flow.Jump) && f.hasBody(insn.Target) {
			return 0, false
		}
		if !yes && bd.lineIn(in.copy, i) == k.line {
			at, yes = insn.Addr, true
		}
	}
	return at, yes
}

// lineIn gives the line at which an instruction stands in a copy, or in the
// body for -1: of code inlined further in, the line of the call. 0 if it is
// not of it.
func (bd *body) lineIn(copy, i int32) int {
	c := bd.innermost()[i]
	if c == copy {
		if l := bd.lineAt()[i]; l != noLine {
			return int(l)
		}
		return 0
	}
	for c >= 0 {
		d := bd.owner.data.Copy(c)
		if d.Parent == copy {
			return d.CallLine
		}
		c = d.Parent
	}
	return 0
}
