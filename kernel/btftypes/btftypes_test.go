package btftypes

import (
	"bytes"
	"strings"
	"testing"

	"github.com/cilium/ebpf/btf"
	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/kernel"
)

func types() (i, file btf.Type) {
	return &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}, &btf.Struct{Name: "file", Size: 8}
}

func TestType(t *testing.T) {
	i, file := types()
	inner := &btf.Struct{Size: 8, Members: []btf.Member{{Name: "a", Type: i}, {Name: "b", Type: i, Offset: 32, BitfieldSize: 3}}}
	for _, tt := range []struct {
		in   btf.Type
		want string
	}{
		{&btf.Void{}, "0"},
		{&btf.Pointer{Target: &btf.Const{Type: &btf.Volatile{Type: i}}}, "*cvi:int"},
		{&btf.Restrict{Type: &btf.Pointer{Target: &btf.Void{}}}, "r*0"},
		{&btf.Pointer{Target: &btf.TypeTag{Value: "rcu", Type: file}}, "*s:file"},
		{&btf.Array{Type: i, Nelems: 16}, "[16]i:int"},
		{&btf.Typedef{Name: "loff_t", Type: i}, "t:loff_t"},
		{&btf.Float{Name: "double", Size: 8}, "f:double"},
		{&btf.Fwd{Name: "x", Kind: btf.FwdUnion}, "u:x"},
		{&btf.Fwd{Name: "x", Kind: btf.FwdStruct}, "s:x"},
		{&btf.Enum{Name: "state", Size: 4}, "e:state"},
		{&btf.Enum{Size: 4, Signed: true, Values: []btf.EnumValue{{Name: "A", Value: 1}, {Name: "B", Value: 0xfffffffe}}}, "{e4;A=1;B=-2;}"},
		{inner, "{s8;a@0=i:int;b@32:3=i:int;}"},
		{&btf.Union{Size: 8, Members: []btf.Member{{Name: "x", Type: i}, {Type: inner}}}, "{u8;x@0=i:int;@0={s8;a@0=i:int;b@32:3=i:int;};}"},
		{&btf.Pointer{Target: &btf.FuncProto{Return: i, Params: []btf.FuncParam{{Name: "f", Type: &btf.Pointer{Target: file}}, {Type: &btf.Void{}}}}}, "*(*s:file,.)i:int"},
		{&btf.FuncProto{Return: &btf.Void{}, Params: []btf.FuncParam{{Type: &btf.Void{}}}}, "(.)0"},
	} {
		got, err := Type(tt.in)
		if err != nil || string(got) != tt.want {
			t.Errorf("%v: got %q, %v, want %q", tt.in, got, err, tt.want)
		}
	}
}

// Types that contain themselves, as damaged BTF can, end in an error.
func TestTypeDamaged(t *testing.T) {
	circle := &btf.Pointer{}
	circle.Target = circle
	wide := &btf.Struct{}
	for range 40 {
		wide.Members = append(wide.Members, btf.Member{Name: "m", Type: wide})
	}
	for _, in := range []btf.Type{circle, wide, &btf.Func{Name: "f"}} {
		if got, err := Type(in); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%T: got %.40q, %v", in, got, err)
		}
	}
}

// marshalled is BTF with a function, a kfunc, a raw tracepoint and two hooks.
func marshalled(t testing.TB) []byte {
	i, file := types()
	pointer := &btf.Pointer{Target: file}
	read := &btf.FuncProto{Return: i, Params: []btf.FuncParam{{Name: "file", Type: pointer}, {Name: "n", Type: i}}}
	event := &btf.FuncProto{Return: &btf.Void{}, Params: []btf.FuncParam{{Type: &btf.Pointer{Target: &btf.Void{}}}, {Type: pointer}}}
	hook := &btf.FuncProto{Return: i, Params: []btf.FuncParam{{Name: "file", Type: pointer}}}
	b, err := btf.NewBuilder([]btf.Type{
		&btf.Func{Name: "vfs_read", Type: read, Linkage: btf.StaticFunc},
		&btf.Func{Name: "bpf_fun", Type: hook, Linkage: btf.StaticFunc, Tags: []string{"bpf_kfunc"}},
		&btf.Func{Name: "bpf_lsm_file_open", Type: hook, Linkage: btf.StaticFunc},
		&btf.Typedef{Name: "btf_trace_opened", Type: &btf.Pointer{Target: event}},
		&btf.Union{Name: "security_list_options", Size: 8, Members: []btf.Member{
			{Name: "file_open", Type: &btf.Pointer{Target: hook}}, {Name: "closed", Type: &btf.Pointer{Target: hook}}}},
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := b.Marshal(nil, &btf.MarshalOptions{Order: btf.KernelMarshalOptions().Order})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

func TestCollect(t *testing.T) {
	spec, err := btf.LoadSpecFromReader(bytes.NewReader(marshalled(t)))
	if err != nil {
		t.Fatal(err)
	}
	got, err := Collect(spec, "ext4")
	if err != nil {
		t.Fatal(err)
	}
	file := kernel.Param{Name: "file", Type: "*s:file"}
	hook := kernel.Proto{Params: []kernel.Param{file}, Result: "i:int"}
	if diff := cmp.Diff([]kernel.RawTracepoint{{Name: "opened", Module: "ext4", Params: []kernel.Param{{Type: "*s:file"}}}}, got.Raws); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]kernel.LSMHook{{Name: "closed", Proto: hook, Attachable: kernel.No}, {Name: "file_open", Proto: hook, Attachable: kernel.Yes}}, got.Hooks); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"bpf_fun"}, got.Kfuncs); diff != "" {
		t.Error(diff)
	}
	if got.Funcs[0].Name != "vfs_read" || cmp.Diff(kernel.Proto{Params: []kernel.Param{file, {Name: "n", Type: "i:int"}}, Result: "i:int"}, got.Funcs[0].Proto) != "" {
		t.Errorf("%+v", got.Funcs[0])
	}
	hooks, err := LSMHooks(spec)
	if diff := cmp.Diff(got.Hooks, hooks); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if !HasFunc(spec, "vfs_read") || HasFunc(spec, "file") {
		t.Error("HasFunc")
	}
}

func FuzzCollect(f *testing.F) {
	f.Add(marshalled(f))
	f.Fuzz(func(t *testing.T, data []byte) {
		spec, err := btf.LoadSpecFromReader(bytes.NewReader(data))
		if err != nil {
			return
		}
		if got, err := Collect(spec, ""); (got == nil) == (err == nil) {
			t.Errorf("got %v and error %v", got, err)
		}
	})
}
