package flow

import (
	"slices"

	"github.com/surehook/surehook/elfbin"
)

// resolve finds the targets of indirect jumps by following values through
// the whole function: table addresses made far away, kept in registers or
// spilled, and the comparisons that bound the index.
func resolve(b *builder, g *Graph) {
	var jumps []int32
	for i := range g.Insns {
		if g.Insns[i].Kind == IndirectJump {
			jumps = append(jumps, int32(i))
		}
	}
	if len(jumps) == 0 {
		return
	}
	analyse(b, g, jumps).conclude(jumps)
}

func analyse(b *builder, g *Graph, jumps []int32) *analysis {
	a := newAnalysis(b, g)
	if a.run(jumps) == rerun {
		// A frame address turned out to escape: start again, knowing it.
		a = newAnalysis(b, g)
		a.escapes = true
		a.run(jumps)
	}
	return a
}

// analysis follows values through one function, forwards, to a fixed point.
type analysis struct {
	b      *builder
	g      *Graph
	values *values
	arch   stepper

	in         []*state // by instruction; nil where no block begins
	owner      []int32  // the block that an instruction was walked in, -1 if in none
	leader     []bool
	queued     []bool
	queue      []int32
	firm       []bool // reached from the entry: unreached code must not blur it
	slotPlaces map[slot]place
	jumps      map[int32]*jump
	made       map[uint64]bool // addresses that the code makes: one inside a table is the next table's
	escapes    bool            // a frame address is given away
	asked      bool            // escapes was found in this run
	late       bool            // walking code that the entry does not reach
	seeds      []int32         // where walks of such code began
	looked     int             // values.grown at the last lookAgain
	steps      int
	exhausted  bool // the limits are reached: nothing found is complete
	limit      int
}

// stepper is the part of the analysis that knows the instruction set.
type stepper interface {
	// step updates the state by an instruction that is no call and no jump.
	step(st *state, i int32)
	// called updates the state by a call.
	called(st *state, i int32)
	// target gives the value that an indirect jump leads to.
	target(st *state, i int32) nodeID
	// relation gives what a conditional jump compares if it is taken.
	relation(st *state, i int32) (x, y nodeID, size uint8, rel relation)
	stackPointer() place
	// frameRegister tells whether addresses in a register are the frame's own
	// business, not given away.
	frameRegister(r place) bool
}

// The limits of the analysis, in steps: visits of instructions and arrivals
// of states at blocks. Two to ten for an instruction are usual, an interpreter
// with a hundred copies of its dispatch needs some twenty; past the limits the
// jumps stay unresolved. A step takes about a microsecond.
const (
	stepsPerInsn = 50
	stepsAlways  = 2_000_000
	stepsAtMost  = 50_000_000
)

// outcome tells how a run ended.
type outcome uint8

const (
	settled outcome = iota
	rerun
	gaveUp
)

func newAnalysis(b *builder, g *Graph) *analysis {
	n := len(g.Insns)
	a := &analysis{
		b: b, g: g, values: newValues(),
		in: make([]*state, n), owner: make([]int32, n), leader: make([]bool, n),
		queued: make([]bool, n), firm: make([]bool, n),
		slotPlaces: map[slot]place{}, jumps: map[int32]*jump{},
		made:  map[uint64]bool{},
		limit: min(stepsPerInsn*n+stepsAlways, stepsAtMost),
	}
	if b.opts.Arch == elfbin.AMD64 {
		a.arch = newX86Stepper(a)
	} else {
		a.arch = newARM64Stepper(a)
	}
	for i := range n {
		a.owner[i] = -1
		pred := g.Pred(int32(i))
		a.leader[i] = len(pred) > 1 || len(pred) == 1 && pred[0].Kind == Taken
	}
	return a
}

// run walks all code, first what the entry reaches, then the rest.
func (a *analysis) run(jumps []int32) outcome {
	if a.g.Entry >= 0 {
		a.leader[a.g.Entry] = true
		a.in[a.g.Entry] = a.entryState()
		a.push(a.g.Entry)
		if out := a.settle(); out != settled {
			return out
		}
	}
	for i := range a.owner {
		a.firm[i] = a.owner[i] >= 0
	}
	a.late = true
	for _, i := range jumps {
		for a.owner[i] < 0 {
			start := a.blockStart(i)
			a.leader[start] = true
			a.in[start] = a.unknownState(start)
			a.seeds = append(a.seeds, start)
			a.push(start)
			if out := a.settle(); out != settled {
				return out
			}
		}
	}
	return a.refresh()
}

