package bpfobj

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
	kbtf "github.com/surehook/surehook/kernel/btf"
	"github.com/surehook/surehook/kernel/core"
)

// Relocation is a CO-RE relocation of an object.
type Relocation struct {
	core.Relo
	Where string // section and offset of the instruction, in bytes
	Line  string // "file.c:12: text" of the source; "" if not recorded
}

// maxSteps bounds the steps of a relocation, as libbpf does
// (BPF_CORE_SPEC_MAX_LEN).
const maxSteps = 64

// relocation reads one record.
func (t *types) relocation(r record) (core.Relo, error) {
	relo := core.Relo{Kind: core.Kind(r.data[2])}
	if !relo.Kind.Valid() {
		return relo, fmt.Errorf("kind %d of a relocation is not known", r.data[2])
	}
	root, err := t.spec.TypeByID(btf.TypeID(r.data[0]))
	if err != nil {
		return relo, err
	}
	access, ok := text(t.strings, r.data[1])
	if !ok {
		return relo, fmt.Errorf("the access string at %#x is outside of the strings", r.data[1])
	}
	relo.Root = kbtf.Text(root)
	parts := strings.Split(access, ":")
	if len(parts) > maxSteps {
		return relo, fmt.Errorf("access %q has more than %d steps", access, maxSteps)
	}
	index := make([]int, len(parts))
	for i, p := range parts {
		if index[i], err = strconv.Atoi(p); err != nil || index[i] < 0 {
			return relo, fmt.Errorf("access %q is not a list of numbers", access)
		}
	}
	switch {
	case relo.Kind.OfEnum():
		return relo, enumerator(&relo, root, index[0])
	case relo.Kind.OfField():
		return relo, steps(&relo, root, index)
	}
	return relo, nil
}

func enumerator(r *core.Relo, root btf.Type, index int) error {
	e, ok := btf.UnderlyingType(root).(*btf.Enum)
	if !ok || index >= len(e.Values) {
		return fmt.Errorf("%s has no enumerator %d", r.Root, index)
	}
	r.Root, r.Enumerator = kbtf.Text(e), e.Values[index].Name
	return nil
}

// steps follows the access through the object's types.
func steps(r *core.Relo, root btf.Type, index []int) error {
	r.Index = uint64(index[0])
	at, bits := root, uint64(0)
	if n, err := btf.Sizeof(root); err == nil && n > 0 {
		bits = 8 * uint64(n) * r.Index
	}
	for _, i := range index[1:] {
		r.Bits = 0
		switch t := btf.UnderlyingType(at).(type) {
		case *btf.Struct:
			at = member(r, t.Members, i, &bits)
		case *btf.Union:
			at = member(r, t.Members, i, &bits)
		case *btf.Array:
			n, err := btf.Sizeof(t.Type)
			if err != nil || n < 0 {
				return fmt.Errorf("%s: an element has no size", r.Root)
			}
			bits += 8 * uint64(n) * uint64(i)
			at = t.Type
			r.Steps = append(r.Steps, core.Step{Index: uint64(i), Type: plainText(at, 0)})
		default:
			return fmt.Errorf("%s: there is nothing in a %T", r.Root, t)
		}
		if at == nil {
			return fmt.Errorf("%s has no member %d", r.Root, i)
		}
	}
	r.Offset = bits / 8
	if n, err := btf.Sizeof(at); err == nil && n > 0 {
		r.Size = uint64(n)
	}
	return nil
}

// member steps to a member; nil without one. Unnamed ones are no step of their
// own: a kernel may have them or not.
func member(r *core.Relo, list []btf.Member, i int, bits *uint64) btf.Type {
	if i >= len(list) {
		return nil
	}
	m := list[i]
	*bits += uint64(m.Offset)
	r.Bits = uint64(m.BitfieldSize)
	if m.Name != "" {
		r.Steps = append(r.Steps, core.Step{Member: m.Name, Type: plainText(m.Type, 0)})
	}
	return m.Type
}

// plainText is a type without typedefs, as core.Resolve needs it: of the
// elements of an array too.
func plainText(t btf.Type, depth int) kernel.Type {
	switch t := btf.UnderlyingType(t).(type) {
	case *btf.Array:
		if depth < maxSteps {
			return kernel.Type(fmt.Sprintf("[%d]", t.Nelems)) + plainText(t.Type, depth+1)
		}
	case *btf.Struct, *btf.Union: // what is in it does not matter
		if name := t.TypeName(); name == "" {
			if _, ok := t.(*btf.Union); ok {
				return "{u0;}"
			}
			return "{s0;}"
		}
		return kbtf.Text(t)
	case *btf.Pointer:
		return kbtf.Text(t)
	default:
		return kbtf.Text(t)
	}
	return "0"
}
