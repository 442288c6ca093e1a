package sites

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/flow"
)

// marker is a place where the line table itself says that an inlined copy
// begins. GCC (8 and later, -gstatement-frontiers, on with -O -g) leaves a
// statement row with the callee's declaration line at every inline entry, and
// duplicates it with the code when it threads jumps: DW_AT_entry_pc is only
// one of them.
type marker struct {
	insn int32
	rows int // statement rows at this address: more than one call may begin here
}

// hasMarkers tells whether the unit's compiler writes inline entry rows.
func (b *Binary) hasMarkers(unit int32) bool {
	p := b.data.Unit(unit).Producer
	if strings.Contains(p, " -g1") || strings.Contains(p, " -gno-statement-frontiers") {
		return false
	}
	return strings.HasPrefix(p, "GNU C") || strings.HasPrefix(p, "GNU Objective-C") || strings.HasPrefix(p, "GNU GIMPLE")
}

// unmarkedClone tells whether the body is one without any inline entry row
// although copies are in it: GCC's link-time optimisation leaves the rows out of
// the clones that it makes.
func (bd *body) unmarkedClone() bool {
	b := bd.owner
	if bd.lines == nil || bd.fn.FirstCopy >= bd.fn.EndCopy || !strings.HasPrefix(b.data.Unit(bd.fn.Unit).Producer, "GNU GIMPLE") {
		return false
	}
	decls := map[place]bool{}
	for c := bd.fn.FirstCopy; c < bd.fn.EndCopy; c++ {
		o := b.data.Copy(c).Origin
		if o < 0 || b.index.ofRoot(o) == nil {
			continue
		}
		for _, p := range b.index.ofRoot(o).decls {
			decls[place{file: p.file, line: p.line}] = true
		}
	}
	for _, rg := range bd.fn.Ranges {
		for _, row := range bd.lines.Between(rg.Low, rg.High) {
			if row.IsStmt && !row.EndSeq && decls[place{file: bd.fileOf(row), line: int(row.Line)}] {
				return false
			}
		}
	}
	return true
}

// markers lists the inline entry rows of f in the body, by instruction.
func (b *Binary) markers(bd *body, f *function) []marker {
	if bd.lines == nil || len(f.decls) == 0 || !b.hasMarkers(bd.fn.Unit) {
		return nil
	}
	var out []marker
	at := map[int32]int{}
	for _, rg := range bd.fn.Ranges {
		for _, row := range bd.lines.Between(rg.Low, rg.High) {
			if !row.IsStmt || row.EndSeq || !bd.declares(row, f) {
				continue
			}
			i, ok := bd.graph.At(row.Addr)
			if !ok || bd.ownEntry(b, f, i) {
				continue
			}
			if k, seen := at[i]; seen {
				out[k].rows++
				continue
			}
			at[i] = len(out)
			out = append(out, marker{i, 1})
		}
	}
	return out
}

// declares tells whether a row stands at the declaration of f. The column
// tells the inline entry of a function written on one line from its statements.
func (bd *body) declares(row dwarfinfo.Row, f *function) bool {
	for _, p := range f.decls {
		if int(row.Line) == p.line && (p.col == 0 || row.Column == 0 || int(row.Column) == p.col) && bd.fileOf(row) == p.file {
			return true
		}
	}
	return false
}

func (bd *body) fileOf(row dwarfinfo.Row) string {
	if int(row.File) < len(bd.lines.Files) {
		return bd.lines.Files[row.File]
	}
	return ""
}

// ownEntry tells whether the instruction is where the body itself begins, in
// a body of f: its declaration row there is no inlined copy's.
func (bd *body) ownEntry(b *Binary, f *function, i int32) bool {
	return i == bd.graph.Entry && b.index.ofRoot(bd.fn.Root) == f
}

// copyView is one inlined copy with what is known of its instructions.
type copyView struct {
	index   int32 // in Data.Copies
	copy    *dwarfinfo.Copy
	split   bool // continues a call that encloses it
	region  *region
	markers []marker
}

// views lists the copies of f in one body, with the inline entry rows that
// belong to each. Rows that belong to none are given apart.
func (b *Binary) views(bd *body, f *function) (out []*copyView, orphans []marker) {
	if known, ok := bd.known[f]; ok {
		return known.views, known.orphans
	}
	out, orphans = b.newViews(bd, f)
	bd.known[f] = knownViews{out, orphans}
	return out, orphans
}

// knownViews are the copies of one function in one body.
type knownViews struct {
	views   []*copyView
	orphans []marker
}