// refresh collects the alternatives of merges once more, from the final
// states: the ones seen on the way there may be outdated.
func (a *analysis) refresh() outcome {
	a.values.forget()
	for _, i := range a.seeds {
		a.unknownState(i)
	}
	for _, late := range [...]bool{false, true} {
		a.late = late
		for i, in := range a.in {
			if in != nil && a.firm[i] != late {
				a.push(int32(i))
			}
		}
		if out := a.settle(); out != settled {
			return out
		}
	}
	return settled
}

// blockStart goes back from an instruction that was not reached along its
// only ways, to where the way is lost: there the walk can begin.
func (a *analysis) blockStart(i int32) int32 {
	seen := map[int32]bool{}
	for !seen[i] {
		seen[i] = true
		pred := a.g.Pred(i)
		if len(pred) == 0 || a.owner[pred[0].From] >= 0 {
			return i
		}
		i = pred[0].From
	}
	return i
}

// settle walks until nothing changes.
func (a *analysis) settle() outcome {
	for {
		for len(a.queue) > 0 {
			i := a.queue[0]
			a.queue = a.queue[1:]
			a.queued[i] = false
			a.walk(i)
			if a.asked && !a.escapes {
				return rerun
			}
			if a.steps > a.limit || len(a.values.nodes) >= maxNodes {
				a.exhausted = true
				return gaveUp
			}
		}
		if !a.lookAgain() {
			return settled
		}
	}
}

// lookAgain reads the tables of all jumps anew, as their alternatives may
// have grown, and tells whether there is more to walk.
func (a *analysis) lookAgain() bool {
	if a.looked == a.values.grown {
		return false
	}
	a.looked = a.values.grown
	var order []int32
	for i := range a.jumps {
		order = append(order, i)
	}
	slices.Sort(order)
	for _, i := range order {
		a.follow(i, a.jumps[i].st)
	}
	return len(a.queue) > 0
}

func (a *analysis) push(i int32) {
	if !a.queued[i] {
		a.queued[i] = true
		a.queue = append(a.queue, i)
	}
}

// entryState gives every place its own unknown value.
func (a *analysis) entryState() *state {
	st := &state{slots: map[slot]slotValue{}, bounds: map[nodeID]interval{}}
	for r := range st.regs {
		st.regs[r] = a.values.opaque(-1, place(r))
	}
	st.memory = a.values.opaque(-1, placeMemory)
	return st
}

// unknownState is the state where control comes from nobody knows where.
func (a *analysis) unknownState(i int32) *state {
	st := a.entryState()
	for r := range st.regs {
		st.regs[r] = a.values.phi(i, place(r))
		a.values.fromNowhere(st.regs[r])
	}
	st.memory = a.values.phi(i, placeMemory)
	return st
}

// walk follows one block from its start.
func (a *analysis) walk(start int32) {
	st := a.in[start].clone()
	for i := start; ; {
		a.owner[i] = start
		a.steps++
		in := &a.g.Insns[i]
		switch in.Kind {
		case Call, IndirectCall:
			a.arch.called(st, i)
		case IndirectJump:
			a.arrive(i, st)
			return
		case CondJump, Plain:
			a.arch.step(st, i)
		}
		next := int32(-1)
		for _, e := range a.g.Succ(i) {
			if e.Kind == Fall {
				next = e.To
				continue
			}
			taken := st.clone()
			a.refine(taken, i, true)
			a.flow(e.To, taken)
		}
		if next < 0 {
			return
		}
		a.refine(st, i, false)
		if a.leader[next] {
			a.flow(next, st)
			return
		}
		i = next
	}
}

// flow brings a state to the start of a block.
func (a *analysis) flow(to int32, st *state) {
	a.steps++
	if a.late && a.firm[to] {
		return
	}
	if !a.leader[to] {
		a.leader[to] = true
		if a.owner[to] >= 0 {
			a.push(a.owner[to]) // it ran through here: now it ends here
		}
	}
	if a.in[to] == nil {
		a.in[to] = st.clone()
		a.push(to)
		return
	}
	if a.mergeInto(a.in[to], to, st) {
		a.push(to)
	}
}
