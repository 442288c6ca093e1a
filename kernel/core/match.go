package core

// place is where a field of a kernel is.
type place struct {
	typ    *node
	offset uint64 // in bits
	bits   uint64 // of a bit field
}

// walk follows the steps of a relocation through a type of the kernel; found
// is false where it has none of these names, or one of another kind.
func walk(t Types, root *node, r *Relo) (at place, found bool, err error) {
	size, err := sizeOf(t, root)
	if err != nil {
		return at, false, err
	}
	at = place{typ: root, offset: 8 * size * r.Index}
	flexible := false // the last member of a struct, which may have no length
	for _, s := range r.Steps {
		n, err := plain(t, at.typ)
		if err != nil || n == nil {
			return at, false, err
		}
		if s.Member == "" {
			if n.kind != array || s.Index >= n.count && (n.count > 0 || !flexible) {
				return at, false, nil
			}
			size, err := sizeOf(t, n.elem)
			if err != nil {
				return at, false, err
			}
			at = place{typ: n.elem, offset: at.offset + 8*size*s.Index}
			continue
		}
		m, last, ok, err := find(t, n, s.Member)
		if err != nil || !ok {
			return at, false, err
		}
		local := parse(s.Type)
		if ok, err := compatible(t, local, m.typ); err != nil || !ok {
			return at, false, err
		}
		flexible = last
		at = place{typ: m.typ, offset: at.offset + m.offset, bits: m.bits}
	}
	return at, true, nil
}

// find looks for a member, also in structs and unions without a name; its
// offset counts from the beginning of n. last tells whether it ends a struct.
func find(t Types, n *node, name string) (m member, last, ok bool, err error) {
	left := maxMembers
	return findIn(t, n, name, &left)
}

// maxMembers bounds how many members are looked at for one: task_struct has
// 250, and structs that hold each other without a name have no end.
const maxMembers = 1 << 14

func findIn(t Types, n *node, name string, left *int) (m member, last, ok bool, err error) {
	if !n.kind.composite() {
		return m, false, false, nil
	}
	all, err := whole(t, n)
	if err != nil {
		return m, false, false, err
	}
	for _, n := range all {
		for i, m := range n.members {
			if *left--; *left < 0 {
				return m, false, false, nil
			}
			if m.name == name {
				return m, i == len(n.members)-1, true, nil
			}
			if m.name != "" {
				continue
			}
			inner, err := plain(t, m.typ)
			if err != nil {
				return m, false, false, err
			}
			if inner == nil {
				continue
			}
			found, last, ok, err := findIn(t, inner, name, left)
			if err != nil {
				return m, false, false, err
			}
			if ok {
				found.offset += m.offset
				return found, last, true, nil
			}
		}
	}
	return m, false, false, nil
}

// compatible tells whether a kernel's field can be what an object's field
// stands for: of the same kind, and an enum of the same name.
func compatible(t Types, local, target *node) (bool, error) {
	for range maxDepth {
		// The object's own typedefs are followed before; a kernel's is never one here.
		b, err := plain(t, target)
		if err != nil || b == nil || local == nil {
			return false, err
		}
		switch {
		case local.kind.composite() && b.kind.composite():
			return true, nil
		case local.kind != b.kind:
			return false, nil
		case local.kind == pointer, local.kind == float, local.kind == integer:
			return true, nil
		case local.kind == enum:
			return local.name == "" || b.name == "" || Essential(local.name) == Essential(b.name), nil
		case local.kind == array:
			local, target = local.elem, b.elem
		default:
			return false, nil
		}
	}
	return false, nil
}
