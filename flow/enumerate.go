package flow

import (
	"encoding/binary"
	"slices"

	"github.com/surehook/surehook/elfbin"
)

const (
	// maxEntries bounds a jump table. GCC and clang make none with more than
	// some thousand entries; generated lexers come to 10,000.
	maxEntries = 1 << 16
	// maxAlternatives bounds the values looked at for one jump.
	maxAlternatives = 1 << 18
)

// enumeration lists the values that an expression can have.
type enumeration struct {
	a    *analysis
	st   *state
	seen map[nodeID]bool
	// choice is the table base chosen of several, for as long as one value
	// is being looked at: base and table go together.
	phi    nodeID
	chosen uint64
	count  int
	read   targets
}

// verdict is what a possible target turned out to be.
type verdict uint8

const (
	inside  verdict = iota // an instruction of the graph
	outside                // code outside of the ranges
	wrong                  // neither
	// nowhere is the end of a range: clang's mark for cases that cannot be,
	// as entries between others that can.
	nowhere
)

// targets counts what a reading of a jump's value gave.
type targets struct {
	known bool // every alternative of the value was understood
	n     [nowhere + 1]int
}

// note counts a target.
func (e *enumeration) note(v verdict) { e.read.n[v]++ }

// each gives all values of an expression to yield. The first value that is
// not inside ends a table whose length is not known. It is false if some values are not known.
func (e *enumeration) each(id nodeID, yield func(uint64) verdict) bool {
	if e.count++; e.count > maxAlternatives {
		return false
	}
	n := e.a.values.nodes[id]
	switch n.op {
	case opConst:
		e.note(yield(n.k))
		return true
	case opAdd:
		return e.each(n.a, func(x uint64) verdict { return yield(x + n.k) })
	case opShl:
		if iv := e.a.values.bounds(e.st, n.a); (iv.exact || e.masked(n.a)) && iv.hi-iv.lo < maxEntries {
			return e.span(iv, func(x uint64) verdict { return yield(x << n.k) })
		}
		return e.each(n.a, func(x uint64) verdict { return yield(x << n.k) })
	case opZext:
		return e.each(n.a, func(x uint64) verdict { return yield(x & ones(n.size)) })
	case opSext:
		return e.each(n.a, func(x uint64) verdict { return yield(uint64(signExtend(x, uint(n.size)))) })
	case opAnd:
		return e.each(n.a, func(x uint64) verdict { return yield(x & n.k) })
	case opSum:
		return e.sum(n, yield)
	case opPhi:
		return e.alternatives(id, yield)
	case opTable:
		return e.table(n, yield)
	case opLoad:
		return e.cell(n, yield)
	}
	return false
}

// masked tells whether a value is some bits of an unknown one, not of a table's
// entry: code that computes its targets (memmove) jumps to all of them.
func (e *enumeration) masked(id nodeID) bool {
	n := &e.a.values.nodes[id]
	if n.op != opAnd {
		return false
	}
	op := e.a.values.nodes[n.a].op
	return op == opSym || op == opPhi || op == opLoad || op == opZext && e.a.values.nodes[e.a.values.nodes[n.a].a].op == opSym
}

// cell reads what is stored at a fixed address: an entry of a table whose
// index is a constant (so far), or a variable, of which the first value says
// nothing for sure. Distances are never variables.
func (e *enumeration) cell(n node, yield func(uint64) verdict) bool {
	addr, ok := e.a.values.isConst(n.a)
	if !ok || !e.a.imageAddress(addr) {
		return false
	}
	x, ok := e.a.b.entry(addr, n.size)
	if !ok || yield(x) != inside {
		return false
	}
	e.note(inside)
	return n.size < 64
}

func (e *enumeration) span(iv interval, yield func(uint64) verdict) bool {
	for x := iv.lo; ; x++ {
		e.note(yield(x))
		if x == iv.hi {
			return true
		}
	}
}

func (e *enumeration) alternatives(id nodeID, yield func(uint64) verdict) bool {
	if id == e.phi {
		e.note(yield(e.chosen))
		return true
	}
	if e.seen[id] {
		return true // a loop adds nothing of its own
	}
	e.seen[id] = true
	defer delete(e.seen, id)
	alts := e.a.values.alts[id]
	known := len(alts) > 0
	for _, alt := range alts {
		known = e.each(alt, yield) && known
	}
	return known
}

