package core

import (
	"github.com/surehook/surehook/kernel"
)

// Answer is what a kernel makes of a relocation.
type Answer struct {
	// Found: the kernel has the field, type or enumerator.
	Found bool
	// Fails: the instruction cannot be made for this kernel. If it can be
	// reached, the program is refused.
	Fails bool
	// Value is what the instruction gets, where Known.
	Value uint64
	Known bool
	// Of a field that was found: its place and type.
	Offset uint64 // in bits
	Size   uint64 // in bytes; 0 if not known
	Bits   uint64 // of a bit field; else 0
	Type   kernel.Type
	// Resized: the field has another size than in the object's types, and is
	// neither a pointer nor unsigned in both. An instruction that loads or
	// stores it fails; one that computes its address does not.
	Resized bool
}

// Resolve answers a relocation. The types of its steps must have no typedefs.
func Resolve(t Types, r *Relo) (Answer, error) {
	if r.Kind == TypeIDLocal {
		return Answer{Found: true}, nil // a number of the object's own
	}
	root := parse(r.Root)
	if root == nil || root.name == "" {
		return resolveUnnamed(r, root), nil
	}
	candidates, err := roots(t, root)
	if err != nil {
		return Answer{}, err
	}
	var best *Answer
	for _, c := range candidates {
		a, err := resolve(t, c, r)
		if err != nil {
			return Answer{}, err
		}
		switch {
		case !a.Found:
		case best == nil:
			best = &a
		case best.Value != a.Value: // several types of one name, in modules too: which one is meant is not known
			best.Known = false
		}
	}
	if best != nil {
		return *best, nil
	}
	a := Answer{Known: true} // whatever asks gets 0
	switch r.Kind {
	case FieldExists, TypeExists, EnumExists, TypeMatches, TypeSize, TypeIDTarget:
	default:
		a.Fails, a.Known = true, false
	}
	return a, nil
}

// resolveUnnamed: what has no name is found nowhere, and its size is the
// object's business.
func resolveUnnamed(r *Relo, root *node) Answer {
	if root == nil || r.Kind == TypeExists || r.Kind == TypeMatches {
		return Answer{}
	}
	return Answer{Fails: r.Kind.OfField() && r.Kind != FieldExists, Known: r.Kind == FieldExists}
}

// roots gives the kernel's types of the root's name and kind.
func roots(t Types, root *node) ([]*node, error) {
	name := Essential(root.name)
	if root.kind == integer || root.kind == float { // every kernel has them, and no definition of them
		if basicSize(name) == 0 {
			return nil, nil
		}
		return []*node{{kind: root.kind, name: name}}, nil
	}
	return defined(t, root.kind, name)
}

func resolve(t Types, root *node, r *Relo) (Answer, error) {
	switch {
	case r.Kind.OfField():
		return resolveField(t, root, r)
	case r.Kind.OfEnum():
		for _, v := range root.values {
			if Essential(v.Name) == Essential(r.Enumerator) {
				a := Answer{Found: true, Known: true, Value: uint64(v.Value)}
				if r.Kind == EnumExists {
					a.Value = 1
				}
				return a, nil
			}
		}
		return Answer{}, nil
	}
	a := Answer{Found: true, Value: 1, Known: true}
	switch r.Kind {
	case TypeSize:
		var err error
		a.Value, err = sizeOf(t, root)
		a.Known = a.Value > 0
		return a, err
	case TypeIDTarget, TypeMatches: // the number; whether all members are alike
		a.Known = false
	}
	return a, nil
}

func resolveField(t Types, root *node, r *Relo) (Answer, error) {
	at, ok, err := walk(t, root, r)
	if err != nil || !ok {
		return Answer{}, err
	}
	a := Answer{Found: true, Known: true, Offset: at.offset, Bits: at.bits, Type: at.typ.text()}
	if a.Size, err = sizeOf(t, at.typ); err != nil {
		return Answer{}, err
	}
	start := at.offset / 8
	if at.bits > 0 {
		if start, a.Size = storage(at.offset, at.bits, a.Size); a.Size == 0 {
			a.Known = false
		}
	}
	switch r.Kind {
	case FieldOffset:
		a.Value = start
		if a.Resized, err = resized(t, r, at.typ, a.Size); err != nil {
			return Answer{}, err
		}
	case FieldSize:
		a.Value, a.Known = a.Size, a.Size > 0
	case FieldExists:
		a.Value = 1
	case FieldSigned:
		n, err := plain(t, at.typ)
		if err != nil {
			return Answer{}, err
		}
		a.Known = n != nil && n.kind == integer
		if a.Known {
			var is bool
			is, a.Known = signed(n.name)
			if is {
				a.Value = 1
			}
		}
	case FieldLeftShift, FieldRightShift:
		a.Value, a.Known = 0, false // only ever a count of shifts
	}
	return a, nil
}

// resized tells whether a load of the size of the object's field would not give
// the kernel's field.
func resized(t Types, r *Relo, typ *node, size uint64) (bool, error) {
	if len(r.Steps) == 0 || r.Size == 0 || size == 0 || r.Size == size {
		return false, nil
	}
	local := parse(r.Steps[len(r.Steps)-1].Type)
	target, err := plain(t, typ)
	if err != nil || local == nil || target == nil {
		return false, err
	}
	switch {
	case local.kind == pointer && target.kind == pointer:
		return false, nil
	case local.kind == integer && target.kind == integer:
		a, known := signed(local.name)
		b, known2 := signed(target.name)
		return a || b || !known || !known2, nil
	}
	return true, nil
}

// storage is the part of memory that is loaded for a bit field: aligned to its
// size, in bytes, and wide enough; 0 if 8 bytes are not.
func storage(offset, bits, size uint64) (start, width uint64) {
	for width = max(size, 1); width <= 8; width *= 2 {
		start = offset / 8 / width * width
		if offset+bits <= 8*(start+width) {
			return start, width
		}
	}
	return 0, 0
}
