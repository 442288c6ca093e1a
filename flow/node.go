package flow

import "math/bits"

// nodeID names a value in the analysis of one function; 0 is "not known".
type nodeID int32

type nodeOp uint8

// The forms of values.
const (
	opNone  nodeOp = iota
	opConst        // k
	opSym          // whatever instruction or merge k left in place b: equal ids, equal values
	opPhi          // as opSym, one of alts[id]
	opAdd          // a + k
	opSum          // a + b
	opShl          // a << k
	opZext         // low size bits of a
	opSext         // the same, sign-extended
	opAnd          // a & k
	opLoad         // size bits at address a, memory as of version b
	opTable        // size bits at k (+ base b) + a, where lo <= a <= hi
)

// node is a value as an expression over earlier values. Nodes are shared:
// equal expressions have equal ids, so a guard on a value bounds its copies.
type node struct {
	op     nodeOp
	size   uint8 // bits
	depth  uint8 // levels down to the next load or unknown
	exact  bool  // opTable: lo and hi come from comparisons
	a, b   nodeID
	k      uint64
	lo, hi uint64 // opTable: bounds of a, in bytes
}

const (
	maxDepth = 12      // an address computation of a switch has 6 levels
	maxNodes = 4 << 20 // past that the input is hostile
)

// values makes and keeps nodes.
type values struct {
	nodes []node
	ids   map[node]nodeID
	alts  map[nodeID][]nodeID // of an opPhi: what was merged
	known map[[2]nodeID]struct{}
	grown int // counts additions to alts
}

func newValues() *values {
	return &values{
		nodes: make([]node, 1), ids: map[node]nodeID{},
		alts: map[nodeID][]nodeID{}, known: map[[2]nodeID]struct{}{},
	}
}

func (v *values) intern(n node) nodeID {
	switch n.op {
	case opSym, opPhi, opLoad, opTable: // nothing looks deeper than here
	default:
		n.depth = max(v.nodes[n.a].depth, v.nodes[n.b].depth) + 1
	}
	if n.depth > maxDepth || len(v.nodes) >= maxNodes {
		return 0
	}
	id, ok := v.ids[n]
	if !ok {
		id = nodeID(len(v.nodes))
		v.nodes = append(v.nodes, n)
		v.ids[n] = id
	}
	return id
}

func (v *values) constant(k uint64) nodeID { return v.intern(node{op: opConst, k: k}) }

// isConst gives the number that a value is known to be.
func (v *values) isConst(id nodeID) (uint64, bool) {
	n := &v.nodes[id]
	return n.k, n.op == opConst
}

// opaque is the value that instruction i left in a place and of which nothing
// is known.
func (v *values) opaque(i int32, at place) nodeID {
	return v.intern(node{op: opSym, k: uint64(uint32(i)), b: nodeID(at)})
}

// phi is the merge, at the entry of instruction i, of several values of a place.
func (v *values) phi(i int32, at place) nodeID {
	return v.intern(node{op: opPhi, k: uint64(uint32(i)), b: nodeID(at)})
}

func (v *values) add(a nodeID, k uint64) nodeID {
	n := v.nodes[a]
	switch {
	case a == 0 || k == 0:
		return a
	case n.op == opConst:
		return v.constant(n.k + k)
	case n.op == opAdd:
		return v.add(n.a, n.k+k)
	}
	return v.intern(node{op: opAdd, a: a, k: k})
}

func (v *values) sum(a, b nodeID) nodeID {
	if a == 0 || b == 0 {
		return 0
	}
	for range 2 {
		if k, ok := v.isConst(b); ok {
			return v.add(a, k)
		}
		if n := v.nodes[b]; n.op == opAdd {
			return v.add(v.sum(a, n.a), n.k)
		}
		a, b = b, a
	}
	return v.intern(node{op: opSum, a: min(a, b), b: max(a, b)})
}

func (v *values) shl(a nodeID, k uint64) nodeID {
	switch {
	case a == 0 || k == 0:
		return a
	case k >= 64:
		return 0
	}
	if c, ok := v.isConst(a); ok {
		return v.constant(c << k)
	}
	if n := v.nodes[a]; n.op == opShl {
		return v.shl(n.a, n.k+k)
	}
	return v.intern(node{op: opShl, a: a, k: k})
}

func (v *values) and(a nodeID, mask uint64) nodeID {
	if a == 0 {
		return 0
	}
	if c, ok := v.isConst(a); ok {
		return v.constant(c & mask)
	}
	switch mask {
	case 0xff, 0xffff, 0xffffffff:
		return v.zext(a, uint8(bits.Len64(mask)))
	}
	return v.intern(node{op: opAnd, a: a, k: mask})
}

// width is the number of bits that a value can have set, by its form alone.
func (v *values) width(a nodeID) uint8 {
	n := &v.nodes[a]
	switch n.op {
	case opConst, opAnd:
		return uint8(bits.Len64(n.k))
	case opZext, opLoad, opTable:
		return n.size
	case opShl:
		return uint8(min(64, uint64(v.width(n.a))+n.k))
	}
	return 64
}

func (v *values) zext(a nodeID, size uint8) nodeID {
	if a == 0 || size >= 64 || v.width(a) <= size {
		return a
	}
	n := v.nodes[a]
	switch {
	case n.op == opConst:
		return v.constant(n.k & (1<<size - 1))
	case n.op == opZext, n.op == opSext && n.size >= size:
		return v.zext(n.a, min(size, n.size))
	}
	return v.intern(node{op: opZext, a: a, size: size})
}

func (v *values) sext(a nodeID, size uint8) nodeID {
	if a == 0 || size >= 64 || v.width(a) < size {
		return a
	}
	n := v.nodes[a]
	switch {
	case n.op == opConst:
		return v.constant(uint64(signExtend(n.k, uint(size))))
	case n.op == opSext && n.size <= size:
		return a
	case n.op == opZext && n.size >= size:
		return v.sext(n.a, size)
	}
	return v.intern(node{op: opSext, a: a, size: size})
}

// merged notes that a value is among the alternatives of a phi.
func (v *values) merged(phi, value nodeID) {
	if phi == value || phi == 0 {
		return
	}
	pair := [2]nodeID{phi, value}
	if _, ok := v.known[pair]; ok {
		return
	}
	v.known[pair] = struct{}{}
	v.alts[phi] = append(v.alts[phi], value)
	v.grown++
}

// fromNowhere notes that a phi can be anything.
func (v *values) fromNowhere(phi nodeID) { v.alts[phi] = append(v.alts[phi], 0) }

// forget drops all alternatives.
func (v *values) forget() {
	v.alts = map[nodeID][]nodeID{}
	v.known = map[[2]nodeID]struct{}{}
	v.grown++
}