// sum adds a table's entry to a base that is one of several constants.
func (e *enumeration) sum(n node, yield func(uint64) verdict) bool {
	for _, pair := range [...][2]nodeID{{n.a, n.b}, {n.b, n.a}} {
		if e.a.values.nodes[pair[0]].op != opPhi {
			continue
		}
		if known, ok := e.choose(pair[0], func(c uint64) bool {
			return e.each(pair[1], func(x uint64) verdict { return yield(x + c) })
		}); ok {
			return known
		}
	}
	return false
}

// choose runs f for each constant that a phi can be; ok is false if it is
// none at all.
func (e *enumeration) choose(phi nodeID, f func(c uint64) bool) (known, ok bool) {
	if phi == e.phi {
		return f(e.chosen), true
	}
	if e.phi != 0 {
		return false, false // one choice at a time
	}
	consts := map[uint64]bool{}
	known = e.constants(phi, consts, map[nodeID]bool{})
	defer func() { e.phi = 0 }()
	for c := range consts {
		e.phi, e.chosen = phi, c
		known = f(c) && known
	}
	return known, len(consts) > 0
}

// constants collects the constants among the alternatives of a phi.
func (e *enumeration) constants(id nodeID, into map[uint64]bool, seen map[nodeID]bool) bool {
	if seen[id] {
		return true
	}
	seen[id] = true
	n := &e.a.values.nodes[id]
	switch n.op {
	case opConst:
		into[n.k] = true
		return true
	case opPhi:
		alts := e.a.values.alts[id]
		known := len(alts) > 0
		for _, alt := range alts {
			known = e.constants(alt, into, seen) && known
		}
		return known
	}
	return false
}

// table reads the entries of a jump table.
func (e *enumeration) table(n node, yield func(uint64) verdict) bool {
	if n.b != 0 {
		known, ok := e.choose(n.b, func(c uint64) bool { return e.entries(n, n.k+c, yield) })
		return known && ok
	}
	return e.entries(n, n.k, yield)
}

func (e *enumeration) entries(n node, base uint64, yield func(uint64) verdict) bool {
	stride := e.a.values.stride(n.a, uint64(n.size)/8)
	for off, i := n.lo, 0; off <= n.hi && i < maxEntries; off, i = off+stride, i+1 {
		addr := base + off
		x, ok := e.a.b.entry(addr, n.size)
		if e.count++; !ok && n.exact || e.count > maxAlternatives {
			return false
		}
		if !n.exact && i > 0 && (!ok || e.a.begins(addr)) {
			return e.a.ends(n)
		}
		v := wrong
		if ok {
			v = yield(x)
		}
		if !n.exact && v != inside && v != nowhere {
			if i == 0 {
				e.note(v)
				return v == outside
			}
			return e.a.ends(n)
		}
		e.note(v)
		if off+stride < off {
			break
		}
	}
	return true
}

// begins tells whether other data is known to begin at an address.
func (a *analysis) begins(addr uint64) bool {
	if a.made[addr] {
		return true
	}
	_, ok := slices.BinarySearch(a.b.opts.Data, addr)
	return ok
}

// ends tells whether the end of a table without a bound can be seen: where
// an entry is no instruction. On arm64 any number of four bytes or less may
// look like an entry, so all beginnings of data must be known.
func (a *analysis) ends(n node) bool {
	return n.size == 64 || a.b.opts.Data != nil || n.size == 32 && a.b.opts.Arch == elfbin.AMD64
}

// entry reads a table entry of size bits: a pointer, or a number.
func (b *builder) entry(addr uint64, size uint8) (uint64, bool) {
	if size == 64 {
		return b.opts.Image.Pointer(addr)
	}
	p := b.opts.Image.Bytes(addr, int(size)/8)
	if len(p) < int(size)/8 {
		return 0, false
	}
	switch size {
	case 8:
		return uint64(p[0]), true
	case 16:
		return uint64(binary.LittleEndian.Uint16(p)), true
	case 32:
		return uint64(binary.LittleEndian.Uint32(p)), true
	}
	return 0, false
}

// stride is the distance of two entries of a table indexed by a value.
func (v *values) stride(id nodeID, otherwise uint64) uint64 {
	for {
		n := &v.nodes[id]
		switch n.op {
		case opShl:
			return 1 << n.k
		case opZext, opSext:
			id = n.a
			continue
		case opAnd:
			if n.k != 0 {
				return max(otherwise, n.k&-n.k)
			}
		}
		return max(otherwise, 1)
	}
}
