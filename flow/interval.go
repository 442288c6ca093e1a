package flow

import "math"

// interval bounds a value: lo <= value <= hi, unsigned.
type interval struct {
	lo, hi uint64
	exact  bool // from comparisons, not from the width of a load or a mask
}

func anything() interval { return interval{0, math.MaxUint64, false} }

func (iv interval) full() bool { return iv.lo == 0 && iv.hi == math.MaxUint64 }

// hull is the smallest interval that holds both.
func (iv interval) hull(o interval) interval {
	return interval{min(iv.lo, o.lo), max(iv.hi, o.hi), iv.exact && o.exact}
}

// meet is what both intervals hold. Contradictions (dead code) give the
// newer one.
func (iv interval) meet(o interval) interval {
	m := interval{max(iv.lo, o.lo), min(iv.hi, o.hi), o.exact}
	if iv.hi < o.hi {
		m.exact = iv.exact
	}
	if m.lo > m.hi {
		return o
	}
	return m
}

// widen makes growing intervals come to an end: the bound jumps to the next
// width of an integer.
func (iv interval) widen(o interval) interval {
	h := iv.hull(o)
	if h.lo < iv.lo {
		h.lo = 0
	}
	if h.hi > iv.hi {
		for _, step := range [...]uint64{math.MaxUint8, math.MaxUint16, math.MaxInt32, math.MaxUint32, math.MaxUint64} {
			if h.hi <= step {
				h.hi, h.exact = step, false
				break
			}
		}
	}
	return h
}

// bounds gives what is known of a value's size in a state.
func (v *values) bounds(st *state, id nodeID) interval {
	iv := v.formBounds(st, id)
	if known, ok := st.bounds[id]; ok {
		return iv.meet(known)
	}
	return iv
}

// formBounds follows from the form of the value and the bounds of its parts.
func (v *values) formBounds(st *state, id nodeID) interval {
	n := &v.nodes[id]
	switch n.op {
	case opConst:
		return interval{n.k, n.k, true}
	case opAnd:
		return interval{0, n.k, false}
	case opLoad, opTable:
		return interval{0, ones(n.size), false}
	case opShl:
		if a := v.bounds(st, n.a); a.hi <= math.MaxUint64>>n.k {
			return interval{a.lo << n.k, a.hi << n.k, a.exact}
		}
	case opAdd:
		return v.bounds(st, n.a).plus(n.k, 64)
	case opSum:
		a, b := v.bounds(st, n.a), v.bounds(st, n.b)
		if a.hi+b.hi >= a.hi {
			return interval{a.lo + b.lo, a.hi + b.hi, a.exact && b.exact}
		}
	case opZext:
		return v.zextBounds(st, n.a, n.size)
	case opSext:
		low := v.zextBounds(st, n.a, n.size)
		if z := v.zext(n.a, n.size); z != n.a {
			low = v.bounds(st, z)
		}
		if low.hi <= ones(n.size-1) {
			return low
		}
	}
	return anything()
}

// zextBounds bounds the low size bits of a.
func (v *values) zextBounds(st *state, a nodeID, size uint8) interval {
	if iv := v.bounds(st, a); iv.hi <= ones(size) {
		return iv
	}
	return interval{0, ones(size), false}
}

// plus shifts an interval by k modulo 2^size; all values if it wraps.
func (iv interval) plus(k uint64, size uint8) interval {
	lo, hi := (iv.lo+k)&ones(size), (iv.hi+k)&ones(size)
	if lo > hi || iv.hi-iv.lo >= ones(size) {
		return interval{0, ones(size), false}
	}
	return interval{lo, hi, iv.exact}
}

func ones(size uint8) uint64 {
	if size >= 64 {
		return math.MaxUint64
	}
	return 1<<size - 1
}

// constrain notes that a value lies in an interval, and what follows for the
// values it was made of.
func (v *values) constrain(st *state, id nodeID, iv interval) {
	n := v.nodes[id]
	if id == 0 || n.op == opConst || iv.full() {
		return
	}
	st.bounds[id] = v.bounds(st, id).meet(iv)
	switch n.op {
	case opAdd:
		if in := iv.plus(-n.k, 64); !in.full() {
			v.constrain(st, n.a, in)
		}
	case opShl:
		v.constrain(st, n.a, interval{(iv.lo + ones(uint8(n.k))) >> n.k, iv.hi >> n.k, iv.exact})
	case opZext:
		v.constrainZext(st, n.a, n.size, iv)
	case opSext:
		if iv.hi <= ones(n.size-1) {
			v.constrain(st, v.zext(n.a, n.size), iv)
		}
	}
}

func (v *values) constrainZext(st *state, a nodeID, size uint8, iv interval) {
	if v.bounds(st, a).hi <= ones(size) {
		v.constrain(st, a, iv)
		return
	}
	if n := v.nodes[a]; n.op == opAdd {
		in := iv.plus(-n.k&ones(size), size)
		if z := v.zext(n.a, size); in.hi-in.lo < ones(size) {
			v.constrain(st, z, in)
		}
	}
}
