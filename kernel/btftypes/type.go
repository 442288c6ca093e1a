package btftypes

import (
	"errors"
	"fmt"
	"strconv"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
)

// Limits on the text of one type. The longest of Linux 7.3 has 9,000 bytes at
// depth 12; damaged BTF can nest types without end.
const (
	maxDepth = 64
	maxText  = 1 << 18
)

var (
	errDepth = errors.New("BTF type is nested too deep: the BTF is damaged")
	errLong  = errors.New("BTF type is too large: the BTF is damaged")
)

// Type writes a type in kernel.Type's notation.
func Type(t btf.Type) (kernel.Type, error) {
	w := writer{}
	if err := w.typ(t, 0); err != nil {
		return "", err
	}
	return kernel.Type(w.text), nil
}

// writer appends the notation of types.
type writer struct{ text []byte }

func (w *writer) put(parts ...string) {
	for _, p := range parts {
		w.text = append(w.text, p...)
	}
}

func (w *writer) number(n uint64) { w.text = strconv.AppendUint(w.text, n, 10) }

func (w *writer) typ(t btf.Type, depth int) error {
	for ; ; depth++ { // prefixes one after another, without recursion
		if depth > maxDepth {
			return errDepth
		}
		if len(w.text) > maxText {
			return errLong
		}
		switch v := t.(type) {
		case *btf.Pointer:
			w.put("*")
			t = v.Target
		case *btf.Const:
			w.put("c")
			t = v.Type
		case *btf.Volatile:
			w.put("v")
			t = v.Type
		case *btf.Restrict:
			w.put("r")
			t = v.Type
		case *btf.TypeTag: // __user, __rcu: not part of the C type
			t = v.Type
		case *btf.Array:
			w.put("[")
			w.number(uint64(v.Nelems))
			w.put("]")
			t = v.Type
		default:
			return w.leaf(t, depth)
		}
	}
}

// leaf writes what is no prefix of another type.
func (w *writer) leaf(t btf.Type, depth int) error {
	switch v := t.(type) {
	case *btf.Void:
		w.put("0")
	case *btf.Int:
		w.put("i:", v.Name)
	case *btf.Float:
		w.put("f:", v.Name)
	case *btf.Typedef:
		w.put("t:", v.Name)
	case *btf.Fwd:
		if v.Kind == btf.FwdUnion {
			w.put("u:", v.Name)
		} else {
			w.put("s:", v.Name)
		}
	case *btf.Enum:
		w.enum(v)
	case *btf.Struct:
		return w.composite("s", v.Name, v.Size, v.Members, depth)
	case *btf.Union:
		return w.composite("u", v.Name, v.Size, v.Members, depth)
	case *btf.FuncProto:
		return w.proto(v, depth)
	default:
		return fmt.Errorf("BTF type %T where a C type belongs: the BTF is damaged", t)
	}
	return nil
}

func (w *writer) composite(letter, name string, size uint32, members []btf.Member, depth int) error {
	if name != "" {
		w.put(letter, ":", name)
		return nil
	}
	w.put("{", letter)
	w.number(uint64(size))
	w.put(";")
	for _, m := range members {
		w.put(m.Name, "@")
		w.number(uint64(m.Offset))
		if m.BitfieldSize > 0 {
			w.put(":")
			w.number(uint64(m.BitfieldSize))
		}
		w.put("=")
		if err := w.typ(m.Type, depth+1); err != nil {
			return err
		}
		w.put(";")
	}
	w.put("}")
	return nil
}

func (w *writer) enum(e *btf.Enum) {
	if e.Name != "" {
		w.put("e:", e.Name)
		return
	}
	w.put("{e")
	w.number(uint64(e.Size))
	w.put(";")
	for _, v := range e.Values {
		w.put(v.Name, "=")
		w.text = strconv.AppendInt(w.text, value(e, v), 10)
		w.put(";")
	}
	w.put("}")
}

// value is an enum's value as its signedness reads it.
func value(e *btf.Enum, v btf.EnumValue) int64 {
	if e.Signed && e.Size == 4 {
		return int64(int32(v.Value))
	}
	return int64(v.Value)
}

func (w *writer) proto(p *btf.FuncProto, depth int) error {
	params, variadic := parameters(p)
	w.put("(")
	for i, param := range params {
		if i > 0 {
			w.put(",")
		}
		if err := w.typ(param.Type, depth+1); err != nil {
			return err
		}
	}
	if variadic {
		if len(params) > 0 {
			w.put(",")
		}
		w.put(".")
	}
	w.put(")")
	return w.typ(p.Return, depth+1)
}

// parameters takes off the nameless void at the end, which stands for "...".
func parameters(p *btf.FuncProto) (params []btf.FuncParam, variadic bool) {
	params = p.Params
	if n := len(params); n > 0 {
		if _, void := params[n-1].Type.(*btf.Void); void && params[n-1].Name == "" {
			return params[:n-1], true
		}
	}
	return params, false
}

// Proto converts a signature.
func Proto(p *btf.FuncProto) (kernel.Proto, error) {
	params, variadic := parameters(p)
	out := kernel.Proto{Variadic: variadic}
	for _, param := range params {
		t, err := Type(param.Type)
		if err != nil {
			return kernel.Proto{}, err
		}
		out.Params = append(out.Params, kernel.Param{Name: param.Name, Type: t})
	}
	var err error
	out.Result, err = Type(p.Return)
	return out, err
}

// Definition converts a struct, union, enum or typedef; ok is false for other
// types and for those without a name.
func Definition(t btf.Type) (d kernel.Definition, ok bool, err error) {
	d.Name = t.TypeName()
	switch v := t.(type) {
	case *btf.Struct:
		d.Kind, d.Size = kernel.Struct, uint64(v.Size)
		d.Members, err = members(v.Members)
	case *btf.Union:
		d.Kind, d.Size = kernel.Union, uint64(v.Size)
		d.Members, err = members(v.Members)
	case *btf.Enum:
		d.Kind, d.Size, d.Signed = kernel.Enum, uint64(v.Size), v.Signed
		for _, e := range v.Values {
			d.Values = append(d.Values, kernel.EnumValue{Name: e.Name, Value: value(v, e)})
		}
	case *btf.Typedef:
		d.Kind = kernel.Typedef
		d.Target, err = Type(v.Type)
	default:
		return kernel.Definition{}, false, nil
	}
	if err != nil || d.Name == "" {
		return kernel.Definition{}, false, err
	}
	return d, true, nil
}

func members(list []btf.Member) ([]kernel.Member, error) {
	var out []kernel.Member
	for _, m := range list {
		t, err := Type(m.Type)
		if err != nil {
			return nil, err
		}
		out = append(out, kernel.Member{Name: m.Name, Type: t, Offset: uint64(m.Offset), BitSize: uint64(m.BitfieldSize)})
	}
	return out, nil
}
