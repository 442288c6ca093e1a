package flow

// lowestAddress is where most file images begin to hold code and constants;
// a smaller number is an address only if an instruction makes it as one.
const lowestAddress = 0x1000

// imageAddress tells whether a number can be the address of data in the file.
func (a *analysis) imageAddress(k uint64) bool {
	return (k >= lowestAddress || a.made[k]) && len(a.b.opts.Image.Bytes(k, 1)) == 1
}

// stackSlot tells whether an address is in the frame, and where.
func (a *analysis) stackSlot(addr nodeID) (slot, bool) {
	n := &a.values.nodes[addr]
	s := slot{base: addr}
	if n.op == opAdd {
		s = slot{base: n.a, off: int64(n.k)}
	}
	base := &a.values.nodes[s.base]
	for base.op == opAnd || base.op == opAdd { // frames aligned by and
		base = &a.values.nodes[base.a]
	}
	ok := (base.op == opSym || base.op == opPhi) && place(base.b) == a.arch.stackPointer()
	return s, ok
}

// load gives the value of size bits at an address, zero-extended.
func (a *analysis) load(st *state, addr nodeID, size uint8) nodeID {
	v := a.values
	if addr == 0 || size > 64 {
		return 0
	}
	if s, ok := a.stackSlot(addr); ok {
		if have, ok := st.slots[s]; ok && have.size*8 >= size {
			return v.zext(have.value, size)
		}
		return v.intern(node{op: opLoad, a: addr, b: st.memory, size: size})
	}
	if n, ok := a.tableLoad(st, addr); ok {
		n.size = size
		return v.intern(n)
	}
	return v.intern(node{op: opLoad, a: addr, b: st.memory, size: size})
}

// tableLoad recognises an address that is a constant, or one of several,
// plus something else.
func (a *analysis) tableLoad(st *state, addr nodeID) (node, bool) {
	v := a.values
	n := v.nodes[addr]
	t := node{op: opTable}
	if n.op == opAdd {
		// A biased table's base may lie before the image; its first entry does not.
		scaled := v.nodes[n.a].op == opShl
		if a.imageAddress(n.k) || scaled && a.imageAddress(n.k+v.bounds(st, n.a).lo) {
			t.k, t.a = n.k, n.a
			return a.bounded(st, t), true
		}
		t.k = n.k
		n = v.nodes[n.a]
	}
	if n.op != opSum {
		return node{}, false
	}
	for _, pair := range [...][2]nodeID{{n.a, n.b}, {n.b, n.a}} {
		if a.baseChoice(pair[0]) {
			t.b, t.a = pair[0], pair[1]
			return a.bounded(st, t), true
		}
	}
	return node{}, false
}

// baseChoice tells whether a value is a merge of table addresses.
func (a *analysis) baseChoice(id nodeID) bool {
	if a.values.nodes[id].op != opPhi {
		return false
	}
	for _, alt := range a.values.alts[id] {
		if k, ok := a.values.isConst(alt); ok && a.imageAddress(k) {
			return true
		}
	}
	return false
}

// bounded notes in a table what is known of its index where it is read:
// further on, ways join and the comparison is forgotten.
func (a *analysis) bounded(st *state, t node) node {
	iv := a.values.bounds(st, t.a)
	t.lo, t.hi, t.exact = iv.lo, iv.hi, iv.exact
	if !t.exact {
		t.lo = 0
	}
	return t
}

// store writes size bits of a value.
func (a *analysis) store(st *state, i int32, addr, value nodeID, size int) {
	st.memory = a.values.opaque(i, placeMemory)
	s, ok := a.stackSlot(addr)
	if !ok {
		a.spoilFrame(st)
		return
	}
	bytes := max(1, size/8)
	st.overwrite(s, int64(bytes))
	if value != 0 && bytes <= 8 && len(st.slots) < maxSlots {
		st.slots[s] = slotValue{a.values.zext(value, uint8(size)), uint8(bytes)}
	}
}

// spoilFrame forgets what a store through a pointer, or a callee, may have
// changed. Addresses of the image stay: a spilled table base is never
// written again, and nobody has its address.
func (a *analysis) spoilFrame(st *state) {
	if !a.escapes {
		return
	}
	for k, have := range st.slots {
		if c, ok := a.values.isConst(have.value); !ok || !a.imageAddress(c) {
			delete(st.slots, k)
		}
	}
}

// set puts a value into a register; 0 is a new value nobody knows.
func (a *analysis) set(st *state, i int32, r place, value nodeID) {
	if value == 0 {
		value = a.values.opaque(i, r)
	} else if _, ok := a.stackSlot(value); ok && !a.arch.frameRegister(r) {
		a.asked = true
	}
	st.regs[r] = value
}
