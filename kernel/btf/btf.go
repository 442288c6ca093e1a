// Package btf reads what a kernel's BTF says of functions and types, and
// writes it as package kernel does.
package btf

import (
	"errors"
	"strings"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
)

// Facts is what one BTF says.
type Facts struct {
	Funcs  map[string][]kernel.Proto // distinct signatures by function name
	Kfuncs []string                  // by declaration tag, which kernels from 6.9 have
	Raw    map[string][]kernel.Param // arguments of raw tracepoints by name, without the private one
	// Hooks are the LSM hooks: the members of union security_list_options.
	Hooks []kernel.LSMHook
	// LSMFuncs are the hooks for which there is a function bpf_lsm_NAME.
	LSMFuncs map[string]bool
	Defs     []kernel.Definition // in the BTF's order

	spec *btf.Spec
}

// ErrFormat is the cause of every error of Read.
var ErrFormat = errors.New("not sound BTF")

// Read reads raw BTF: the section .BTF, or /sys/kernel/btf/vmlinux. base is the
// kernel's for the BTF of a module, else nil.
func Read(raw []byte, base *Facts) (*Facts, error) {
	var under *Table
	if base != nil {
		under = &Table{spec: base.spec}
	}
	t, err := Open(raw, under)
	if err != nil {
		return nil, err
	}
	return t.Facts()
}

func newFacts(spec *btf.Spec) *Facts {
	return &Facts{
		Funcs: map[string][]kernel.Proto{}, Raw: map[string][]kernel.Param{}, LSMFuncs: map[string]bool{}, spec: spec,
	}
}

// Names that the kernel gives what programs are put on.
const (
	hooksUnion = "security_list_options"
	hookFunc   = "bpf_lsm_"
)

// Func gives the name of the function with a type id, as .BTF_ids lists them.
func (f *Facts) Func(id uint32) (string, bool) {
	t, err := f.spec.TypeByID(btf.TypeID(id))
	if err != nil {
		return "", false
	}
	fn, ok := t.(*btf.Func)
	if !ok {
		return "", false
	}
	return fn.Name, true
}

// add takes up one type.
func (f *Facts) add(w *writer, t btf.Type) {
	switch t := t.(type) {
	case *btf.Func:
		f.addFunc(w, t)
	case *btf.Typedef:
		f.Defs = append(f.Defs, kernel.Definition{Kind: kernel.Typedef, Name: t.Name, Size: sizeOf(t.Type), Target: w.write(t.Type)})
		f.addRaw(w, t)
	case *btf.Struct:
		if t.Name != "" {
			f.Defs = append(f.Defs, kernel.Definition{Kind: kernel.Struct, Name: t.Name, Size: uint64(t.Size), Members: w.members(t.Members)})
		}
	case *btf.Union:
		if t.Name == hooksUnion && len(f.Hooks) == 0 {
			f.addHooks(w, t)
		}
		if t.Name != "" {
			f.Defs = append(f.Defs, kernel.Definition{Kind: kernel.Union, Name: t.Name, Size: uint64(t.Size), Members: w.members(t.Members)})
		}
	case *btf.Enum:
		if t.Name != "" {
			f.Defs = append(f.Defs, kernel.Definition{Kind: kernel.Enum, Name: t.Name, Size: uint64(t.Size), Signed: t.Signed, Values: values(t)})
		}
	}
}

// addFunc adds a function's signature.
func (f *Facts) addFunc(w *writer, t *btf.Func) {
	if name, ok := strings.CutPrefix(t.Name, hookFunc); ok && name != "" {
		f.LSMFuncs[name] = true
	}
	for _, tag := range t.Tags {
		if tag == "bpf_kfunc" {
			f.Kfuncs = append(f.Kfuncs, t.Name)
		}
	}
	proto, ok := t.Type.(*btf.FuncProto)
	if !ok {
		return
	}
	p := w.proto(proto)
	for _, have := range f.Funcs[t.Name] {
		if have.Equal(p) {
			return
		}
	}
	f.Funcs[t.Name] = append(f.Funcs[t.Name], p)
}

// addRaw adds the arguments of a raw tracepoint: the kernel has a typedef
// btf_trace_NAME of what a probe function looks like (include/trace/bpf_probe.h).
func (f *Facts) addRaw(w *writer, t *btf.Typedef) {
	const prefix = "btf_trace_"
	if len(t.Name) <= len(prefix) || t.Name[:len(prefix)] != prefix {
		return
	}
	ptr, ok := t.Type.(*btf.Pointer)
	if !ok {
		return
	}
	proto, ok := ptr.Target.(*btf.FuncProto)
	if !ok {
		return
	}
	p := w.proto(proto)
	f.Raw[t.Name[len(prefix):]] = p.Params[min(1, len(p.Params)):]
}

// addHooks reads the LSM hooks, which are pointers to functions.
func (f *Facts) addHooks(w *writer, t *btf.Union) {
	for _, m := range t.Members {
		ptr, ok := m.Type.(*btf.Pointer)
		if !ok {
			continue
		}
		if proto, ok := ptr.Target.(*btf.FuncProto); ok && m.Name != "" {
			f.Hooks = append(f.Hooks, kernel.LSMHook{Name: m.Name, Proto: w.proto(proto)})
		}
	}
}
