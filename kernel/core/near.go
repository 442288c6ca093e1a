package core

import (
	"strings"

	"github.com/surehook/surehook/kernel"
)

// Nearest is what a field that is not there may have become.
type Nearest struct {
	Path string      // from the relocation's root: ".sk_data.ready"
	Type kernel.Type // of the field there
	Sure bool        // name or place and type say so; else it is the likeliest
	Why  string      // in words
}

// Near looks for what became of the field that a kernel does not have. old
// are types that have it, as the object's; ok is false where nothing is like it.
func Near(t, old Types, r *Relo) (n Nearest, ok bool, err error) {
	at, holder, path, err := failing(t, r)
	if err != nil || holder == nil {
		return n, false, err
	}
	want := r.Steps[at]
	local := parse(want.Type)
	members, err := flat(t, holder)
	if err != nil {
		return n, false, err
	}
	for _, m := range members {
		switch {
		case m.path == "."+want.Member:
			return Nearest{Path: path + m.path, Type: m.typ.text(), Sure: true, Why: "it is of another kind there"}, true, nil
		case strings.Trim(m.name, "_") == strings.Trim(want.Member, "_"):
			return Nearest{Path: path + m.path, Type: m.typ.text(), Sure: true, Why: "renamed"}, true, nil
		}
	}
	if n, ok, err = nested(t, members, want, local, path); ok || err != nil {
		return n, ok, err
	}
	return renamed(t, old, members, holder, r, at, path)
}

// flatMember is a member with its path, those of unnamed structs taken apart.
type flatMember struct {
	member
	path string
}

// flat gives the members of a struct by offset.
func flat(t Types, n *node) ([]flatMember, error) {
	left := maxMembers
	return flatIn(t, n, 0, &left)
}

func flatIn(t Types, n *node, base uint64, left *int) ([]flatMember, error) {
	all, err := whole(t, n)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var out []flatMember
	for _, m := range all[0].members {
		if *left--; *left < 0 {
			break
		}
		m.offset += base
		if m.name != "" {
			out = append(out, flatMember{m, "." + m.name})
			continue
		}
		inner, err := plain(t, m.typ)
		if err != nil {
			return nil, err
		}
		if inner == nil || !inner.kind.composite() {
			continue
		}
		more, err := flatIn(t, inner, m.offset, left)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

// failing finds the step that a kernel's types do not have, and the struct
// where it should be; nil without one.
func failing(t Types, r *Relo) (at int, holder *node, path string, err error) {
	root := parse(r.Root)
	if root == nil {
		return 0, nil, "", nil
	}
	candidates, err := roots(t, root)
	if err != nil || len(candidates) == 0 {
		return 0, nil, "", err
	}
	n := candidates[0]
	for i := range r.Steps {
		next, ok, err := walk(t, n, &Relo{Steps: r.Steps[i : i+1]})
		if err != nil {
			return 0, nil, "", err
		}
		holder, err := plain(t, n)
		if err != nil {
			return 0, nil, "", err
		}
		if !ok {
			if holder == nil || !holder.kind.composite() || r.Steps[i].Member == "" {
				return 0, nil, "", nil
			}
			return i, holder, path, nil
		}
		n, path = next.typ, path+(&Relo{Steps: r.Steps[i : i+1]}).Path()
	}
	return 0, nil, "", nil
}

// nested looks for the member one level deeper.
func nested(t Types, members []flatMember, want Step, local *node, path string) (Nearest, bool, error) {
	for _, m := range members {
		inner, err := plain(t, m.typ)
		if err != nil {
			return Nearest{}, false, err
		}
		arrow := "."
		if inner != nil && inner.kind == pointer {
			arrow = "->"
			if inner, err = plain(t, inner.elem); err != nil {
				return Nearest{}, false, err
			}
		}
		if inner == nil || !inner.kind.composite() {
			continue
		}
		found, _, ok, err := find(t, inner, want.Member)
		if err != nil {
			return Nearest{}, false, err
		}
		if !ok {
			continue
		}
		same, err := compatible(t, local, found.typ)
		if err != nil {
			return Nearest{}, false, err
		}
		if same {
			return Nearest{Path: path + m.path + arrow + want.Member, Type: found.typ.text(), Sure: arrow == ".", Why: "moved"}, true, nil
		}
	}
	return Nearest{}, false, nil
}

// renamed looks for a member of the same type that the older types did not have.
func renamed(t, old Types, members []flatMember, holder *node, r *Relo, at int, path string) (Nearest, bool, error) {
	if old == nil || holder.name == "" {
		return Nearest{}, false, nil
	}
	before, err := defined(old, holder.kind, holder.name)
	if err != nil || len(before) == 0 {
		return Nearest{}, false, err
	}
	had := map[string]bool{}
	list, err := flat(old, before[0])
	if err != nil {
		return Nearest{}, false, err
	}
	var was *flatMember
	for i, m := range list {
		had[m.name] = true
		if m.name == r.Steps[at].Member {
			was = &list[i]
		}
	}
	if was == nil {
		return Nearest{}, false, nil
	}
	var candidates []flatMember
	for _, m := range members {
		if !had[m.name] && m.typ.text() == was.typ.text() {
			candidates = append(candidates, m)
		}
	}
	for _, m := range candidates {
		if m.offset == was.offset {
			return Nearest{Path: path + m.path, Type: m.typ.text(), Sure: len(candidates) == 1, Why: "a new member of the same type at the same place"}, true, nil
		}
	}
	if len(candidates) == 1 {
		return Nearest{Path: path + candidates[0].path, Type: candidates[0].typ.text(), Why: "the only new member of that type"}, true, nil
	}
	return Nearest{}, false, nil
}
