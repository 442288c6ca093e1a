package dwarfinfo

import "errors"

var (
	errCode    = errors.New("abbreviation code is not in the unit's table")
	errSibling = errors.New("DW_AT_sibling does not lead forward inside the unit")
)

// frame is what encloses the entry being read: indexes in the unit's slices,
// -1 for none.
type frame struct{ fn, copy, scope int32 }

// walker visits the entries of one unit in order.
type walker struct {
	u      *unit
	table  *abbrevs // of the unit
	c      cursor
	at     uint64 // offset of the entry being read
	now    frame
	stack  []frame
	paths  *paths
	labels []label
	spare  results
	buf    []byte // of the unit's bytes

	noCalls bool // see Links.WithoutCalls
}

type label struct {
	fn   int32
	addr uint64
}

// walk reads the unit's entries. A worker's walker is used for many units, so
// that its buffers are.
func (w *walker) walk(u *unit, files *fileTables) {
	if u.body == 0 {
		return
	}
	table, err := u.secs.tabs.get(u.abbrev, u.enc)
	if err != nil {
		u.noTable(err)
		return
	}
	defer u.secs.tabs.release(u.abbrev, table)
	w.table = table
	w.u, w.stack, w.labels = u, w.stack[:0], w.labels[:0]
	if err := u.read(&w.buf, u.end); err != nil {
		u.damage(u.off, err)
		return
	}
	defer u.forget()
	w.c = cursor{data: u.bytes, base: int(u.off), pos: u.body - int(u.off)}
	w.now = frame{-1, -1, -1}
	w.paths.open(u, files)
	u.results = w.spare.emptied()
	w.entries()
	if w.c.err != nil {
		u.damage(w.at, w.c.err)
	}
	w.spare = u.results
	u.layOut(w.labels)
	u.results = u.exact()
}

// entries runs to the null entry that ends the unit's children. Some
// producers leave the last ones out, so the end of the unit is as good.
func (w *walker) entries() {
	c := &w.c
	for c.pos < len(c.data) {
		w.at = uint64(c.base + c.pos)
		code := c.uleb()
		if code == 0 {
			if c.err != nil || len(w.stack) == 0 {
				return
			}
			w.now = w.stack[len(w.stack)-1]
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		a := w.table.find(code)
		if a == nil {
			c.fail(errCode)
			return
		}
		act := a.act
		if act == actType && w.u.noTypes || act == actCall && w.noCalls {
			act = actSkip
		}
		if act == actSkip {
			w.skipTree(a)
			continue
		}
		inner := w.now
		if act == actThrough || act == actParam {
			w.skipAttrs(a)
		} else {
			inner = w.visit(act, a)
		}
		if a.children {
			w.stack = append(w.stack, w.now)
			w.now = inner
		}
	}
}

// visit decodes an entry and returns the frame of its children.
func (w *walker) visit(act action, a *abbrev) frame {
	inner := w.now
	switch act {
	case actFunc:
		inner.fn, inner.copy = w.subprogram(a), -1
	case actCopy:
		inner.copy = w.inlined(a)
	case actCall:
		w.call(a)
	case actLabel:
		w.label(a)
	case actScope, actType:
		inner.scope = w.scope(act, a)
	default:
		w.skipAttrs(a)
	}
	return inner
}

func (w *walker) skipAttrs(a *abbrev) {
	if a.fixed >= 0 {
		w.c.skip(uint64(a.fixed))
		return
	}
	for i := range a.skip {
		w.c.step(&a.skip[i], w.u)
	}
}

// skipTree steps over an entry and all below it, by DW_AT_sibling where the
// producer wrote it (clang and Go do not).
func (w *walker) skipTree(a *abbrev) {
	c := &w.c
	depth := 0
	for {
		switch {
		case !a.children:
			w.skipAttrs(a)
		case a.sibForm != 0:
			w.jump(a)
		default:
			w.skipAttrs(a)
			depth++
		}
		for {
			if depth == 0 || c.pos >= len(c.data) {
				return
			}
			code := c.uleb()
			if code != 0 {
				if a = w.table.find(code); a == nil {
					c.fail(errCode)
					return
				}
				break
			}
			depth--
		}
	}
}

// jump goes to an entry's sibling.
func (w *walker) jump(a *abbrev) {
	for i := range a.toSib {
		w.c.step(&a.toSib[i], w.u)
	}
	v := w.u.value(&w.c, a.sibForm, 0)
	if w.c.err != nil {
		return
	}
	to := v.u - uint64(w.c.base)
	if v.class != classRef || v.u < uint64(w.c.base+w.c.pos) || to > uint64(len(w.c.data)) {
		w.c.fail(errSibling)
		return
	}
	w.c.pos = int(to)
}
