package btf

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
)

// Table is BTF that is read name by name: the 130,000 types of a vmlinux take
// 0.3 s, one function of it 10 ms.
type Table struct {
	spec *btf.Spec
	base *Table // the kernel's; nil for the kernel itself
}

// Open takes raw BTF as Read does, without reading its types.
func Open(raw []byte, base *Table) (*Table, error) {
	var spec *btf.Spec
	var err error
	if base != nil {
		spec, err = btf.LoadSplitSpecFromReader(bytes.NewReader(raw), base.spec)
	} else {
		spec, err = btf.LoadSpecFromReader(bytes.NewReader(raw))
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	return &Table{spec: spec, base: base}, nil
}

// NewTable makes a Table of types that were read before.
func NewTable(spec *btf.Spec) *Table { return &Table{spec: spec} }

// Facts reads all types; of a module those that it adds to the kernel's.
func (t *Table) Facts() (*Facts, error) {
	f := newFacts(t.spec)
	w := writer{known: map[btf.Type]kernel.Type{}}
	for typ, err := range t.spec.All() {
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrFormat, err)
		}
		f.add(&w, typ)
	}
	return f, nil
}

// Named reads the types of one name; of a module those that it adds to the
// kernel's.
func (t *Table) Named(name string) (*Facts, error) {
	types, err := t.spec.AnyTypesByName(name)
	if err != nil && !errors.Is(err, btf.ErrNotFound) {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	var inherited []btf.Type
	if t.base != nil && len(types) > 0 {
		inherited, _ = t.base.spec.AnyTypesByName(name) // none if there is an error
	}
	f := newFacts(t.spec)
	w := writer{known: map[btf.Type]kernel.Type{}}
	for _, typ := range types {
		if !slices.Contains(inherited, typ) {
			f.add(&w, typ)
		}
	}
	return f, nil
}

// LSMHooks gives the security hooks, in the kernel's order, with what programs
// can be put on.
func (t *Table) LSMHooks() ([]kernel.LSMHook, error) {
	f, err := t.Named(hooksUnion)
	if err != nil {
		return nil, err
	}
	for i := range f.Hooks {
		h := &f.Hooks[i]
		fn, err := t.Named(hookFunc + h.Name)
		if err != nil {
			return nil, err
		}
		h.Attachable = kernel.Is(fn.LSMFuncs[h.Name])
	}
	return f.Hooks, nil
}
