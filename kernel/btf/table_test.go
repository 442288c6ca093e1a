package btf

import (
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/kernel"
)

// hooked is BTF with a function, and two hooks of which one has a function.
func hooked(t *testing.T) []byte {
	t.Helper()
	i := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	hook := &btf.FuncProto{Return: i, Params: []btf.FuncParam{{Name: "how", Type: i}}}
	b, err := btf.NewBuilder([]btf.Type{
		&btf.Func{Name: "vfs_read", Type: hook, Linkage: btf.StaticFunc},
		&btf.Func{Name: "bpf_lsm_file_open", Type: hook, Linkage: btf.StaticFunc},
		&btf.Union{Name: hooksUnion, Size: 8, Members: []btf.Member{
			{Name: "file_open", Type: &btf.Pointer{Target: hook}}, {Name: "closed", Type: &btf.Pointer{Target: hook}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, btf.KernelMarshalOptions())
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// TestTable: single names read the same as all of it.
func TestTable(t *testing.T) {
	table, err := Open(hooked(t), nil)
	if err != nil {
		t.Fatal(err)
	}
	all, err := table.Facts()
	if err != nil {
		t.Fatal(err)
	}
	one, err := table.Named("vfs_read")
	if err != nil || len(one.Funcs) != 1 || len(one.Defs) != 0 {
		t.Fatalf("%+v, %v", one, err)
	}
	if diff := cmp.Diff(all.Funcs["vfs_read"], one.Funcs["vfs_read"]); diff != "" {
		t.Error(diff)
	}
	if f, err := table.Named("nosuch"); err != nil || len(f.Funcs)+len(f.Defs) != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	hook := kernel.Proto{Params: []kernel.Param{{Name: "how", Type: "i:int"}}, Result: "i:int"}
	want := []kernel.LSMHook{{Name: "file_open", Proto: hook, Attachable: kernel.Yes}, {Name: "closed", Proto: hook, Attachable: kernel.No}}
	got, err := table.LSMHooks()
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	module := &Table{spec: table.spec, base: table} // that adds nothing
	if f, err := module.Named("vfs_read"); err != nil || len(f.Funcs) != 0 {
		t.Errorf("what is the kernel's is the module's too: %+v, %v", f, err)
	}
	if _, err := Open([]byte("nonsense"), nil); err == nil {
		t.Error("nonsense")
	}
}
