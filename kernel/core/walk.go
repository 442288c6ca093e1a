package core

import "github.com/surehook/surehook/kernel"

// Element stands in a path for an element of an array, or for what a pointer
// points to.
const Element = "[]"

// Walked says how far a path of members leads.
type Walked struct {
	Types []kernel.Type // of the root and of every member that was found, in their order
	// Found is Yes if all of the path is there, No if the next member is not,
	// NotKnown if what would hold it is not defined.
	Found kernel.Answer
}

// Walk follows members from a type, through pointers, typedefs, and structs
// and unions without a name.
func Walk(t Types, root kernel.Type, path []string) (Walked, error) {
	w := Walked{Types: []kernel.Type{root}, Found: kernel.Yes}
	n := parse(root)
	for _, name := range path {
		next, found, err := step(t, n, name)
		if err != nil || found != kernel.Yes {
			w.Found = found
			return w, err
		}
		n = next
		w.Types = append(w.Types, n.text())
	}
	return w, nil
}

func step(t Types, n *node, name string) (*node, kernel.Answer, error) {
	n, err := plain(t, n)
	if n == nil || err != nil {
		return nil, kernel.NotKnown, err
	}
	if name == Element {
		if n.kind != array && n.kind != pointer {
			return nil, kernel.No, nil
		}
		return n.elem, kernel.Yes, nil
	}
	for i := 0; n.kind == pointer; i++ {
		if n, err = plain(t, n.elem); n == nil || err != nil || i == maxDepth {
			return nil, kernel.NotKnown, err
		}
	}
	if !n.kind.composite() {
		return nil, kernel.No, nil
	}
	if all, err := whole(t, n); err != nil || len(all) == 0 {
		return nil, kernel.NotKnown, err
	}
	left := maxMembers
	m, _, ok, err := findIn(t, n, name, &left)
	switch {
	case err != nil || left < 0:
		return nil, kernel.NotKnown, err
	case !ok:
		return nil, kernel.No, nil
	}
	return m.typ, kernel.Yes, nil
}
