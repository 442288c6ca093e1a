package core

import (
	"strconv"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// Kind is what a relocation asks (enum bpf_core_relo_kind).
type Kind uint32

// The kinds, by their numbers in objects.
const (
	FieldOffset    Kind = iota // in bytes
	FieldSize                  // in bytes
	FieldExists                // 0 or 1
	FieldSigned                // 0 or 1
	FieldLeftShift             // to get at a bit field
	FieldRightShift
	TypeIDLocal // in the object
	TypeIDTarget
	TypeExists // 0 or 1
	TypeSize   // in bytes
	EnumExists // 0 or 1
	EnumValue
	TypeMatches // 0 or 1
	numKinds
)

// Valid tells whether it is a kind that is known here.
func (k Kind) Valid() bool { return k < numKinds }

// Asks tells whether the answer is only whether something is there: such a
// relocation never fails.
func (k Kind) Asks() bool {
	return k == FieldExists || k == TypeExists || k == EnumExists || k == TypeMatches
}

// OfField tells whether the relocation is about a field.
func (k Kind) OfField() bool { return k <= FieldRightShift }

// OfEnum tells whether the relocation is about an enumerator.
func (k Kind) OfEnum() bool { return k == EnumExists || k == EnumValue }

// Relo is one relocation.
type Relo struct {
	Kind Kind
	Root kernel.Type // that the object names, with its flavour: "s:task_struct___old"
	// Index is the element of an array of roots, as for pointer arithmetic.
	Index uint64
	Steps []Step // from the root to a field
	// Enumerator is the name in the enum Root, with its flavour.
	Enumerator string
	Offset     uint64 // of the field in the object's types, in bytes
	Size       uint64 // of the field (FieldOffset) in the object's types, in bytes; 0 if not known
	Bits       uint64 // of a bit field; else 0
}

// Step is one step from a type to a part of it.
type Step struct {
	Member string // name; "" for an element of an array
	Index  uint64 // of the element
	Type   kernel.Type
}

// TypeName is the root's name without its flavour, with its keyword.
func (r *Relo) TypeName() string {
	n := parse(r.Root)
	if n == nil {
		return r.Root.C("")
	}
	return strings.TrimSpace(keyword(n.kind) + " " + Essential(n.name))
}

// FieldName is the path of a field, "sk_buff.cb[2]".
func (r *Relo) FieldName() string {
	n := parse(r.Root)
	name := ""
	if n != nil {
		name = Essential(n.name)
	}
	return name + r.Path()
}

// Path is the way from the root to the field: ".cb[2]".
func (r *Relo) Path() string {
	var b strings.Builder
	for _, s := range r.Steps {
		if s.Member != "" {
			b.WriteString("." + s.Member)
		} else {
			b.WriteString("[" + strconv.FormatUint(s.Index, 10) + "]")
		}
	}
	return b.String()
}

// String is what the relocation asks about, for people.
func (r *Relo) String() string {
	switch {
	case r.Kind.OfEnum():
		return Essential(r.Enumerator) + " of " + r.TypeName()
	case r.Kind.OfField() && len(r.Steps) > 0:
		return r.FieldName()
	}
	return r.TypeName()
}

// Essential is a name without its flavour: what follows three underscores
// does not belong to the kernel's name. Names of nothing else stay.
func Essential(name string) string {
	for i := len(name) - 5; i >= 0; i-- { // a letter on each side
		if name[i] != '_' && name[i+1:i+4] == "___" && name[i+4] != '_' {
			return name[:i+1]
		}
	}
	return name
}
