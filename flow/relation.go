package flow

import "math"

// relation compares two values.
type relation uint8

const (
	relNone relation = iota
	relEQ
	relNE
	relULT
	relUGE
	relULE
	relUGT
	relSLT
	relSGE
	relSLE
	relSGT
)

// not is the relation that holds when r does not.
func (r relation) not() relation {
	if r == relNone {
		return r
	}
	return (r - 1) ^ 1 + 1
}

// swap is the relation of y to x.
func (r relation) swap() relation {
	switch r {
	case relULT:
		return relUGT
	case relUGT:
		return relULT
	case relULE:
		return relUGE
	case relUGE:
		return relULE
	case relSLT:
		return relSGT
	case relSGT:
		return relSLT
	case relSLE:
		return relSGE
	case relSGE:
		return relSLE
	}
	return r
}

// unsigned is the same relation of values whose sign bit is not set.
func (r relation) unsigned() relation {
	if r >= relSLT {
		return r - relSLT + relULT
	}
	return r
}

// refine notes what a conditional jump tells about the values it compares.
func (a *analysis) refine(st *state, i int32, taken bool) {
	if a.g.Insns[i].Kind != CondJump {
		return
	}
	x, y, size, rel := a.arch.relation(st, i)
	if !taken {
		rel = rel.not()
	}
	a.learn(st, compare{x, y, size}, rel)
}

// learn notes that a relation holds between compared values.
func (a *analysis) learn(st *state, c compare, rel relation) {
	if c.x == 0 || c.y == 0 || rel == relNone {
		return
	}
	v, size := a.values, c.size
	x, y := c.x, c.y
	x, y = v.zext(x, size), v.zext(y, size)
	k, ok := v.isConst(y)
	if !ok {
		if k, ok = v.isConst(x); !ok {
			return
		}
		x, rel = y, rel.swap()
	}
	if x == 0 {
		return
	}
	if iv, ok := v.compared(st, x, k, size, rel); ok {
		v.constrain(st, x, iv)
	}
}

// compared gives the bounds of x that follow from its relation to k.
func (v *values) compared(st *state, x nodeID, k uint64, size uint8, rel relation) (interval, bool) {
	half := ones(size - 1)
	if rel >= relSLT {
		switch {
		case k > half:
			return interval{}, false
		case v.bounds(st, x).hi <= half:
			rel = rel.unsigned()
		case rel == relSGE, rel == relSGT && k < half:
			if rel == relSGT {
				k++
			}
			return interval{k, half, false}, true
		default:
			return interval{}, false
		}
	}
	switch rel {
	case relEQ:
		return interval{k, k, true}, true
	case relULE:
		return interval{0, k, true}, true
	case relULT:
		return interval{0, k - 1, true}, k > 0
	case relUGE:
		return v.atLeast(st, x, k), true
	case relUGT:
		return v.atLeast(st, x, k+1), k < math.MaxUint64
	}
	return interval{}, false
}

// atLeast bounds from below; what bounds from above stays as it was.
func (v *values) atLeast(st *state, x nodeID, k uint64) interval {
	iv := v.bounds(st, x)
	return interval{k, max(k, iv.hi), iv.exact}
}
