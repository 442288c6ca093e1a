package live

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/btf"
)

// typeTable is the BTF of the kernel, then of its modules.
type typeTable []moduleTypes

type moduleTypes struct {
	module string // empty for the kernel
	*btf.Table
}

// readTypes reads /sys/kernel/btf. Modules that cannot be read count as
// having none: their files go away when they are unloaded.
func (k *Kernel) readTypes() (typeTable, string) {
	raw, err := fs.ReadFile(k.root, btfDir+"/vmlinux")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "there is no /" + btfDir + "/vmlinux (built without CONFIG_DEBUG_INFO_BTF, or hidden)"
	} else if err != nil {
		return nil, cannot(btfDir+"/vmlinux", err)
	}
	base, err := btf.Open(raw, nil)
	if err != nil {
		return nil, cannot(btfDir+"/vmlinux", err)
	}
	t := typeTable{{"", base}}
	modules, _ := fs.ReadDir(k.root, btfDir)
	for _, m := range modules {
		if m.Name() == "vmlinux" {
			continue
		}
		raw, err := fs.ReadFile(k.root, btfDir+"/"+m.Name())
		if err != nil {
			continue
		}
		if split, err := btf.Open(raw, base); err == nil {
			t = append(t, moduleTypes{m.Name(), split})
		}
	}
	return t, ""
}

// protos gives the distinct signatures of the functions of a name.
func (t typeTable) protos(name string) ([]kernel.Proto, error) {
	var out []kernel.Proto
	for _, m := range t {
		f, err := m.Named(name)
		if err != nil {
			return nil, err
		}
		for _, p := range f.Funcs[name] {
			if !slices.ContainsFunc(out, p.Equal) {
				out = append(out, p)
			}
		}
	}
	return out, nil
}

// typeLists are what only a walk over all types finds.
type typeLists struct {
	raws   []kernel.RawTracepoint
	kfuncs []string
}

func (k *Kernel) readLists() (*typeLists, error) {
	l := &typeLists{}
	t, _ := k.types()
	for _, m := range t {
		f, err := m.Facts()
		if err != nil {
			return l, err
		}
		for name, params := range f.Raw {
			l.raws = append(l.raws, kernel.RawTracepoint{Name: name, Module: m.module, Params: params})
		}
		l.kfuncs = append(l.kfuncs, f.Kfuncs...)
	}
	s := kernel.Snapshot{Raws: l.raws, BPFFuncs: l.kfuncs}
	s.Sort()
	l.raws, l.kfuncs = s.Raws, s.BPFFuncs
	return l, nil
}

// RawTracepoints gives the static points that BTF describes, by name.
func (k *Kernel) RawTracepoints() ([]kernel.RawTracepoint, error) {
	l, err := k.lists()
	return l.raws, err
}

// LSMHooks gives the security hooks, by name.
func (k *Kernel) LSMHooks() ([]kernel.LSMHook, error) {
	t, _ := k.types()
	if len(t) == 0 {
		return nil, nil
	}
	list, err := t[0].LSMHooks()
	slices.SortFunc(list, func(a, b kernel.LSMHook) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// Kfuncs gives the functions that BPF programs may call, sorted.
func (k *Kernel) Kfuncs() ([]string, error) {
	l, err := k.lists()
	return l.kfuncs, err
}

// Definitions gives the structs, unions, enums and typedefs of a name.
func (k *Kernel) Definitions(name string) ([]kernel.Definition, error) {
	t, _ := k.types()
	var out []kernel.Definition
	for _, m := range t {
		f, err := m.Named(name)
		if err != nil {
			return nil, err
		}
		out = append(out, f.Defs...)
	}
	slices.SortStableFunc(out, func(a, b kernel.Definition) int { return cmp.Compare(a.Kind, b.Kind) })
	return out, nil
}
