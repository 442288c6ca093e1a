package flow

import "maps"

// place is where a value is kept: a register by DWARF number, or one of the
// following; a stack slot's place is slotPlace plus its number.
type place int32

const (
	placeMemory place = 32 // the version of memory
	slotPlace   place = 64
)

// slot is a piece of the stack frame: bytes at a stack pointer value plus
// an offset.
type slot struct {
	base nodeID
	off  int64
}

type slotValue struct {
	value nodeID
	size  uint8 // bytes
}

// compare is what the flags were last set from: x - y in size bits.
type compare struct {
	x, y nodeID
	size uint8
}

// state is what is known before an instruction.
type state struct {
	regs   [32]nodeID
	memory nodeID
	flags  compare
	slots  map[slot]slotValue
	bounds map[nodeID]interval
}

// maxSlots bounds the frame slots followed at once. Spilled table bases are
// few; interpreters at -O0 have some hundred locals.
const maxSlots = 512

func (st *state) clone() *state {
	c := *st
	c.slots = maps.Clone(st.slots)
	c.bounds = maps.Clone(st.bounds)
	return &c
}

// overwrite forgets the slots that size bytes at a slot overlap.
func (st *state) overwrite(s slot, size int64) {
	if int64(len(st.slots)) > size+8 {
		for off := s.off - 7; off < s.off+size; off++ {
			k := slot{s.base, off}
			if have, ok := st.slots[k]; ok && off+int64(have.size) > s.off {
				delete(st.slots, k)
			}
		}
		return
	}
	for k, have := range st.slots {
		if k.base == s.base && k.off < s.off+size && s.off < k.off+int64(have.size) {
			delete(st.slots, k)
		}
	}
}

// mergeInto joins a state that arrives at instruction i with what is known
// there already, and tells whether that changed. A place that arrives with two
// values becomes a phi and stays one: so a state seen first around a loop
// never mentions values made inside the loop, and equal ids stay equal values.
func (a *analysis) mergeInto(in *state, i int32, st *state) bool {
	changed := false
	for r := range in.regs {
		if a.mergePlace(in, i, st, place(r), &in.regs[r], st.regs[r]) {
			changed = true
		}
	}
	if a.mergePlace(in, i, st, placeMemory, &in.memory, st.memory) {
		changed = true
	}
	for k, have := range in.slots {
		other, ok := st.slots[k]
		if !ok || other.size != have.size {
			delete(in.slots, k)
			changed = true
			continue
		}
		if a.mergePlace(in, i, st, a.slotPlace(k), &have.value, other.value) {
			in.slots[k] = have
			changed = true
		}
	}
	if in.flags != st.flags && in.flags != (compare{}) {
		in.flags = compare{}
		changed = true
	}
	return a.mergeBounds(in, i, st) || changed
}

func (a *analysis) mergePlace(in *state, i int32, st *state, at place, have *nodeID, arrives nodeID) bool {
	v := a.values
	if *have == arrives {
		return false
	}
	phi := v.phi(i, at)
	iv := v.bounds(st, arrives)
	v.merged(phi, arrives)
	if *have == phi {
		old := v.bounds(in, phi)
		wide := old.widen(iv)
		setBounds(in, phi, wide)
		return wide != old
	}
	v.merged(phi, *have)
	setBounds(in, phi, v.bounds(in, *have).hull(iv))
	*have = phi
	return true
}

func setBounds(st *state, id nodeID, iv interval) {
	if iv.full() {
		delete(st.bounds, id)
		return
	}
	st.bounds[id] = iv
}

// mergeBounds keeps the bounds that hold on both ways.
func (a *analysis) mergeBounds(in *state, i int32, st *state) bool {
	changed := false
	for id, have := range in.bounds {
		if n := &a.values.nodes[id]; n.op == opPhi && n.k == uint64(uint32(i)) {
			continue // made here: mergePlace has seen to it
		}
		wide := have.hull(a.values.bounds(st, id))
		if wide != have {
			setBounds(in, id, wide)
			changed = true
		}
	}
	return changed
}

// slotPlace numbers the slots.
func (a *analysis) slotPlace(s slot) place {
	p, ok := a.slotPlaces[s]
	if !ok {
		p = slotPlace + place(len(a.slotPlaces))
		a.slotPlaces[s] = p
	}
	return p
}
