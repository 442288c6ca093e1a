package live

import (
	"bytes"
	"errors"
	"io/fs"
	"slices"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/btftypes"
)

// typeTable is the BTF of the kernel and of its modules.
type typeTable struct {
	kernel  *btf.Spec
	modules []moduleTypes
}

type moduleTypes struct {
	name string
	spec *btf.Spec
}

// readTypes reads /sys/kernel/btf. Modules that cannot be read count as
// having none: their files go away when they are unloaded.
func (k *Kernel) readTypes() (*typeTable, string) {
	raw, err := fs.ReadFile(k.root, btfDir+"/vmlinux")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "the kernel has no BTF (CONFIG_DEBUG_INFO_BTF)"
	} else if err != nil {
		return nil, cannot(btfDir+"/vmlinux", err)
	}
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(raw))
	if err != nil {
		return nil, cannot(btfDir+"/vmlinux", err)
	}
	t := &typeTable{kernel: spec}
	modules, _ := fs.ReadDir(k.root, btfDir)
	for _, m := range modules {
		if m.Name() == "vmlinux" {
			continue
		}
		raw, err := fs.ReadFile(k.root, btfDir+"/"+m.Name())
		if err != nil {
			continue
		}
		if spec, err := btf.LoadSplitSpecFromReader(bytes.NewReader(raw), t.kernel); err == nil {
			t.modules = append(t.modules, moduleTypes{m.Name(), spec})
		}
	}
	return t, ""
}

// named gives the types of a name, each once: the BTF of a module has its
// base's too.
func (t *typeTable) named(name string) []btf.Type {
	all, _ := t.kernel.AnyTypesByName(name) // not found is no type
	for _, m := range t.modules {
		own, _ := m.spec.AnyTypesByName(name)
		for _, typ := range own {
			if !slices.Contains(all, typ) {
				all = append(all, typ)
			}
		}
	}
	return all
}

// protos gives the distinct signatures of the functions of a name.
func (t *typeTable) protos(name string) ([]kernel.Proto, error) {
	var out []kernel.Proto
	for _, typ := range t.named(name) {
		f, ok := typ.(*btf.Func)
		if !ok {
			continue
		}
		p, ok := f.Type.(*btf.FuncProto)
		if !ok {
			continue
		}
		proto, err := btftypes.Proto(p)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(out, func(o kernel.Proto) bool { return sameProto(o, proto) }) {
			out = append(out, proto)
		}
	}
	return out, nil
}

func sameProto(a, b kernel.Proto) bool {
	return a.Result == b.Result && a.Variadic == b.Variadic && slices.Equal(a.Params, b.Params)
}

// typeLists are what only a walk over all types finds.
type typeLists struct {
	raws   []kernel.RawTracepoint
	hooks  []kernel.LSMHook
	kfuncs []string
}

func (k *Kernel) readLists() (*typeLists, error) {
	l := &typeLists{}
	t, _ := k.types()
	if t == nil {
		return l, nil
	}
	all := append([]moduleTypes{{"", t.kernel}}, t.modules...)
	for _, m := range all {
		f, err := btftypes.Collect(m.spec, m.name)
		if err != nil {
			return l, err
		}
		l.raws = append(l.raws, f.Raws...)
		l.kfuncs = append(l.kfuncs, f.Kfuncs...)
		if m.name == "" {
			l.hooks = f.Hooks
		}
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
	if t == nil {
		return nil, nil
	}
	return btftypes.LSMHooks(t.kernel)
}

// Kfuncs gives the functions that BPF programs may call, sorted.
func (k *Kernel) Kfuncs() ([]string, error) {
	l, err := k.lists()
	return l.kfuncs, err
}

// Definitions gives the structs, unions, enums and typedefs of a name.
func (k *Kernel) Definitions(name string) ([]kernel.Definition, error) {
	t, _ := k.types()
	if t == nil {
		return nil, nil
	}
	s := kernel.Snapshot{}
	for _, typ := range t.named(name) {
		d, ok, err := btftypes.Definition(typ)
		if err != nil {
			return nil, err
		}
		if ok {
			s.Defs = append(s.Defs, d)
		}
	}
	s.Sort()
	return s.Defs, nil
}