func (b *Binary) newViews(bd *body, f *function) (out []*copyView, orphans []marker) {
	for _, i := range f.copies {
		c := b.data.Copy(i)
		if c.Func != bd.die {
			continue
		}
		v := &copyView{index: i, copy: c, split: b.splitOf(f, i), region: bd.regionOf(b.covered(i))}
		bd.fillHoles(v.region)
		bd.fillMerged(v.region)
		out = append(out, v)
	}
	for _, m := range b.ownMarkers(bd, f, out) {
		orphans = append(orphans, bd.assign(out, m)...)
	}
	return out, orphans
}

// ownerOf finds the innermost copy whose code holds an inline entry row.
func ownerOf(views []*copyView, insn int32) *copyView {
	var best *copyView
	for _, v := range views {
		if v.region.in[insn] && (best == nil || v.region.size < best.region.size) {
			best = v
		}
	}
	return best
}

// fillHoles adds to a region the instructions of the caller that scheduling
// moved between those of the copy: runs without a statement of their own that
// only the region leads to and that lead only back into it.
func (bd *body) fillHoles(r *region) {
	g := bd.graph
	if r.size == 0 || bd.lines == nil {
		return
	}
	stmt := bd.statements()
	n := int32(len(g.Insns))
	for round := 0; round < maxHoleRounds; round++ {
		var holes [][2]int32
		for _, i := range r.next(g) {
			j := i + 1
			for j < n && !r.in[j] && bd.follows(j) {
				j++
			}
			if bd.isHole(r, i, j, stmt) {
				holes = append(holes, [2]int32{i, j})
			}
		}
		if len(holes) == 0 {
			return
		}
		for _, h := range holes {
			r.fill(h[0], h[1])
		}
	}
}

// maxHoleRounds bounds how many blocks in a row a hole may have.
const maxHoleRounds = 4

// next lists the instructions outside a region that it leads to, each once.
func (r *region) next(g *flow.Graph) []int32 {
	var out []int32
	for _, i := range r.list {
		for _, e := range g.Succ(i) {
			if !r.in[e.To] {
				out = append(out, e.To)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// fill takes the instructions [i, j) into the region.
func (r *region) fill(i, j int32) {
	for k := i; k < j; k++ {
		if !r.in[k] {
			r.in[k], r.hole[k] = true, true
			r.list = append(r.list, k)
			r.size++
		}
	}
}

// follows tells whether an instruction is only reached from the one before.
func (bd *body) follows(i int32) bool {
	p := bd.graph.Pred(i)
	return len(p) == 1 && p[0].From == i-1 && len(bd.graph.Succ(i-1)) == 1
}

// isHole judges the run of instructions [i, j) outside a region. Code without
// a line (compilers give merged and sunk code line 0) belongs to the region
// as soon as one way comes from there: it is shared, and the ways in from
// outside are counted before it.
func (bd *body) isHole(r *region, i, j int32, stmt []bool) bool {
	g := bd.graph
	lines := bd.lineAt()
	inside := func(k int32) bool { return r.in[k] || (i <= k && k < j) }
	nobody, from, said := true, false, false
	for k := i; k < j; k++ {
		nobody = nobody && lines[k] == 0
		said = said || stmt[k]
		for _, e := range g.Pred(k) {
			from = from || r.in[e.From]
		}
	}
	shared := from && (nobody || bd.marks && !said)
	for k := i; k < j; k++ {
		if stmt[k] && !shared || k == g.Entry || bd.isRoot(k) || len(g.Succ(k)) == 0 {
			return false
		}
		for _, e := range g.Pred(k) {
			if !inside(e.From) && !shared {
				return false
			}
		}
		for _, e := range g.Succ(k) {
			if !inside(e.To) {
				return false
			}
		}
	}
	return true
}

// noLine stands for code that the line table does not cover.
const noLine = ^uint32(0)

// lineAt gives the source line of every instruction; 0 is code that the
// compiler gave none.
func (bd *body) lineAt() []uint32 {
	if bd.line != nil {
		return bd.line
	}
	bd.line = make([]uint32, len(bd.graph.Insns))
	for i := range bd.line {
		bd.line[i] = noLine
		if bd.lines == nil {
			continue
		}
		if row, ok := bd.lines.At(bd.graph.Insns[i].Addr); ok {
			bd.line[i] = row.Line
		}
	}
	return bd.line
}

// statements marks the instructions at which a statement row stands.
func (bd *body) statements() []bool {
	if bd.stmt != nil {
		return bd.stmt
	}
	bd.stmt = make([]bool, len(bd.graph.Insns))
	if bd.lines == nil {
		return bd.stmt
	}
	for _, rg := range bd.fn.Ranges {
		for _, row := range bd.lines.Between(rg.Low, rg.High) {
			if i, ok := bd.graph.At(row.Addr); ok && row.IsStmt && !row.EndSeq {
				bd.stmt[i] = true
			}
		}
	}
	return bd.stmt
}
