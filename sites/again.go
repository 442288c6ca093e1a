package sites

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/dwarfinfo"
)

// again is what is looked at of an execution to learn whether a self call in tail
// position became a loop: the code comes back to the function's first statement.
type again struct {
	bd  *body
	f   *function
	in  []bool // the code of the execution
	cut map[entryEdge]bool
}

// statement is a statement row of the function itself.
type statement struct {
	insn int32
	at   place
}

// read lists the rows of the function in the code of the execution, and those
// that begin a statement.
func (a *again) read() (stmts []statement, rows []place) {
	bd, insns := a.bd, a.bd.graph.Insns
	for i := 0; i < len(insns); i++ {
		if !a.in[i] {
			continue
		}
		j := i
		for j+1 < len(insns) && a.in[j+1] && insns[j+1].Addr == insns[j].End() {
			j++
		}
		for _, row := range bd.lines.Between(insns[i].Addr, insns[j].End()) {
			k, ok := a.speaks(row)
			if !ok {
				continue
			}
			at := place{bd.fileOf(row), int(row.Line), int(row.Column)}
			rows = append(rows, at)
			if row.IsStmt {
				stmts = append(stmts, statement{k, at})
			}
		}
		i = j
	}
	return stmts, rows
}

// speaks tells whether a row is of the function's source and code.
func (a *again) speaks(row dwarfinfo.Row) (int32, bool) {
	i, ok := a.bd.graph.At(row.Addr)
	return i, ok && !row.EndSeq && row.Line != 0 && a.in[i] && a.bd.speaker(row) == a.f
}

// succ lists what follows an instruction in the same execution.
func (a *again) succ(i int32) []int32 {
	var out []int32
	for _, e := range a.bd.graph.Succ(i) {
		if a.in[e.To] && !a.cut[entryEdge{i, e.To}] {
			out = append(out, e.To)
		}
	}
	return out
}

// reach marks what follows an instruction, itself only in a loop.
func (a *again) reach(i int32) []bool {
	seen := make([]bool, len(a.in))
	todo := a.succ(i)
	for len(todo) > 0 {
		k := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if !seen[k] {
			seen[k] = true
			todo = append(todo, a.succ(k)...)
		}
	}
	return seen
}

// loop finds the first statement in a loop that is not one of the source. GCC
// marks of those the condition, which stands further right in its line than a
// statement of the function's outermost block. Where the first statement shares an
// instruction with the next, which of them the loop repeats cannot be told.
func (a *again) loop(first place, stmts []statement, rows []place) (at int32, yes bool) {
	if a.nested(first, stmts, rows) {
		return 0, false
	}
	steps := a.steps()
	seen := false
	for k, s := range stmts {
		if s.at != first {
			continue
		}
		shared := k+1 < len(stmts) && stmts[k+1].insn == s.insn && stmts[k+1].at != first
		step := seen && steps && a.leadsRight(s, stmts)
		if (seen || !shared) && !step && a.reach(s.insn)[s.insn] {
			return s.insn, true
		}
		seen = true
	}
	return 0, false
}

// steps tells whether the compiler gives the step of a for loop the place of
// the loop's first part, as GCC does in C++: it looks like the first statement again.
func (a *again) steps() bool {
	data := a.bd.owner.data
	return slices.ContainsFunc(a.f.roots, func(root int32) bool {
		return strings.HasPrefix(data.Unit(data.Func(root).Unit).Producer, "GNU C++")
	})
}

// leadsRight tells whether a statement is followed, without a branch, by one
// further right in its line: a step and the condition of a for loop. Behind an
// "if" and what depends on it there is a branch.
func (a *again) leadsRight(s statement, stmts []statement) bool {
	for i, n := s.insn, 0; n < len(a.in); n++ {
		for _, next := range stmts {
			if next.insn == i && next.at != s.at {
				return next.at.file == s.at.file && next.at.line == s.at.line && next.at.col > s.at.col
			}
		}
		next, ok := a.bd.only(i)
		if !ok {
			break
		}
		i = next
	}
	return false
}

// nested tells whether another statement of the function stands further left,
// or a part of one: of some only that is left.
func (a *again) nested(first place, stmts []statement, rows []place) bool {
	last := 0 // where the closing brace may be
	for _, p := range rows {
		last = max(last, p.line)
	}
	end := 0
	if a.cut == nil {
		end = last
	}
	left := func(p place) bool {
		return p.file == first.file && p.line > first.line && p.col != 0 && p.col < first.col
	}
	return slices.ContainsFunc(stmts, func(s statement) bool { return s.at.line != end && left(s.at) }) ||
		slices.ContainsFunc(rows, func(p place) bool { return p.line != last && left(p) })
}

// firstStatement gives the statement of the function that is executed first after
// its declaration. Without the row of that, the first may have left no code.
func (a *again) firstStatement(entry int32, stmts []statement) (place, bool) {
	at := map[int32][]place{}
	for _, s := range stmts {
		at[s.insn] = append(at[s.insn], s.at)
	}
	if len(at[entry]) == 0 {
		return place{}, false
	}
	open := at[entry][0]
	for i, n := entry, 0; n < len(a.in); n++ {
		for _, p := range at[i] {
			if p != open {
				return p, true
			}
		}
		next, ok := a.bd.only(i)
		if !ok {
			break
		}
		i = next
	}
	return place{}, false
}

// selfCall looks for self calls of a body that became loops.
func (bd *body) selfCall() (at int32, yes bool) {
	f := bd.owner.index.ofRoot(bd.fn.Root)
	if !bd.marks || bd.lines == nil || f == nil || bd.ltoClone(f) {
		return 0, false
	}
	in := make([]bool, len(bd.graph.Insns))
	for i := range in {
		in[i] = true
	}
	a := &again{bd: bd, f: f, in: in}
	stmts, rows := a.read()
	first, ok := a.firstStatement(bd.graph.Entry, stmts)
	if !ok {
		return 0, false
	}
	return a.loop(first, stmts, rows)
}

// ltoClone tells whether a body is a clone made by link-time optimisation, of
// which statements are not marked (see unmarkedClone).
func (bd *body) ltoClone(f *function) bool {
	return strings.HasPrefix(bd.owner.data.Unit(bd.fn.Unit).Producer, "GNU GIMPLE") &&
		slices.ContainsFunc(f.bodies, func(r bodyRef) bool { return r.die == bd.die && r.clone })
}

// copySelfCall looks for self calls of an inlined copy that became loops.
func (bd *body) copySelfCall(v *copyView, edges []entryEdge) (at int32, yes bool) {
	f := bd.owner.index.ofRoot(v.copy.Origin)
	if !bd.marks || bd.lines == nil || f == nil {
		return 0, false
	}
	a := &again{bd: bd, f: f, in: slices.Clone(v.region.in), cut: map[entryEdge]bool{}}
	for _, e := range edges {
		a.cut[e] = true
	}
	for _, m := range v.markers {
		a.in[m.insn] = true
	}
	stmts, rows := a.read()
	for _, m := range v.markers {
		first, ok := a.firstStatement(m.insn, stmts)
		if !ok {
			continue
		}
		if at, yes := a.loop(first, stmts, rows); yes {
			return at, true
		}
	}
	return 0, false
}
