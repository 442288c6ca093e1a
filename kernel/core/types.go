package core

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// Types is where definitions are looked up by name: a kernel.Kernel, or the
// types of an object.
type Types interface {
	Definitions(name string) ([]kernel.Definition, error)
}

// Cache keeps definitions, which many relocations ask for. It is not for
// concurrent use.
type Cache struct {
	Types
	known map[string][]*node
}

// NewCache makes a Cache in front of t.
func NewCache(t Types) *Cache { return &Cache{Types: t, known: map[string][]*node{}} }

// Size gives the size of a type in bytes; 0 if it is not known.
func Size(t Types, typ kernel.Type) (uint64, error) {
	n := parse(typ)
	if n == nil {
		return 0, nil
	}
	return sizeOf(t, n)
}

// defined gives the definitions of a named node, as nodes with what they hold.
func defined(t Types, kind nodeKind, name string) ([]*node, error) {
	c, ok := t.(*Cache)
	if !ok {
		return define(t, kind, name)
	}
	key := string('a'+byte(kind)) + name
	if list, ok := c.known[key]; ok {
		return list, nil
	}
	list, err := define(c.Types, kind, name)
	if err == nil {
		c.known[key] = list
	}
	return list, err
}

func define(t Types, kind nodeKind, name string) ([]*node, error) {
	defs, err := t.Definitions(name)
	if err != nil {
		return nil, err
	}
	var out []*node
	for i := range defs {
		if n := fromDefinition(&defs[i]); n.kind == kind {
			out = append(out, n)
		}
	}
	return out, nil
}

func fromDefinition(d *kernel.Definition) *node {
	n := &node{name: d.Name, size: d.Size}
	switch d.Kind {
	case kernel.Struct:
		n.kind = structure
	case kernel.Union:
		n.kind = union
	case kernel.Enum:
		n.kind, n.values = enum, d.Values
	case kernel.Typedef:
		n.kind, n.elem = typedef, parse(d.Target)
	}
	for _, m := range d.Members {
		typ := parse(m.Type)
		if typ == nil {
			typ = &node{} // a text that is no type has nothing in it
		}
		n.members = append(n.members, member{name: m.Name, typ: typ, offset: m.Offset, bits: m.BitSize})
	}
	return n
}

// plain follows typedefs to a type that is none; nil where one is not defined.
func plain(t Types, n *node) (*node, error) {
	for range maxDepth {
		if n == nil || n.kind != typedef {
			return n, nil
		}
		if n.elem == nil {
			defs, err := defined(t, typedef, n.name)
			if err != nil || len(defs) == 0 {
				return nil, err
			}
			n = defs[0]
		}
		n = n.elem
	}
	return nil, nil
}

// whole gives a struct or union with its members, and an enum with its values,
// of what may be only a name.
func whole(t Types, n *node) ([]*node, error) {
	if n.name == "" || n.members != nil || n.values != nil || n.size > 0 {
		return []*node{n}, nil
	}
	return defined(t, n.kind, n.name)
}

// sizeOf is a type's size in bytes; 0 if it is not known.
func sizeOf(t Types, n *node) (uint64, error) {
	factor := uint64(1)
	for range maxDepth {
		n, err := plainOf(t, &n)
		if n == nil || err != nil {
			return 0, err
		}
		switch n.kind {
		case pointer:
			return 8 * factor, nil
		case integer, float:
			return basicSize(n.name) * factor, nil
		case structure, union, enum:
			all, err := whole(t, n)
			if err != nil || len(all) == 0 {
				return 0, err
			}
			return all[0].size * factor, nil
		case array:
			if n.count != 0 && factor > 1<<40/n.count {
				return 0, nil
			}
			factor *= n.count
		default:
			return 0, nil
		}
	}
	return 0, nil
}

// plainOf is plain, and steps from an array to its element for the next time.
func plainOf(t Types, at **node) (*node, error) {
	n, err := plain(t, *at)
	if n != nil && n.kind == array {
		*at = n.elem
	}
	return n, err
}

// basicSize is the size of an integer or floating point number in bytes, by
// the names that gcc, clang and rustc give them; 0 for another one.
func basicSize(name string) uint64 {
	switch name {
	case "_Bool", "bool", "u8", "i8":
		return 1
	case "u16", "i16":
		return 2
	case "u32", "i32", "float", "unsigned", "f32":
		return 4
	case "u64", "i64", "usize", "isize", "double", "f64":
		return 8
	case "u128", "i128", "long double":
		return 16
	}
	switch has := func(word string) bool { return strings.Contains(name, word) }; {
	case has("__int128"):
		return 16
	case has("char"):
		return 1
	case has("short"):
		return 2
	case has("long"):
		return 8
	case has("int"):
		return 4
	}
	return 0
}

// signed tells whether an integer has a sign; ok is false where that is the
// architecture's choice.
func signed(name string) (is, ok bool) {
	switch {
	case name == "char":
		return false, false
	case strings.Contains(name, "unsigned"), name == "_Bool", name == "bool", strings.HasPrefix(name, "u"):
		return false, true
	}
	return true, true
}

// Plain follows a type's typedefs and leaves out its qualifiers; "" where it
// is not defined.
func Plain(t Types, typ kernel.Type) (kernel.Type, error) {
	n, err := plain(t, parse(typ))
	if n == nil || err != nil {
		return "", err
	}
	return n.text(), nil
}

// Begins tells whether a struct or union is another one, or has it at its
// beginning, as struct tcp_sock has struct sock: a pointer to one is then one to
// the other. NotKnown: a definition on the way is not there.
func Begins(t Types, outer, inner kernel.Type) (kernel.Answer, error) {
	n, want := parse(outer), parse(inner)
	if want == nil || !want.kind.composite() || want.name == "" {
		return kernel.NotKnown, nil
	}
	for range maxDepth {
		var err error
		if n, err = plain(t, n); n == nil || err != nil {
			return kernel.NotKnown, err
		}
		switch {
		case !n.kind.composite():
			return kernel.No, nil
		case n.kind == want.kind && n.name == want.name:
			return kernel.Yes, nil
		}
		all, err := whole(t, n)
		if err != nil || len(all) == 0 {
			return kernel.NotKnown, err
		}
		at := slices.IndexFunc(all, func(d *node) bool { return len(d.members) > 0 })
		if at < 0 {
			return kernel.No, nil
		}
		n = all[at].members[0].typ
	}
	return kernel.NotKnown, nil
}
