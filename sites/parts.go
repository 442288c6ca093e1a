package sites

import (
	"fmt"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// addFoldedHeads finds calls of f.part.N from code that is no part of f:
// there the inlined head was folded into the caller's own branches, and the
// call of the tail is the one instruction that is left of the execution.
// What left by the head's early exit has none.
func (b *Binary) addFoldedHeads(r *Result, t *tally, f *function) {
	if len(f.parts) == 0 {
		return
	}
	c := b.calls()
	if c.err != nil {
		t.doubt(ReasonPart, "the callers of "+f.parts[0].Name+" cannot be listed: "+c.err.Error())
		return
	}
	own := b.codeOf(f)
	folded := 0
	for _, part := range f.parts {
		for _, e := range c.of[part.Value] {
			if inRanges(own, e.From) {
				continue
			}
			s, ok := b.siteAt(e.From, Inlined, flow.Cond{})
			if !ok {
				continue
			}
			s.Callers = []Frame{{Function: s.Symbol}}
			r.Sites = append(r.Sites, s)
			folded++
		}
	}
	if folded > 0 {
		t.doubt(ReasonPart, fmt.Sprintf("%d calls of %s come from code where the head was folded into the caller: executions that leave early there have no code", folded, f.parts[0].Name))
	}
}

// codeOf lists all code of f: bodies, parts and copies.
func (b *Binary) codeOf(f *function) []elfbin.Range {
	var out []elfbin.Range
	for _, r := range f.bodies {
		if r.die >= 0 {
			out = append(out, b.data.Func(r.die).Ranges...)
		} else if r.named {
			out = append(out, elfbin.Range{Low: r.entry, High: r.entry + r.sym.Size})
		}
	}
	for _, c := range f.copies {
		out = append(out, b.covered(c)...)
	}
	return out
}

func inRanges(rs []elfbin.Range, addr uint64) bool {
	for _, r := range rs {
		if r.Contains(addr) {
			return true
		}
	}
	return false
}

// doubtEntry looks for what makes hits of a body's entry differ from
// executions: a loop that comes back to it.
func (bd *body) doubtEntry(t *tally) {
	g := bd.graph
	if g.Entry < 0 {
		return
	}
	if len(g.Pred(g.Entry)) > 0 {
		t.doubt(ReasonRecursion, "code of the body jumps back to its entry at "+hex(g.Insns[g.Entry].Addr)+": a loop or a self call")
		return
	}
	if at, yes := bd.selfCall(); yes {
		t.doubt(ReasonRecursion, "the function's first statement is in a loop at "+hex(g.Insns[at].Addr)+": a self call may have become a jump")
		return
	}
	if !bd.recursive() {
		return
	}
	if at, yes := bd.beginsAgain(); yes {
		t.doubt(ReasonRecursion, "the function calls itself, and its first statement is in a loop at "+hex(g.Insns[at].Addr)+": one of the source, or another self call")
	}
}

// recursive tells whether the body still calls its function or holds a copy of it.
func (bd *body) recursive() bool {
	g := bd.graph
	for i := range g.Insns {
		if g.Insns[i].Kind == flow.Call && g.Insns[i].Target == g.Insns[g.Entry].Addr {
			return true
		}
	}
	for c := bd.fn.FirstCopy; c < bd.fn.EndCopy; c++ {
		if bd.owner.data.Copy(c).Origin == bd.fn.Root {
			return true
		}
	}
	return false
}

// beginsAgain finds code of the body's first statement in a loop: what is left
// of a self call in tail position, or a loop that the function begins with.
func (bd *body) beginsAgain() (at int32, yes bool) {
	g := bd.graph
	if bd.lines == nil || bd.golang {
		return 0, false
	}
	lines, stmt := bd.lineAt(), bd.statements()
	first := uint32(noLine)
	for i := int(g.Entry); i < len(g.Insns) && first == noLine; i++ {
		opening := int(lines[i]) == bd.fn.DeclLine || !bd.marks && lines[i] == lines[g.Entry] // LLVM's prologue has a line
		if stmt[i] && lines[i] != 0 && lines[i] != noLine && !opening {
			first = lines[i]
		}
	}
	if first == noLine {
		return 0, false
	}
	for i := range g.Insns {
		if lines[i] != first || bd.innermost()[i] >= 0 {
			continue
		}
		var next []int32
		for _, e := range g.Succ(int32(i)) {
			next = append(next, e.To)
		}
		if bd.reach(next, make([]bool, len(g.Insns)))[i] {
			return int32(i), true
		}
	}
	return 0, false
}
