package sites

import (
	"strings"

	"github.com/surehook/surehook/flow"
)

// doubtWrappers looks for executions of a Go method that left no record. The
// compiler writes wrappers, (*T).M for T.M and S.M for a method that S has of an
// embedded T, and inlines the method there; of a small one a single load may be
// left, which carries the wrapper's own line.
func (b *Binary) doubtWrappers(t *tally, f *function) {
	if b.data == nil || len(f.roots) == 0 || b.data.Func(f.roots[0]).Inline == 0 {
		return
	}
	method, ok := methodName(f.name)
	if !ok {
		return
	}
	for _, die := range b.wrappers()[method] {
		name := b.data.Func(die).Name
		if value := valueMethod(name); value != name && value != f.name && len(b.index.called(value)) > 0 {
			continue // it stands for that one
		}
		if name != f.name && b.hollow(die) {
			t.doubt(ReasonEmptyRange, "the wrapper "+name+" may do what the method does, without a record of it")
			return
		}
	}
}

// valueMethod gives the pkg.T.M that a wrapper pkg.(*T).M stands for.
func valueMethod(name string) string {
	return strings.Replace(strings.Replace(name, "(*", "", 1), ")", "", 1)
}

// methodName gives the M of pkg.T.M and pkg.(*T).M.
func methodName(name string) (string, bool) {
	name = name[strings.LastIndexByte(name, '/')+1:]
	i := strings.LastIndexByte(name, '.')
	if i < 0 || strings.IndexByte(name[:i], '.') < 0 {
		return "", false
	}
	return name[i+1:], true
}

// findWrappers lists the method wrappers without an inlined copy, by method.
// The compiler says of them neither file nor line, or that it wrote them.
func (b *Binary) findWrappers() map[string][]int32 {
	out := map[string][]int32{}
	for i := range b.data.NumFuncs() {
		fn := b.data.Func(i)
		if len(fn.Ranges) == 0 || fn.FirstCopy != fn.EndCopy || fn.DeclLine != 0 && !generated(fn) || b.data.Unit(fn.Unit).Language != langGo {
			continue
		}
		if method, ok := methodName(fn.Name); ok {
			out[method] = append(out[method], i)
		}
	}
	return out
}

// hollow tells whether a wrapper calls nothing but what reports a nil receiver.
func (b *Binary) hollow(die int32) bool {
	bd := b.bodyOf(die)
	if bd.err != nil {
		return true
	}
	for i := range bd.graph.Insns {
		in := &bd.graph.Insns[i]
		switch in.Kind {
		case flow.IndirectCall, flow.IndirectJump:
			return false
		case flow.Call, flow.Jump:
			if _, inside := bd.graph.At(in.Target); inside {
				continue
			}
			if name := b.nameOf(in.Target); !strings.HasPrefix(name, moreStack) && name != "runtime.panicwrap" {
				return false
			}
		}
	}
	return true
}
