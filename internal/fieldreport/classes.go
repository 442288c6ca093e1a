package fieldreport

import (
	"slices"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/core"
	"github.com/surehook/surehook/sites"
)

// Class is a way in which a dependency differs between kernels, as DepSurf
// counts them.
type Class string

// The classes.
const (
	FuncAbsent      Class = "function: absent"
	FuncChanged     Class = "function: changed"
	FuncFull        Class = "function: fully inlined"
	FuncSelective   Class = "function: selectively inlined"
	FuncTransformed Class = "function: transformed"
	FuncDuplicated  Class = "function: duplicated"
	StructAbsent    Class = "struct: absent"
	FieldAbsent     Class = "field: absent"
	FieldChanged    Class = "field: changed"
	EventAbsent     Class = "tracepoint: absent"
	EventChanged    Class = "tracepoint: changed"
)

// Count is how many dependencies there are, and in how many tools.
type Count struct {
	Deps  map[string]bool
	Tools map[string]bool
}

func (c *Count) add(tool, dep string) {
	if c.Deps == nil {
		c.Deps, c.Tools = map[string]bool{}, map[string]bool{}
	}
	c.Deps[dep], c.Tools[tool] = true, true
}

// Surface is what tools depend on.
type Surface struct {
	Total   map[string]*Count // by "function", "struct", "field", "tracepoint"
	Classes map[Class]*Count
	kernels []kernel.Kernel
	types   []*core.Cache
}

// NewSurface compares over kernels, the oldest first.
func NewSurface(list []kernel.Kernel) *Surface {
	s := &Surface{Total: map[string]*Count{}, Classes: map[Class]*Count{}, kernels: list}
	for _, k := range list {
		s.types = append(s.types, core.NewCache(k))
	}
	return s
}

func (s *Surface) total(kind, tool, dep string) {
	if s.Total[kind] == nil {
		s.Total[kind] = &Count{}
	}
	s.Total[kind].add(tool, dep)
}

func (s *Surface) class(c Class, tool, dep string) {
	if s.Classes[c] == nil {
		s.Classes[c] = &Count{}
	}
	s.Classes[c].add(tool, dep)
}

// Add counts the dependencies of a tool.
func (s *Surface) Add(tool string, f *bpfobj.File) error {
	for i := range f.Programs {
		p := &f.Programs[i]
		for _, h := range p.Hooks {
			if h.Kind.User() || p.HookNotKnown != "" { // a placeholder
				continue
			}
			var err error
			switch h.Kind {
			case hook.Tracepoint:
				err = s.event(tool, h)
			case hook.RawTracepoint, hook.LSM:
			default:
				err = s.function(tool, h.Function)
			}
			if err != nil {
				return err
			}
		}
		for _, r := range p.Relocations() {
			if err := s.relocation(tool, r); err != nil {
				return err
			}
		}
	}
	return nil
}

// function counts one function over all kernels.
func (s *Surface) function(tool, symbol string) error {
	name, _, _, _ := sites.SymbolName(symbol)
	s.total("function", tool, name)
	var first *kernel.Proto
	for _, k := range s.kernels {
		f, _, err := k.Function(name)
		if err != nil {
			return err
		}
		switch f.Class() {
		case kernel.Absent, kernel.PartOnly:
			s.class(FuncAbsent, tool, name)
		case kernel.Full:
			s.class(FuncFull, tool, name)
		case kernel.Selective:
			s.class(FuncSelective, tool, name)
		}
		if f.Count(kernel.Clone)+f.Count(kernel.Part)+f.Count(kernel.Cold) > 0 {
			s.class(FuncTransformed, tool, name)
		}
		if f.Count(kernel.Body) > 1 {
			s.class(FuncDuplicated, tool, name)
		}
		if len(f.Protos) != 1 {
			continue
		}
		if first == nil {
			first = &f.Protos[0]
		} else if !sameProto(*first, f.Protos[0]) {
			s.class(FuncChanged, tool, name)
		}
	}
	return nil
}

func sameProto(a, b kernel.Proto) bool {
	return a.Result == b.Result && slices.EqualFunc(a.Params, b.Params, func(x, y kernel.Param) bool { return x.Type == y.Type })
}

// relocation counts the struct and the field of a relocation.
func (s *Surface) relocation(tool string, r *bpfobj.Relocation) error {
	root := string(r.Root)
	if len(root) < 3 || root[0] != 's' && root[0] != 'u' || root[1] != ':' {
		return nil
	}
	name := core.Essential(root[2:])
	if name == "pt_regs" || name == "user_pt_regs" {
		return nil
	}
	s.total("struct", tool, name)
	field := ""
	if r.Kind.OfField() && len(r.Steps) > 0 {
		field = name + r.Path()
		s.total("field", tool, field)
	}
	var first *core.Answer
	for i, k := range s.kernels {
		defs, err := k.Definitions(name)
		if err != nil {
			return err
		}
		if len(defs) == 0 {
			s.class(StructAbsent, tool, name)
		}
		if field == "" {
			continue
		}
		whole := r.Relo
		whole.Kind = core.FieldOffset
		a, err := core.Resolve(s.types[i], &whole)
		if err != nil {
			return err
		}
		switch {
		case !a.Found:
			s.class(FieldAbsent, tool, field)
		case first == nil:
			first = &a
		case first.Type != a.Type || first.Size != a.Size:
			s.class(FieldChanged, tool, field)
		}
	}
	return nil
}

// event counts a tracepoint.
func (s *Surface) event(tool string, h hook.Hook) error {
	name := h.Module + ":" + h.Function
	s.total("tracepoint", tool, name)
	var first []kernel.Field
	for _, k := range s.kernels {
		list, err := k.Tracepoints()
		if err != nil {
			return err
		}
		i := slices.IndexFunc(list, func(e kernel.Tracepoint) bool { return e.System == h.Module && e.Name == h.Function })
		switch {
		case i < 0:
			s.class(EventAbsent, tool, name)
		case first == nil:
			first = list[i].Fields
		case !slices.EqualFunc(first, list[i].Fields, func(a, b kernel.Field) bool { return a.Name == b.Name && a.Type == b.Type }):
			s.class(EventChanged, tool, name)
		}
	}
	return nil
}
