package sites

import (
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
)

// variant is which of the bodies of a constructor or destructor a symbol names
// (Itanium C++ ABI 5.1.4.3): 'C' or 'D' and a digit. The complete object's (1)
// may call the base object's (2), a deleting one (D0) the complete object's.
type variant struct {
	letter, digit byte
}

// variantsOf compares the mangled names of two bodies of one function: they
// differ in the digit of a constructor or destructor only.
func variantsOf(a, b string) (va, vb variant, ok bool) {
	if len(a) != len(b) || a == b {
		return va, vb, false
	}
	i := 0
	for a[i] == b[i] {
		i++
	}
	if i == 0 || a[i+1:] != b[i+1:] || a[i-1] != 'C' && a[i-1] != 'D' {
		return va, vb, false
	}
	va, vb = variant{a[i-1], a[i]}, variant{a[i-1], b[i]}
	return va, vb, va.valid() && vb.valid()
}

func (v variant) valid() bool {
	return v.digit >= '1' && v.digit <= '5' || v.letter == 'D' && v.digit == '0'
}

// delegates tells whether a body of a constructor or destructor only stands for
// another: it calls that one, where the execution is counted. No body calls
// the base object's body of its own class for another object, as no class is
// its own base. A deleting destructor may destroy others of its class; where it
// holds an inlined copy of itself, or nothing is left to call, an execution
// begins at its entry.
func (b *Binary) delegates(f *function, ref *bodyRef) bool {
	if !ref.named || len(f.bodies) < 2 {
		return false
	}
	deleting := deletingDestructor(ref.sym.Name)
	if deleting && ref.die >= 0 {
		for _, i := range f.copies {
			if b.data.Copy(i).Func == ref.die {
				// What continues the body's own call is counted at the entry,
				// any other copy where it is.
				return !b.splitOf(f, i)
			}
		}
	}
	bd := b.goBody(ref)
	if bd.err != nil {
		return deleting
	}
	for i := range bd.graph.Insns {
		in := &bd.graph.Insns[i]
		if in.Kind != flow.Call && in.Kind != flow.Jump {
			continue
		}
		for k := range f.bodies {
			other := &f.bodies[k]
			if other.entry != in.Target || !other.named {
				continue
			}
			from, to, ok := variantsOf(ref.sym.Name, other.sym.Name)
			if ok && (to.digit == '2' || from.digit == '0') {
				return true
			}
		}
	}
	return false
}

// maxThunk bounds, in bytes, a thunk that does nothing but adjust a pointer and
// jump. In a longer one the function itself may be inlined.
const maxThunk = 32

// thunk tells whether a symbol is that of a C++ thunk (Itanium C++ ABI 5.1.4.2)
// that only leads to a function, which is counted there.
func thunk(s elfbin.Symbol) bool {
	return len(s.Name) > 3 && strings.HasPrefix(s.Name, "_ZT") && strings.IndexByte("hvc", s.Name[3]) >= 0 && s.Size <= maxThunk
}
