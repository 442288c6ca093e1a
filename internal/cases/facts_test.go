package cases

import (
	"slices"

	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// named tells whether a function of the debug information is meant by f.
func named(fn *dwarfinfo.Func, f string) bool {
	return fn.Name == f || fn.LinkageName == f || fn.Scope != "" && fn.Scope+"::"+fn.Name == f
}

// copies lists the inlined copies of f as recorded.
func (p *probed) copies(f string) []*dwarfinfo.Copy {
	d := p.binary.Data()
	var out []*dwarfinfo.Copy
	for i := range d.Copies {
		if c := &d.Copies[i]; c.Origin >= 0 && named(&d.Funcs[c.Origin], f) {
			out = append(out, c)
		}
	}
	return out
}

// bodyDIEs lists the out-of-line bodies of f as recorded.
func (p *probed) bodyDIEs(f string) []*dwarfinfo.Func {
	d := p.binary.Data()
	var out []*dwarfinfo.Func
	for i := range d.Funcs {
		fn := &d.Funcs[i]
		if len(fn.Ranges) > 0 && p.binary.File().Executable(fn.Ranges[0].Low) && named(&d.Funcs[fn.Root], f) {
			out = append(out, fn)
		}
	}
	return out
}

// maxRanges is the most ranges with code that one copy has.
func (p *probed) maxRanges(f string) (n int) {
	for _, c := range p.copies(f) {
		n = max(n, len(solid(c.Ranges)))
	}
	return n
}

func solid(rs []elfbin.Range) []elfbin.Range {
	return slices.DeleteFunc(slices.Clone(rs), elfbin.Range.Empty)
}

// graph is the control flow of the body that a function's DIE describes.
func (p *probed) graph(fn *dwarfinfo.Func) *flow.Graph {
	if g := p.graphs[fn]; g != nil {
		return g
	}
	entry := fn.Ranges[0].Low
	if fn.HasEntry {
		entry = fn.EntryPC
	}
	file := p.binary.File()
	g, err := flow.Build(flow.Options{Arch: file.Arch(), Image: file, Entry: entry, Ranges: fn.Ranges, Labels: fn.Labels})
	if err != nil {
		p.t.Fatalf("the code of %s: %v", fn.Name, err)
	}
	p.graphs[fn] = g
	return g
}

// inside marks the instructions of a copy, with what is inlined into it.
func (p *probed) inside(c *dwarfinfo.Copy) (*flow.Graph, []bool) {
	d := p.binary.Data()
	fn := &d.Funcs[c.Func]
	g := p.graph(fn)
	ranges := slices.Clone(c.Ranges)
	for i := fn.FirstCopy; i < fn.EndCopy; i++ {
		for up := d.Copies[i].Parent; up >= 0; up = d.Copies[up].Parent {
			if &d.Copies[up] == c {
				ranges = append(ranges, d.Copies[i].Ranges...)
			}
		}
	}
	in := make([]bool, len(g.Insns))
	for i := range g.Insns {
		in[i] = slices.ContainsFunc(ranges, func(r elfbin.Range) bool { return r.Contains(g.Insns[i].Addr) })
	}
	return g, in
}

// ways is the most instructions of one copy that are reached from outside it.
func (p *probed) ways(f string) (n int) {
	for _, c := range p.copies(f) {
		g, in := p.inside(c)
		targets := map[int32]bool{}
		for _, e := range g.Edges() {
			if in[e.To] && !in[e.From] {
				targets[e.To] = true
			}
		}
		n = max(n, len(targets))
	}
	return n
}

// loopHeads counts the copies whose first instruction, padding apart, its
// own code comes back to.
func (p *probed) loopHeads(f string) (n int) {
	for _, c := range p.copies(f) {
		g, in := p.inside(c)
		i := first(g, in, true)
		if i >= 0 && slices.ContainsFunc(g.Pred(i), func(e flow.Edge) bool { return in[e.From] && e.From >= i }) {
			n++
		}
	}
	return n
}

// nopFirst counts the copies whose ranges begin with padding.
func (p *probed) nopFirst(f string) (n int) {
	for _, c := range p.copies(f) {
		g, in := p.inside(c)
		if i := first(g, in, false); i >= 0 && g.Insns[i].Nop {
			n++
		}
	}
	return n
}

func first(g *flow.Graph, in []bool, skipNops bool) int32 {
	for i, yes := range in {
		if yes && !(skipNops && g.Insns[i].Nop) {
			return int32(i)
		}
	}
	return -1
}

// nested counts the copies that begin where the copy around them begins.
func (p *probed) nested(f string) (n int) {
	d := p.binary.Data()
	for _, c := range p.copies(f) {
		if c.Parent >= 0 && entryOf(c) == entryOf(&d.Copies[c.Parent]) {
			n++
		}
	}
	return n
}

// foreign counts the copies whose function is described in another unit.
func (p *probed) foreign(f string) (n int) {
	for _, c := range p.copies(f) {
		if c.Unit != p.binary.Data().Funcs[c.Origin].Unit {
			n++
		}
	}
	return n
}

// indirect counts the jumps through a register or memory in bodies of f.
func (p *probed) indirect(f string) (n int) {
	for _, fn := range p.bodyDIEs(f) {
		for _, in := range p.graph(fn).Insns {
			if in.Kind == flow.IndirectJump {
				n++
			}
		}
	}
	return n
}

// selfJumps counts the ways back to the entry in bodies of f.
func (p *probed) selfJumps(f string) (n int) {
	for _, fn := range p.bodyDIEs(f) {
		g := p.graph(fn)
		n += len(g.Pred(g.Entry))
	}
	return n
}

// entryOf is what perf probe takes for the beginning of a copy.
func entryOf(c *dwarfinfo.Copy) uint64 {
	if c.HasEntry {
		return c.EntryPC
	}
	low := uint64(0)
	for _, r := range solid(c.Ranges) {
		if low == 0 || r.Low < low {
			low = r.Low
		}
	}
	return low
}

// behind counts the instructions of copies of f that stand behind a call and
// that nothing but that call could fall into, were it to return.
func (p *probed) behind(f string) (n int) {
	for _, c := range p.copies(f) {
		g, in := p.inside(c)
		for i := 1; i < len(in); i++ {
			if in[i] && g.Insns[i-1].Kind == flow.Call && !in[i-1] {
				n++
			}
		}
	}
	return n
}

// unrolled is the most instructions of one copy that begin a statement of
// its first line without following one of it.
func (p *probed) unrolled(f string) (n int) {
	for _, c := range p.copies(f) {
		lines, err := p.binary.Data().Lines(c.Unit)
		if err != nil {
			p.t.Fatal(err)
		}
		g, in := p.inside(c)
		var lead, before, here uint32
		times := 0
		for i := range in {
			if !in[i] {
				continue
			}
			row, _ := lines.At(g.Insns[i].Addr)
			before, here = here, row.Line
			if lead == 0 {
				lead = here
			}
			if here == lead && before != lead {
				times++
			}
		}
		n = max(n, times)
	}
	return n
}

// critical counts the instructions of copies of f that both a branch of the
// caller and the copy itself lead to.
func (p *probed) critical(f string) (n int) {
	for _, c := range p.copies(f) {
		g, in := p.inside(c)
		for i := range in {
			if in[i] && p.fromBranch(g, in, int32(i)) {
				n++
			}
		}
	}
	return n
}

func (p *probed) fromBranch(g *flow.Graph, in []bool, i int32) bool {
	branch, again := false, false
	for _, e := range g.Pred(i) {
		u := e.From
		for g.Insns[u].Nop && len(g.Pred(u)) == 1 {
			u = g.Pred(u)[0].From // padding before the loop
		}
		again = again || in[e.From]
		branch = branch || !in[e.From] && len(g.Succ(u)) > 1
	}
	return branch && again
}

// holes counts the instructions of a caller that a copy of f leads to and
// that lead back into it only.
func (p *probed) holes(f string) (n int) {
	for _, c := range p.copies(f) {
		g, in := p.inside(c)
		for i := range in {
			j := i
			for j < len(in) && !in[j] && len(g.Succ(int32(j))) == 1 && len(g.Pred(int32(j))) == 1 {
				j++
			}
			if j > i && j < len(in) && in[j] && i > 0 && in[i-1] {
				n++
			}
		}
	}
	return n
}
