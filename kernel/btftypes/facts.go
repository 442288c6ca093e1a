package btftypes

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
)

// Func is a function that BTF describes. A name may come several times.
type Func struct {
	Name  string
	Proto kernel.Proto
}

// Facts is what the BTF of a kernel or of one module says.
type Facts struct {
	Funcs  []Func
	Raws   []kernel.RawTracepoint
	Hooks  []kernel.LSMHook // vmlinux only
	Kfuncs []string         // only from pahole 1.27 on, which tags them (Linux 6.10)
	Defs   []kernel.Definition
}

// Prefixes of names that the kernel's headers make.
const (
	rawPrefix = "btf_trace_" // include/trace/bpf_probe.h: the typedef of a tracepoint's arguments
	lsmPrefix = "bpf_lsm_"   // include/linux/bpf_lsm.h: what LSM programs are put on
	lsmHooks  = "security_list_options"
	kfuncTag  = "bpf_kfunc"
)

// Collect reads all of the BTF; of a split one, what it adds to its base. The
// module is written into what it finds. It takes 0.3 s for a vmlinux.
func Collect(spec *btf.Spec, module string) (*Facts, error) {
	f := &Facts{}
	bpf := map[string]bool{} // functions with the prefix of LSM programs
	var hooks *btf.Union
	for t, err := range spec.All() {
		if err != nil {
			return nil, fmt.Errorf("BTF: %w", err)
		}
		switch v := t.(type) {
		case *btf.Func:
			err = f.function(v, bpf)
		case *btf.Union:
			if v.Name == lsmHooks {
				hooks = v
			}
			err = f.definition(v)
		case *btf.Typedef:
			var raw kernel.RawTracepoint
			var ok bool
			if raw, ok, err = Raw(v); ok {
				raw.Module = module
				f.Raws = append(f.Raws, raw)
			} else if err == nil {
				err = f.definition(v)
			}
		case *btf.Struct, *btf.Enum:
			err = f.definition(v)
		}
		if err != nil {
			return nil, err
		}
	}
	slices.Sort(f.Kfuncs)
	f.Kfuncs = slices.Compact(f.Kfuncs)
	var err error
	if f.Hooks, err = hookList(hooks, func(name string) bool { return bpf[name] }); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *Facts) function(v *btf.Func, bpf map[string]bool) error {
	p, ok := v.Type.(*btf.FuncProto)
	if !ok {
		return fmt.Errorf("BTF: function %s has a type that is no signature", v.Name)
	}
	proto, err := Proto(p)
	if err != nil {
		return fmt.Errorf("function %s: %w", v.Name, err)
	}
	f.Funcs = append(f.Funcs, Func{Name: v.Name, Proto: proto})
	if slices.Contains(v.Tags, kfuncTag) {
		f.Kfuncs = append(f.Kfuncs, v.Name)
	}
	if name, ok := strings.CutPrefix(v.Name, lsmPrefix); ok {
		bpf[name] = true
	}
	return nil
}

func (f *Facts) definition(t btf.Type) error {
	d, ok, err := Definition(t)
	if err != nil {
		return fmt.Errorf("%s: %w", t.TypeName(), err)
	}
	if ok {
		f.Defs = append(f.Defs, d)
	}
	return nil
}

// Raw converts the typedef of a raw tracepoint, btf_trace_NAME; ok is false
// for other typedefs.
func Raw(t *btf.Typedef) (r kernel.RawTracepoint, ok bool, err error) {
	name, ok := strings.CutPrefix(t.Name, rawPrefix)
	if !ok {
		return r, false, nil
	}
	p, ok := t.Type.(*btf.Pointer)
	if !ok {
		return r, false, nil
	}
	target, ok := p.Target.(*btf.FuncProto)
	if !ok {
		return r, false, nil
	}
	proto, err := Proto(target)
	if err != nil {
		return r, false, fmt.Errorf("%s: %w", t.Name, err)
	}
	if len(proto.Params) > 0 {
		r.Params = proto.Params[1:] // void *__data is the kernel's own
	}
	r.Name = name
	return r, true, nil
}

// LSMHooks gives the security hooks of a vmlinux' BTF, by name.
func LSMHooks(spec *btf.Spec) ([]kernel.LSMHook, error) {
	var hooks *btf.Union
	if err := spec.TypeByName(lsmHooks, &hooks); errors.Is(err, btf.ErrNotFound) {
		return nil, nil // a kernel without CONFIG_SECURITY
	} else if err != nil {
		return nil, fmt.Errorf("BTF: %w", err)
	}
	return hookList(hooks, func(name string) bool { return HasFunc(spec, lsmPrefix+name) })
}

// HasFunc tells whether the BTF describes a function of that name.
func HasFunc(spec *btf.Spec, name string) bool {
	list, err := spec.AnyTypesByName(name)
	return err == nil && slices.ContainsFunc(list, func(t btf.Type) bool { _, ok := t.(*btf.Func); return ok })
}

// hookList makes hooks of the members of security_list_options, which are
// pointers to functions. bpf tells for which the kernel has a place for
// programs.
func hookList(u *btf.Union, bpf func(name string) bool) ([]kernel.LSMHook, error) {
	if u == nil {
		return nil, nil
	}
	var out []kernel.LSMHook
	for _, m := range u.Members {
		p, ok := m.Type.(*btf.Pointer)
		if !ok {
			continue
		}
		target, ok := p.Target.(*btf.FuncProto)
		if !ok || m.Name == "" {
			continue
		}
		proto, err := Proto(target)
		if err != nil {
			return nil, fmt.Errorf("LSM hook %s: %w", m.Name, err)
		}
		out = append(out, kernel.LSMHook{Name: m.Name, Proto: proto, Attachable: kernel.Is(bpf(m.Name))})
	}
	slices.SortFunc(out, func(a, b kernel.LSMHook) int { return strings.Compare(a.Name, b.Name) })
	return out, nil
}
