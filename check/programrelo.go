package check

import (
	"fmt"
	"slices"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/core"
)

// relocations: the program needs a field, type or enumerator that the kernel
// does not have (SH116).
func relocations(c *kcontext) ([]kfinding, error) {
	if c.program.Untyped != "" && c.program.Compiled() {
		return []kfinding{{Finding: Finding{
			Message: "which fields the program needs cannot be told", Severity: Warning, Evidence: []string{c.program.Untyped},
		}, reason: reasonMissing, plain: doubts}}, nil
	}
	if len(c.program.Relocations()) == 0 {
		return nil, nil
	}
	if c.Missing(kernel.Types) != "" {
		f := c.missing(kernel.Types, "whether the fields that the program needs are there")
		f.plan = harmless
		return []kfinding{f}, nil
	}
	t, err := c.trace(c.program)
	if err != nil {
		return nil, err
	}
	var out []kfinding
	for _, what := range failures(t.Failed) {
		first := what[0]
		if ofRegisters(first.Relo) {
			continue // SH203
		}
		f := kfinding{reason: reasonRefusedProgram, plain: blocks}
		f.Function = first.Relo.String()
		if err := c.describeFailure(&f, first); err != nil {
			return nil, err
		}
		f.Evidence = append(f.Evidence, at(first.Relo.Where, first.Relo.Line))
		if len(what) > 1 {
			f.Evidence = append(f.Evidence, fmt.Sprintf("and at %d other places", len(what)-1))
		}
		if !slices.ContainsFunc(what, func(f bpfobj.Failure) bool { return f.Unless == "" }) {
			unless(&f, first.Unless)
		}
		out = append(out, f)
	}
	return out, nil
}

// failures groups relocations of the same thing.
func failures(list []bpfobj.Failure) [][]bpfobj.Failure {
	var out [][]bpfobj.Failure
	at := map[string]int{}
	for _, f := range list {
		key := f.Relo.String()
		i, ok := at[key]
		if !ok {
			i = len(out)
			at[key] = i
			out = append(out, nil)
		}
		out[i] = append(out[i], f)
	}
	return out
}

// describeFailure says what is not there, and what became of it.
func (c *kcontext) describeFailure(f *kfinding, failed bpfobj.Failure) error {
	r := failed.Relo
	a, err := core.Resolve(c.types, &r.Relo)
	if err != nil {
		return err
	}
	name := core.Essential(rootName(r))
	defs, err := c.Definitions(name)
	if err != nil {
		return err
	}
	switch {
	case failed.Resized:
		f.Message = fmt.Sprintf("%s has %d bytes in this kernel, the program loads %d: loaders refuse the instruction", r.FieldName(), a.Size, r.Size)
		f.Evidence = append(f.Evidence, "here: "+a.Type.C(lastMember(r)))
		f.Remedy = "read it with bpf_core_read and BPF_CORE_READ_BITFIELD, or by bpf_core_field_size"
		return nil
	case len(defs) == 0:
		f.Message = fmt.Sprintf("this kernel has no %s, which the program needs (%s)", r.TypeName(), r.String())
		f.Remedy = "guard it with bpf_core_type_exists"
		c.orInModule(f)
	case r.Kind.OfEnum():
		f.Message = fmt.Sprintf("%s has no %s in this kernel", r.TypeName(), core.Essential(r.Enumerator))
		f.Remedy = "guard it with bpf_core_enum_value_exists"
	default:
		f.Message = fmt.Sprintf("%s has no %s in this kernel; the program needs it and no bpf_core_field_exists guards it", r.TypeName(), r.Path()[1:])
		f.Remedy = "guard it with bpf_core_field_exists, and read what the kernel has through a flavour of the struct (struct " + name + "___old)"
		near, ok, err := core.Near(c.types, c.program, &r.Relo)
		if err != nil {
			return err
		}
		if ok {
			f.Evidence = append(f.Evidence, nearText(r, near))
		}
	}
	where, err := c.elsewhere(func(m *member) (bool, error) {
		if m.Missing(kernel.Types) != "" {
			return false, nil
		}
		if m.types == nil {
			m.types = core.NewCache(m.Kernel)
		}
		a, err := core.Resolve(m.types, &r.Relo)
		return err == nil && !a.Fails, err
	})
	f.Evidence = append(f.Evidence, where...)
	return err
}

// orInModule lowers a finding that something is nowhere in a kernel whose
// modules are not known: loaders look there too.
func (c *kcontext) orInModule(f *kfinding) {
	why := c.Missing(kernel.Modules)
	if why == "" {
		return
	}
	f.Severity, f.plain = Warning, doubts
	f.Evidence = append(f.Evidence, "it may be in a module: "+why)
}

func nearText(r *bpfobj.Relocation, n core.Nearest) string {
	sure := "perhaps"
	if n.Sure {
		sure = "surely"
	}
	return fmt.Sprintf("%s %s%s here (%s): %s", sure, core.Essential(rootName(r)), n.Path, n.Why, n.Type.C(""))
}

// rootName is the name of the relocation's type, "" without one.
func rootName(r *bpfobj.Relocation) string {
	if len(r.Root) > 2 && r.Root[1] == ':' {
		return string(r.Root[2:])
	}
	return ""
}

func lastMember(r *bpfobj.Relocation) string {
	for _, s := range slices.Backward(r.Steps) {
		if s.Member != "" {
			return s.Member
		}
	}
	return ""
}

// sizes: the program copies as many bytes of a field as it had where it was
// compiled (SH117).
func sizes(c *kcontext) ([]kfinding, error) {
	if c.Missing(kernel.Types) != "" || len(c.program.Relocations()) == 0 {
		return nil, nil
	}
	t, err := c.trace(c.program)
	if err != nil {
		return nil, err
	}
	var out []kfinding
	for _, y := range t.Copies {
		a, err := core.Resolve(c.types, &y.Relo.Relo)
		if err != nil {
			return nil, err
		}
		// What is copied may be part of a struct; only whole fields are judged.
		if !a.Found || a.Bits > 0 || a.Size == 0 || y.Relo.Bits > 0 || uint64(y.Size) != y.Relo.Size || a.Size == uint64(y.Size) {
			continue
		}
		f := kfinding{reason: reasonChanged}
		f.Function = y.Relo.String()
		f.Evidence = []string{"here: " + a.Type.C(lastMember(y.Relo)), at(y.Where, y.Line)}
		if a.Size < uint64(y.Size) {
			f.Message = fmt.Sprintf("%s has %d bytes in this kernel; the program reads %d and gets what lies behind it", y.Relo.FieldName(), a.Size, y.Size)
		} else {
			f.Severity = Warning
			f.Message = fmt.Sprintf("%s has %d bytes in this kernel; the program reads the first %d", y.Relo.FieldName(), a.Size, y.Size)
		}
		f.Remedy = "read as many bytes as bpf_core_field_size says"
		unless(&f, y.Unless)
		out = append(out, f)
	}
	return out, nil
}
