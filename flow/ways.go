package flow

import (
	"slices"
	"sort"
)

// WayOptions say of what function the ways are, and what its code does not
// tell. Labels, Pad and Data of Options are not used.
type WayOptions struct {
	Options
	// Resumes tells whether control goes on behind the trap at an address, as
	// behind a kernel's warnings; nil: behind all.
	Resumes func(addr uint64) bool
	// Replaced tells whether the instruction at an address may be another one
	// when it runs; nil: none.
	Replaced func(addr uint64) bool
	// Thunk tells whether a jump to an address outside is a return; nil: none is.
	Thunk func(addr uint64) bool
}

// Ways are the ways of control through one function, from its entry to its
// ends: returns and jumps out of it. Where code does not tell where control
// goes, an indirect jump or unreadable bytes, that is taken for an end, so that
// there are rather too many ways than too few.
type Ways struct {
	opts  WayOptions
	insns []Insn
	entry int32
	to    []int32            // of a direct jump or call: where it goes, -1 if outside
	more  map[int32][]uint64 // where else control goes, of Options.Jumps

	seen   []uint32 // number of the search that came there
	search uint32
	work   []int32

	effects []*effect // for Succeeds
}

// NewWays disassembles a function. Its errors are those of Build.
func NewWays(opts WayOptions) (*Ways, error) {
	b, err := decoded(opts.Options)
	if err != nil {
		return nil, err
	}
	w := &Ways{opts: opts, insns: b.insns, more: map[int32][]uint64{}}
	w.trim()
	w.seen, w.to = make([]uint32, len(w.insns)), make([]int32, len(w.insns))
	w.entry = w.at(opts.Entry)
	for i := range w.insns {
		switch in := &w.insns[i]; in.Kind {
		case Jump, CondJump, Call:
			w.to[i] = w.at(in.Target)
		}
		if opts.Jumps != nil {
			if to := opts.Jumps(&w.insns[i]); len(to) > 0 {
				w.more[int32(i)] = to
			}
		}
	}
	return w, nil
}

// trim leaves out the padding behind the code.
func (w *Ways) trim() {
	n := len(w.insns)
	for n > 0 && (w.insns[n-1].Nop || w.insns[n-1].Kind == Trap && w.insns[n-1].Len == 1) {
		n--
	}
	w.insns = w.insns[:n]
}

// at gives the index of the instruction that starts at an address, -1 if none does.
func (w *Ways) at(addr uint64) int32 {
	i := sort.Search(len(w.insns), func(i int) bool { return w.insns[i].Addr >= addr })
	if i < len(w.insns) && w.insns[i].Addr == addr {
		return int32(i)
	}
	return -1
}

// behind gives the index of the instruction behind i, -1 if there is none.
func (w *Ways) behind(i int32) int32 {
	end := w.insns[i].End()
	if j := int(i) + 1; j < len(w.insns) && w.insns[j].Addr == end {
		return int32(j)
	}
	return w.at(end)
}

// Certain tells whether every way from the entry to an end executes one of the
// instructions at the given addresses. If there is no end it is false, and
// instructions that may be replaced do not count.
func (w *Ways) Certain(addrs []uint64) bool {
	if w.opts.Replaced != nil {
		addrs = slices.DeleteFunc(slices.Clone(addrs), w.opts.Replaced)
	}
	return len(addrs) > 0 && !w.ends(addrs, w.never) && w.ends(nil, w.never)
}

// Decisions is how many conditional jumps stand between two addresses.
func (w *Ways) Decisions(low, high uint64) (n int) {
	first := sort.Search(len(w.insns), func(i int) bool { return w.insns[i].Addr >= low })
	for _, in := range w.insns[first:] {
		if in.Addr >= high {
			break
		}
		if in.Kind == CondJump {
			n++
		}
	}
	return n
}

// Returns tells whether control can come back from the function. What depends
// on other functions coming back alone, those that it jumps to and those that
// its last instructions call, is false, with their addresses.
func (w *Ways) Returns() (yes bool, depends []uint64) {
	never := func(i int32) bool {
		if w.never(i) {
			return true
		}
		if w.insns[i].Kind == Call && w.behind(i) >= 0 {
			return false
		}
		depends = append(depends, w.insns[i].Target)
		return true
	}
	return w.ends(nil, never), depends
}

// ends looks for a way from the entry to an end past the instructions at
// avoid. never tells which direct calls and jumps to outside do not come back.
func (w *Ways) ends(avoid []uint64, never func(i int32) bool) bool {
	w.search++
	w.work = w.work[:0]
	if w.visit(w.entry) {
		return true
	}
	for len(w.work) > 0 {
		i := w.work[len(w.work)-1]
		w.work = w.work[:len(w.work)-1]
		if w.seen[i] == w.search {
			continue
		}
		w.seen[i] = w.search
		if !slices.Contains(avoid, w.insns[i].Addr) && w.step(i, never) {
			return true
		}
	}
	return false
}

// step adds where control goes behind an instruction, and tells whether that
// may be an end.
func (w *Ways) step(i int32, never func(i int32) bool) (end bool) {
	in := &w.insns[i]
	for _, addr := range w.more[i] {
		end = w.visit(w.at(addr)) || end
	}
	switch in.Kind {
	case Jump, CondJump:
		if w.to[i] >= 0 || !never(i) {
			end = w.visit(w.to[i]) || end
		}
	case Call:
		if w.to[i] >= 0 { // to itself, or for the address behind it
			w.visit(w.to[i])
		}
	case Return, IndirectJump, Unknown:
		end = true
	}
	if w.falls(i, never) {
		end = w.visit(w.behind(i)) || end
	}
	return end
}

// falls tells whether control may go on behind an instruction.
func (w *Ways) falls(i int32, never func(i int32) bool) bool {
	in := &w.insns[i]
	switch in.Kind {
	case Plain, CondJump, IndirectCall:
		return true
	case Call:
		if w.to[i] >= 0 || !never(i) {
			return true
		}
	case Trap:
		if w.opts.Resumes == nil || w.opts.Resumes(in.Addr) {
			return true
		}
	}
	return w.opts.Replaced != nil && w.opts.Replaced(in.Addr)
}

// never tells whether a direct call or jump goes to what does not come back.
func (w *Ways) never(i int32) bool {
	return w.opts.NoReturn != nil && w.opts.NoReturn(w.insns[i].Target)
}

// visit takes up an instruction; true if it is not in the function.
func (w *Ways) visit(i int32) bool {
	if i < 0 {
		return true
	}
	w.work = append(w.work, i)
	return false
}
