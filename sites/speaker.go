package sites

import (
	"cmp"
	"slices"
	"sort"

	"github.com/surehook/surehook/dwarfinfo"
)

// spot is where the source of a function begins.
type spot struct {
	place
	f *function // nil where several begin, as a macro makes them
}

// spots lists where the source begins of the functions that a body holds code
// of: its own and those of the inlined copies.
func (bd *body) spots() []spot {
	if bd.begins != nil {
		return bd.begins
	}
	b := bd.owner
	seen := map[*function]bool{}
	var out []spot
	add := func(root int32) {
		f := b.index.ofRoot(root)
		if f == nil || seen[f] {
			return
		}
		seen[f] = true
		for _, p := range f.decls {
			out = append(out, spot{p, f})
		}
	}
	add(bd.fn.Root)
	for c := bd.fn.FirstCopy; c < bd.fn.EndCopy; c++ {
		if o := b.data.Copy(c).Origin; o >= 0 {
			add(o)
		}
	}
	slices.SortStableFunc(out, func(a, c spot) int { return a.compare(c.place) })
	bd.begins = out[:0]
	for _, s := range out {
		if n := len(bd.begins); n > 0 && bd.begins[n-1].compare(s.place) == 0 {
			bd.begins[n-1].f = nil
			continue
		}
		bd.begins = append(bd.begins, s)
	}
	return bd.begins
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.file, o.file), cmp.Compare(p.line, o.line), cmp.Compare(p.col, o.col))
}

// speaker gives the function whose source holds the place of a row, of those
// that the body holds code of: the last that begins before it in its file. nil
// where that cannot be told.
func (bd *body) speaker(row dwarfinfo.Row) *function {
	at := place{bd.fileOf(row), int(row.Line), int(row.Column)}
	all := bd.spots()
	i := sort.Search(len(all), func(i int) bool { return all[i].compare(at) > 0 }) - 1
	if i < 0 || all[i].file != at.file {
		return nil
	}
	return all[i].f
}

// callerStatements marks the instructions at which a statement row of what
// encloses a copy stands. GCC duplicates such rows with the code but does not
// move them from one loop to another (-gstatement-frontiers).
func (bd *body) callerStatements(v *copyView) []bool {
	b := bd.owner
	callers := map[*function]bool{}
	for c := v.copy.Parent; ; c = b.data.Copy(c).Parent {
		if c < 0 {
			callers[b.index.ofRoot(bd.fn.Root)] = true
			break
		}
		if o := b.data.Copy(c).Origin; o >= 0 {
			callers[b.index.ofRoot(o)] = true
		}
	}
	delete(callers, b.index.ofRoot(v.copy.Origin)) // recursion: whose statement it is cannot be told
	delete(callers, nil)
	out := make([]bool, len(bd.graph.Insns))
	for _, rg := range bd.fn.Ranges {
		for _, row := range bd.lines.Between(rg.Low, rg.High) {
			if !row.IsStmt || row.EndSeq || row.Line == 0 {
				continue
			}
			if i, ok := bd.graph.At(row.Addr); ok && callers[bd.speaker(row)] {
				out[i] = true
			}
		}
	}
	return out
}

// callsAgain tells whether every way within a copy from its marked beginning
// back to an edge passes a statement of a caller: the loop is the caller's.
func (bd *body) callsAgain(v *copyView, m marker, e entryEdge) bool {
	stmt := bd.callerStatements(v)
	if stmt[e.from] && e.from != m.insn {
		return true
	}
	own := &region{in: slices.Clone(v.region.in)}
	for i, is := range stmt {
		own.in[i] = own.in[i] && (!is || int32(i) == m.insn)
	}
	return !bd.reachInside(own, m.insn)[e.from]
}
