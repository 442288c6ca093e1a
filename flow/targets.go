package flow

import (
	"slices"
	"sort"
)

// jump is an indirect jump as the analysis sees it.
type jump struct {
	value nodeID
	st    *state // before it, as of the last visit
	grown int    // values.grown when the tables were read
	read  targets
	found map[int32]bool // instructions it leads to
}

// entriesPerStep is how many table entries are read in the time of one step.
const entriesPerStep = 16

// arrive comes to an indirect jump.
func (a *analysis) arrive(i int32, st *state) {
	j := a.jumps[i]
	if j == nil {
		j = &jump{grown: -1, found: map[int32]bool{}}
		a.jumps[i] = j
	}
	value := a.arch.target(st, i)
	if value != j.value {
		j.value, j.grown = value, -1
	}
	j.st = st
	a.follow(i, st)
	for _, to := range sortedKeys(j.found) {
		a.flow(to, st)
	}
}

// follow reads the tables of a jump if anything has changed, and goes to the
// targets that are new.
func (a *analysis) follow(i int32, st *state) {
	j := a.jumps[i]
	if j.grown == a.values.grown {
		return
	}
	j.grown = a.values.grown
	e := &enumeration{a: a, st: st, seen: map[nodeID]bool{}}
	var fresh []int32
	known := !a.fixedOperand(i) && e.each(j.value, func(addr uint64) verdict {
		if to, ok := a.g.At(addr); ok && a.g.Insns[to].Kind != Unknown {
			if !j.found[to] {
				j.found[to] = true
				fresh = append(fresh, to)
			}
			return inside
		}
		if a.b.ends(addr) {
			return nowhere
		}
		if _, within := a.b.inside(addr); !within && a.b.opts.Image.Executable(addr) {
			return outside
		}
		return wrong
	})
	a.steps += e.count / entriesPerStep
	j.read = e.read
	j.read.known = known
	slices.Sort(fresh)
	for _, to := range fresh {
		a.flow(to, st)
	}
}

// ends tells whether a range ends at an address.
func (b *builder) ends(addr uint64) bool {
	i := sort.Search(len(b.ranges), func(i int) bool { return b.ranges[i].High >= addr })
	return i < len(b.ranges) && b.ranges[i].High == addr
}

// fixedOperand tells whether a jump reads its target from one fixed place, as
// procedure linkage stubs do: no switch does, and what the file holds there
// is only where the dynamic linker begins.
func (a *analysis) fixedOperand(i int32) bool {
	c := a.g.Insns[i].Cond
	return c.Op == MemTarget && c.Reg == NoReg && c.Index == NoReg
}

func sortedKeys(m map[int32]bool) []int32 {
	keys := make([]int32, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// conclude adds the table edges and sorts the jumps into resolved, tail
// calls and unresolved.
func (a *analysis) conclude(jumps []int32) {
	edges := slices.Clone(a.g.succ)
	settled := !a.exhausted
	for _, i := range jumps {
		j := a.jumps[i]
		if j == nil {
			a.g.Unresolved = append(a.g.Unresolved, i)
			continue
		}
		for to := range j.found {
			edges = append(edges, Edge{i, to, Table})
		}
	}
	taken := a.interiorTaken()
	for _, i := range jumps {
		j := a.jumps[i]
		switch {
		case j == nil:
		case settled && j.resolved():
		case settled && a.tail(j, taken):
			a.g.Tails = append(a.g.Tails, i)
		default:
			a.g.Unresolved = append(a.g.Unresolved, i)
		}
	}
	slices.Sort(a.g.Unresolved)
	a.g.link(edges)
}

func (j *jump) resolved() bool {
	return j.read.known && len(j.found) > 0 && j.read.n[wrong] == 0
}

// tail tells whether a jump certainly leaves the function: it leads nowhere
// inside, and either all its targets are known to be outside, or no address
// inside the function is ever made, so that nobody could jump to one.
func (a *analysis) tail(j *jump, interiorTaken bool) bool {
	if len(j.found) > 0 {
		return false
	}
	return j.read.known && j.read.n[outside] > 0 && j.read.n[wrong] == 0 || !interiorTaken
}

// interiorTaken tells whether the code makes an address inside of itself, or
// of data that begins with such an address or a distance to one, other than
// for a resolved jump.
func (a *analysis) interiorTaken() bool {
	used := map[uint64]bool{}
	for _, j := range a.jumps {
		if j.resolved() {
			a.usedBy(j.value, used, 0)
		}
	}
	for addr := range a.made {
		if !used[addr] && (a.interior(addr) || a.interiorData(addr)) {
			return true
		}
	}
	return false
}

// interior tells whether an address is an instruction other than the entry.
func (a *analysis) interior(addr uint64) bool {
	_, ok := a.g.At(addr)
	return ok && addr != a.b.opts.Entry
}

// interiorData tells whether the data at an address begins like a jump table.
func (a *analysis) interiorData(addr uint64) bool {
	if a.b.opts.Image.Executable(addr) || !a.imageAddress(addr) {
		return false
	}
	if p, ok := a.b.entry(addr, 64); ok && a.interior(p) {
		return true
	}
	d, ok := a.b.entry(addr, 32)
	return ok && a.interior(addr+uint64(signExtend(d, 32)))
}

// usedBy collects the constants in a jump's value: bases and tables.
func (a *analysis) usedBy(id nodeID, used map[uint64]bool, depth int) {
	if id == 0 || depth > 2*maxDepth {
		return
	}
	n := &a.values.nodes[id]
	switch n.op {
	case opConst, opAdd, opTable:
		used[n.k] = true
	case opPhi:
		for _, alt := range a.values.alts[id] {
			if alt != id {
				a.usedBy(alt, used, depth+maxDepth)
			}
		}
		return
	case opSym, opLoad:
		return
	}
	if n.op != opTable {
		a.usedBy(n.a, used, depth+1)
	}
	if n.op == opSum || n.op == opTable {
		a.usedBy(n.b, used, depth+1)
	}
}
