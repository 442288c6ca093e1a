package btf

import (
	"strconv"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
)

// maxDepth bounds how deep a type may be nested before a name ends it; the
// kernel's come to about 20.
const maxDepth = 64

// maxText bounds the text of one type in bytes. The longest of the kernel's,
// structs without a name, have a few thousand; hostile ones double each level.
const maxText = 1 << 16

// tooDeep stands for a type beyond the limits.
const tooDeep kernel.Type = "?"

// writer writes types in the grammar of kernel.Type.
type writer struct {
	known map[btf.Type]kernel.Type
	depth int
}

// Text writes a type in the grammar of kernel.Type.
func Text(t btf.Type) kernel.Type {
	w := writer{known: map[btf.Type]kernel.Type{}}
	return w.write(t)
}

// write gives a type's text.
func (w *writer) write(t btf.Type) kernel.Type {
	if have, ok := w.known[t]; ok {
		return have
	}
	if w.depth >= maxDepth {
		return tooDeep
	}
	w.depth++
	out := w.fresh(t)
	w.depth--
	if len(out) > maxText {
		out = tooDeep
	}
	w.known[t] = out // what was cut too: without that a type in itself would take for ever
	return out
}

func (w *writer) fresh(t btf.Type) kernel.Type {
	switch t := t.(type) {
	case *btf.Void, nil:
		return "0"
	case *btf.Int:
		return kernel.Type("i:" + t.Name)
	case *btf.Float:
		return kernel.Type("f:" + t.Name)
	case *btf.Pointer:
		return "*" + w.write(t.Target)
	case *btf.Const:
		return "c" + w.write(t.Type)
	case *btf.Volatile:
		return "v" + w.write(t.Type)
	case *btf.Restrict:
		return "r" + w.write(t.Type)
	case *btf.TypeTag: // __user, __rcu: not part of the C type
		return w.write(t.Type)
	case *btf.Array:
		return kernel.Type("["+strconv.FormatUint(uint64(t.Nelems), 10)+"]") + w.write(t.Type)
	case *btf.Typedef:
		return kernel.Type("t:" + t.Name)
	case *btf.Fwd:
		if t.Kind == btf.FwdUnion {
			return kernel.Type("u:" + t.Name)
		}
		return kernel.Type("s:" + t.Name)
	case *btf.Struct:
		return w.named('s', t.Name, t.Size, t.Members)
	case *btf.Union:
		return w.named('u', t.Name, t.Size, t.Members)
	case *btf.Enum:
		return enum(t)
	case *btf.FuncProto:
		return w.function(t)
	}
	return "?" // a variable or a function where a type is due
}

// named writes a struct or union: its name or, without one, its fields.
func (w *writer) named(kind byte, name string, size uint32, members []btf.Member) kernel.Type {
	if name != "" {
		return kernel.Type(string(kind) + ":" + name)
	}
	var b strings.Builder
	b.WriteString("{" + string(kind) + strconv.FormatUint(uint64(size), 10) + ";")
	for _, m := range members {
		b.WriteString(m.Name + "@" + strconv.FormatUint(uint64(m.Offset), 10))
		if m.BitfieldSize > 0 {
			b.WriteString(":" + strconv.FormatUint(uint64(m.BitfieldSize), 10))
		}
		b.WriteString("=" + string(w.write(m.Type)) + ";")
		if b.Len() > maxText {
			return tooDeep
		}
	}
	b.WriteByte('}')
	return kernel.Type(b.String())
}

func enum(t *btf.Enum) kernel.Type {
	if t.Name != "" {
		return kernel.Type("e:" + t.Name)
	}
	var b strings.Builder
	b.WriteString("{e" + strconv.FormatUint(uint64(t.Size), 10) + ";")
	for _, v := range values(t) {
		b.WriteString(v.Name + "=" + strconv.FormatInt(v.Value, 10) + ";")
	}
	b.WriteByte('}')
	return kernel.Type(b.String())
}

// values gives an enum's values as its signedness reads them.
func values(t *btf.Enum) []kernel.EnumValue {
	out := make([]kernel.EnumValue, 0, len(t.Values))
	for _, v := range t.Values {
		n := int64(v.Value)
		if t.Size < 8 {
			shift := 64 - 8*t.Size
			n = n << shift >> shift
			if !t.Signed {
				n = int64(uint64(n) << shift >> shift)
			}
		}
		out = append(out, kernel.EnumValue{Name: v.Name, Value: n})
	}
	return out
}

func (w *writer) function(t *btf.FuncProto) kernel.Type {
	p := w.proto(t)
	parts := make([]string, 0, len(p.Params)+1)
	size := 0
	for _, a := range p.Params {
		parts = append(parts, string(a.Type))
		if size += len(a.Type); size > maxText {
			return tooDeep
		}
	}
	if p.Variadic {
		parts = append(parts, ".")
	}
	return kernel.Type("("+strings.Join(parts, ",")+")") + p.Result
}

// proto writes a signature. A last parameter without a type stands for more.
func (w *writer) proto(t *btf.FuncProto) kernel.Proto {
	p := kernel.Proto{Result: w.write(t.Return)}
	for i, a := range t.Params {
		if _, void := a.Type.(*btf.Void); void && i == len(t.Params)-1 && a.Name == "" {
			p.Variadic = true
			break
		}
		p.Params = append(p.Params, kernel.Param{Name: a.Name, Type: w.write(a.Type)})
	}
	return p
}

func (w *writer) members(in []btf.Member) []kernel.Member {
	out := make([]kernel.Member, 0, len(in))
	for _, m := range in {
		out = append(out, kernel.Member{Name: m.Name, Type: w.write(m.Type), Offset: uint64(m.Offset), BitSize: uint64(m.BitfieldSize)})
	}
	return out
}

// sizeOf gives a type's size in bytes, 0 without one.
func sizeOf(t btf.Type) uint64 {
	n, err := btf.Sizeof(t)
	if err != nil || n < 0 {
		return 0
	}
	return uint64(n)
}
