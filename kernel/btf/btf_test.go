package btf

import (
	"os"
	"slices"
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/kernel"
)

// encode makes raw BTF of types.
func encode(t testing.TB, types ...btf.Type) []byte {
	t.Helper()
	b, err := btf.NewBuilder(types, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// sample are types as a kernel has them.
func sample() []btf.Type {
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	file := &btf.Struct{Name: "file", Size: 16}
	file.Members = []btf.Member{
		{Name: "next", Type: &btf.Pointer{Target: file}},
		{Type: &btf.Union{Size: 8, Members: []btf.Member{
			{Name: "flag", Type: integer, BitfieldSize: 3},
			{Name: "name", Type: &btf.Array{Type: integer, Index: integer, Nelems: 2}},
		}}, Offset: 64},
	}
	open := &btf.FuncProto{Return: integer, Params: []btf.FuncParam{
		{Name: "file", Type: &btf.Pointer{Target: file}}, {Name: "name", Type: &btf.Pointer{Target: &btf.Const{Type: integer}}},
	}}
	printk := &btf.FuncProto{Return: &btf.Void{}, Params: []btf.FuncParam{{Name: "n", Type: integer}, {Type: &btf.Void{}}}}
	trace := &btf.FuncProto{Return: &btf.Void{}, Params: []btf.FuncParam{
		{Type: &btf.Pointer{Target: &btf.Void{}}}, {Name: "preempt", Type: integer},
	}}
	return []btf.Type{
		&btf.Func{Name: "vfs_open", Type: open, Tags: []string{"bpf_kfunc"}}, &btf.Func{Name: "printk", Type: printk},
		&btf.Func{Name: "bpf_lsm_file_open", Type: open},
		&btf.Typedef{Name: "btf_trace_sched_switch", Type: &btf.Pointer{Target: trace}},
		&btf.Union{Name: "security_list_options", Size: 8, Members: []btf.Member{{Name: "file_open", Type: &btf.Pointer{Target: open}}}},
		&btf.Enum{Name: "mode", Size: 4, Signed: true, Values: []btf.EnumValue{{Name: "A", Value: 1}, {Name: "B", Value: ^uint64(1)}}},
	}
}

func TestRead(t *testing.T) {
	f, err := Read(encode(t, sample()...), nil)
	if err != nil {
		t.Fatal(err)
	}
	params := []kernel.Param{{Name: "file", Type: "*s:file"}, {Name: "name", Type: "*ci:int"}}
	want := map[string][]kernel.Proto{
		"vfs_open":          {{Params: params, Result: "i:int"}},
		"bpf_lsm_file_open": {{Params: params, Result: "i:int"}},
		"printk":            {{Params: []kernel.Param{{Name: "n", Type: "i:int"}}, Result: "0", Variadic: true}},
	}
	if diff := cmp.Diff(want, f.Funcs); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string][]kernel.Param{"sched_switch": {{Name: "preempt", Type: "i:int"}}}, f.Raw); diff != "" {
		t.Error(diff)
	}
	if !slices.Equal(f.Kfuncs, []string{"vfs_open"}) || !f.LSMFuncs["file_open"] || len(f.Hooks) != 1 || f.Hooks[0].Name != "file_open" {
		t.Errorf("%v %v %v", f.Kfuncs, f.LSMFuncs, f.Hooks)
	}
	for _, d := range f.Defs {
		switch d.Name {
		case "file":
			want := []kernel.Member{{Name: "next", Type: "*s:file"}, {Type: "{u8;flag@0:3=i:int;name@0=[2]i:int;}", Offset: 64}}
			if diff := cmp.Diff(want, d.Members); diff != "" {
				t.Error(diff)
			}
		case "mode":
			if diff := cmp.Diff([]kernel.EnumValue{{Name: "A", Value: 1}, {Name: "B", Value: -2}}, d.Values); diff != "" {
				t.Error(diff)
			}
		}
	}
}

// TestRunning reads the BTF of the kernel that runs here: nothing in it may be
// beyond the limits.
func TestRunning(t *testing.T) {
	raw, err := os.ReadFile("/sys/kernel/btf/vmlinux")
	if err != nil {
		t.Skip("this kernel shows no BTF: ", err)
	}
	f, err := Read(raw, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range f.Defs {
		for _, m := range d.Members {
			if slices.Contains([]byte(m.Type), '?') {
				t.Errorf("%s.%s: %s", d.Name, m.Name, m.Type)
			}
		}
	}
	if len(f.Funcs) < 1000 || len(f.Raw) < 100 || len(f.Hooks) < 100 {
		t.Errorf("%d functions, %d raw tracepoints, %d hooks", len(f.Funcs), len(f.Raw), len(f.Hooks))
	}
	t.Logf("%d functions, %d definitions, %d raw tracepoints, %d LSM hooks, %d kfuncs", len(f.Funcs), len(f.Defs), len(f.Raw), len(f.Hooks), len(f.Kfuncs))
}

// FuzzRead: an error or facts, and time and memory in proportion.
func FuzzRead(f *testing.F) {
	f.Add(encode(f, sample()...))
	f.Add([]byte("\x9f\xeb\x01\x00\x18\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		facts, err := Read(raw, nil)
		if (err == nil) == (facts == nil) {
			t.Fatalf("%v and %v", facts, err)
		}
	})
}
