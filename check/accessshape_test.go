package check

import (
	"strings"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// shapeKernel has arguments of every shape.
func shapeKernel() *kernel.Snapshot {
	param := func(name string, t kernel.Type) kernel.Param { return kernel.Param{Name: name, Type: t} }
	fn := func(name string, result kernel.Type, params ...kernel.Param) kernel.Function {
		return kernel.Function{
			Name: name, BTF: kernel.Yes, Symbols: []kernel.Symbol{{Name: name, Address: 0x1000}}, Protos: []kernel.Proto{{Params: params, Result: result}},
		}
	}
	k := &kernel.Snapshot{
		ID: kernel.Identity{Name: "k", Arch: elfbin.AMD64},
		Functions: []kernel.Function{
			fn("f", "t:ssize_t", param("fd", "i:unsigned int"), param("size", "t:size_t"), param("name", "*ci:char"), param("file", "*s:file"), param("buf", "*0"), param("on", "i:_Bool")),
			fn("g", "i:int", param("uid", "t:kuid_t"), param("mode", "e:pid_type"), param("name", "*s:filename")),
			fn("__x64_sys_open", "i:long", param("regs", "*cs:pt_regs")),
			fn("__x64_sys_alone", "i:long", param("regs", "*cs:pt_regs")),
		},
		Events: []kernel.Tracepoint{
			{System: "fs", Name: "open", Fields: []kernel.Field{
				{Type: "int", Name: "n", Size: 4}, {Type: "__data_loc char[]", Name: "where", Size: 4}, {Type: "char[16]", Name: "comm", Size: 16},
				{Type: "struct sock *", Name: "sk", Size: 8}, {Type: "void *", Name: "p", Size: 8}, {Type: "u64", Name: "big", Size: 8},
			}},
			{System: "syscalls", Name: "sys_enter_open", Fields: []kernel.Field{
				{Type: "int", Name: "__syscall_nr", Size: 4}, {Type: "const char *", Name: "filename", Size: 8}, {Type: "int", Name: "flags", Size: 8},
			}},
		},
		Defs: []kernel.Definition{
			{Kind: kernel.Typedef, Name: "size_t", Target: "i:unsigned long"}, {Kind: kernel.Typedef, Name: "ssize_t", Target: "i:long"},
			{Kind: kernel.Typedef, Name: "kuid_t", Target: "{s4;val@0=i:unsigned int;}"}, {Kind: kernel.Enum, Name: "pid_type", Size: 4},
			{Kind: kernel.Struct, Name: "file", Size: 200, Members: []kernel.Member{{Name: "f_flags", Type: "i:unsigned int"}, {Name: "f_pos", Type: "i:long long", Offset: 64}}},
			{Kind: kernel.Struct, Name: "filename", Size: 32}, {Kind: kernel.Struct, Name: "sock", Size: 32},
		},
		Options: map[string]string{},
	}
	k.Sort()
	return k
}

func TestShapes(t *testing.T) {
	read := func(index int, kind bpfobj.ShapeKind, bytes int, path ...string) bpfobj.Access {
		return bpfobj.Access{Source: bpfobj.FromArg, Index: index, Path: path, Shape: bpfobj.Shape{Kind: kind, Bytes: bytes}}
	}
	as := func(index int, t string) bpfobj.Access {
		return bpfobj.Access{Source: bpfobj.FromArg, Index: index, As: t}
	}
	result := func(bytes int) bpfobj.Access {
		return bpfobj.Access{Source: bpfobj.FromReturn, Shape: bpfobj.Shape{Kind: bpfobj.Number, Bytes: bytes}}
	}
	for _, tt := range []struct {
		hook string
		a    bpfobj.Access
		want string // "" for no finding
	}{
		{"kprobe:f", read(0, bpfobj.Number, 4), ""},
		{"kprobe:f", read(0, bpfobj.Number, 8), "warning SH132 arg0 of f is read as a number of 8 bytes, and is unsigned int here: what else"},
		{"kprobe:f", read(1, bpfobj.Number, 4), "warning SH132 arg1 of f is read as a number of 4 bytes, and is size_t here: the upper"},
		{"kprobe:f", read(1, bpfobj.Number, 0), ""},
		{"kprobe:f", read(2, bpfobj.Text, 0), ""},
		{"kprobe:f", read(2, bpfobj.Number, 4), "error SH132 arg2 of f is read as a number of 4 bytes, and is const char * here"},
		{"kprobe:f", read(2, bpfobj.Number, 8), ""},
		{"kprobe:f", read(3, bpfobj.Text, 0), "error SH132 arg3 of f is read as a string, and is struct file * here"},
		{"kprobe:f", read(3, bpfobj.Buffer, 0), "warning SH132 arg3 of f is read as a buffer, and is struct file * here"},
		{"kprobe:f", read(0, bpfobj.Text, 0), "error SH132 arg0 of f is read as a string, and is unsigned int here"},
		{"kprobe:f", read(0, bpfobj.Buffer, 0), "error SH132"},
		{"kprobe:f", read(4, bpfobj.Text, 0), ""},
		{"kprobe:f", read(4, bpfobj.Buffer, 0), ""},
		{"kprobe:f", read(5, bpfobj.Number, 4), ""},
		{"kprobe:f", read(3, bpfobj.Number, 4, "f_flags"), ""},
		{"kprobe:f", read(3, bpfobj.Number, 8, "f_flags"), "error SH132 f_flags of arg3 is read as a number of 8 bytes"},
		{"kprobe:f", read(3, bpfobj.Number, 4, "nosuch"), "error SH133 struct file has no member nosuch"},
		{"kprobe:f", as(3, "struct file *"), ""},
		{"kprobe:g", as(2, "struct file *"), "error SH132 arg2 of g is taken for struct file *, and is struct filename * here"},
		{"kprobe:f", as(0, "struct file *"), "error SH132 arg0 of f is taken for struct file *, and is unsigned int here"},
		{"kprobe:g", read(0, bpfobj.Number, 4), ""},
		{"kprobe:g", read(1, bpfobj.Number, 4), ""},
		{"kprobe:g", read(9, bpfobj.Number, 4), "error SH131 g has no arg9"},
		{"kretprobe:f", result(4), "warning SH132 the result of f is read as a number of 4 bytes, and is ssize_t here: the upper"},
		{"kretprobe:f", result(8), ""},

		{"tracepoint:fs:open", read(4, bpfobj.Number, 4), ""},
		{"tracepoint:fs:open", read(4, bpfobj.Number, 8), "error SH132 field n of fs:open is read as a number of 8 bytes, and is int here in 4 bytes: the next"},
		{"tracepoint:fs:open", read(9, bpfobj.Number, 4), "warning SH132 field big of fs:open"},
		{"tracepoint:fs:open", read(5, bpfobj.DataLoc, 0), ""},
		{"tracepoint:fs:open", read(5, bpfobj.Text, 0), "error SH132 field where"},
		{"tracepoint:fs:open", read(6, bpfobj.DataLoc, 0), "error SH132 field comm of fs:open is read as text at the end"},
		{"tracepoint:fs:open", read(6, bpfobj.Text, 0), ""},
		{"tracepoint:fs:open", read(6, bpfobj.Number, 4), "error SH132 field comm"},
		{"tracepoint:fs:open", as(7, "struct sock *"), ""},
		{"tracepoint:fs:open", as(7, "struct file *"), "error SH132 field sk of fs:open is read as struct file *, and is struct sock * here"},
		{"tracepoint:fs:open", as(8, "struct file *"), ""},
		{"tracepoint:fs:open", as(4, "struct file *"), "error SH132 field n"},
		{"tracepoint:fs:open", read(10, bpfobj.Number, 4), "error SH131 the event fs:open has no field 10: it has 10, with the 4"},
		{"tracepoint:fs:open", read(1, bpfobj.Number, 4), ""},

		{"ksyscall:open", read(0, bpfobj.Text, 0), ""},
		{"ksyscall:open", read(0, bpfobj.Number, 4), "error SH132 field filename of the system call open"},
		{"ksyscall:open", read(1, bpfobj.Number, 4), ""},
		{"ksyscall:open", read(2, bpfobj.Number, 4), "error SH131 the system call open has no arg2: it takes 2 arguments"},
		{"ksyscall:alone", read(0, bpfobj.Number, 4), "info SH134 the arguments of the system call alone"},
		{"ksyscall:nosuch", read(0, bpfobj.Number, 4), ""}, // another rule's
		{"kretsyscall:open", result(4), ""},
	} {
		h, err := hook.Parse(tt.hook)
		if err != nil {
			t.Fatal(err)
		}
		found, err := NewFleet([]kernel.Kernel{shapeKernel()}, nil).Accesses(h, []bpfobj.Access{tt.a}, nil)
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found[0] {
			got += string(f.Severity) + " " + string(f.Rule) + " " + f.Message
		}
		if !strings.HasPrefix(got, tt.want) || tt.want == "" && got != "" {
			t.Errorf("%s %+v: %q, want %q", tt.hook, tt.a, got, tt.want)
		}
	}
}
