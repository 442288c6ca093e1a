package check

import (
	"strings"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// accessKernel has one of everything that can be read.
func accessKernel(change func(*kernel.Snapshot)) *kernel.Snapshot {
	fn := func(name string, result kernel.Type, params ...kernel.Param) kernel.Function {
		return kernel.Function{
			Name: name, BTF: kernel.Yes, Symbols: []kernel.Symbol{{Name: name, Address: 0x1000}}, Protos: []kernel.Proto{{Params: params, Result: result}},
		}
	}
	k := &kernel.Snapshot{
		ID: kernel.Identity{Name: "k", Arch: elfbin.AMD64},
		Functions: []kernel.Function{
			fn("connect", "i:int", kernel.Param{Name: "sk", Type: "*s:sock"}, kernel.Param{Name: "how", Type: "i:unsigned long"}),
			fn("nothing", "0"),
			fn("moved", "*cs:sock", kernel.Param{Name: "a", Type: "i:int"}, kernel.Param{Name: "b", Type: "i:int"}),
			{Name: "bare", Symbols: []kernel.Symbol{{Name: "bare", Address: 0x2000}}},
		},
		Events: []kernel.Tracepoint{{System: "fs", Name: "open", Raw: "open", Fields: []kernel.Field{{Type: "struct sock *", Name: "sk"}, {Type: "int", Name: "prev_state"}}}},
		Raws:   []kernel.RawTracepoint{{Name: "open", Params: []kernel.Param{{Type: "*s:sock"}}}},
		Hooks:  []kernel.LSMHook{{Name: "file_open", Attachable: kernel.Yes, Proto: kernel.Proto{Params: []kernel.Param{{Name: "file", Type: "*s:file"}}, Result: "i:int"}}},
		Defs: []kernel.Definition{
			{Kind: kernel.Struct, Name: "sock_common", Members: []kernel.Member{{Name: "skc_num", Type: "i:short"}}},
			{Kind: kernel.Struct, Name: "sock", Members: []kernel.Member{{Name: "__sk_common", Type: "s:sock_common"}, {Name: "list", Type: "[4]s:sock_common", Offset: 64}}},
			{Kind: kernel.Struct, Name: "tcp_sock", Members: []kernel.Member{{Name: "inet", Type: "s:sock"}}},
			{Kind: kernel.Struct, Name: "file", Members: []kernel.Member{{Name: "f_flags", Type: "i:int"}}},
		},
		Options: map[string]string{},
	}
	k.Functions[2].Symbols[0].Args = &kernel.Args{Place: []int8{kernel.ArgGone, 0}}
	if change != nil {
		change(k)
	}
	k.Sort()
	return k
}

func TestAccesses(t *testing.T) {
	arg := func(i int, as string, path ...string) bpfobj.Access {
		return bpfobj.Access{Place: bpfobj.Place{Line: 3, Column: 5}, Source: bpfobj.FromArg, Index: i, As: as, Path: path}
	}
	name := func(n, as string, path ...string) bpfobj.Access {
		return bpfobj.Access{Source: bpfobj.FromName, Name: n, As: as, Path: path}
	}
	typed := func(n string, path ...string) bpfobj.Access {
		return bpfobj.Access{Source: bpfobj.FromType, Name: n, Path: path}
	}
	lost := func(topic kernel.Topic) func(*kernel.Snapshot) {
		return func(k *kernel.Snapshot) { k.Unknown[topic] = "not in this test" }
	}
	arm := func(k *kernel.Snapshot) { k.ID.Arch = elfbin.ARM64 }
	result := bpfobj.Access{Source: bpfobj.FromReturn}
	for _, tt := range []struct {
		hook   string
		a      bpfobj.Access
		change func(*kernel.Snapshot)
		want   string // "" for no finding
	}{
		{"kprobe:connect", arg(1, ""), nil, ""},
		{"kprobe:connect", arg(2, ""), nil, "error SH131 connect has no arg2: it takes 2 arguments"},
		{"kprobe:connect", arg(7, ""), arm, "error SH131 connect has no arg7"},
		{"kprobe:nosuch", arg(7, ""), nil, ""}, // another rule's
		{"kprobe:bare", arg(0, ""), nil, "info SH134 the arguments of bare"},
		{"kprobe:moved", arg(1, ""), nil, "error SH131 arg1 (b) is not in its register"},
		{"kprobe:connect", arg(0, "struct sock *"), nil, ""},
		{"kprobe:connect", arg(0, "struct tcp_sock *"), nil, ""},
		{"kprobe:connect", arg(0, "struct sock_common *"), nil, ""},
		{"kprobe:connect", arg(0, "struct file *"), nil, "error SH132 arg0 of connect is taken for struct file *, and is struct sock * here"},
		{"kprobe:connect", arg(0, "uint64"), nil, ""},
		{"kprobe:connect", arg(1, "struct sock *"), nil, ""}, // a number may hold an address
		{"kretprobe:connect", result, nil, ""},
		{"kretprobe:nothing", result, nil, "error SH131 nothing returns nothing"},
		{"kretprobe:moved", bpfobj.Access{Source: bpfobj.FromReturn, As: "struct file *"}, nil, "error SH132 the result of moved is taken for struct file *"},
		{"fentry:connect", name("sk", "", "__sk_common", "skc_num"), nil, ""},
		{"fentry:connect", name("sk", "", "__sk_common", "num"), nil, "error SH133 struct sock_common has no member num"},
		{"fentry:connect", name("sock", ""), nil, "error SH131 connect has no argument sock"},
		{"fentry:connect", name("sk", "", "list", "[]", "skc_num"), nil, ""},
		{"tracepoint:fs:open", name("sk", "struct sock *", "sk_common"), nil, "error SH133 struct sock has no member sk_common"},
		{"tracepoint:fs:open", name("common_pid", ""), nil, ""},
		{"tracepoint:fs:open", name("prev_stat", ""), nil, "error SH133 the event fs:open has no field prev_stat here"},
		{"tracepoint:fs:closed", name("x", ""), nil, ""},
		{"rawtracepoint:open", arg(0, "struct sock *"), nil, ""},
		{"rawtracepoint:open", arg(1, ""), nil, "error SH131 the raw tracepoint open has no argument 1"},
		{"rawtracepoint:open", arg(1, ""), lost(kernel.RawArgs), "info SH134"},
		{"lsm:file_open", arg(0, "struct file *"), nil, ""},
		{"lsm:file_open", arg(1, ""), nil, "error SH131 file_open has no arg1"},
		{"kprobe:connect", typed("struct sock", "__sk_common"), nil, ""},
		{"kprobe:connect", typed("struct nosuch", "x"), nil, "error SH133 there is no struct nosuch"},
		{"kprobe:connect", typed("struct nosuch", "x"), lost(kernel.Modules), "info SH134 struct nosuch"},
		{"kprobe:connect", typed("struct file", "f_flag"), nil, "error SH133 struct file has no member f_flag"},
		{"kprobe:connect", typed("struct file", "f_flag"), lost(kernel.Types), "info SH134"},
		{"kprobe:connect", typed("struct own", "x"), nil, "info SH134 struct own"},
		{"kprobe:connect", bpfobj.Access{Source: bpfobj.FromRegister, Name: "di"}, nil, ""},
		{"kprobe:connect", bpfobj.Access{Source: bpfobj.FromRegister, Name: "di"}, arm, "error SH203 register di is one of amd64"},
		{"kprobe:connect", bpfobj.Access{Source: bpfobj.FromRegister, Name: "pstate"}, nil, "error SH203 register pstate is one of arm64"},
		{"kprobe:connect", bpfobj.Access{Source: bpfobj.FromRegister, Name: "r9"}, arm, ""},
		{"kprobe:connect", bpfobj.Access{Source: bpfobj.FromRegister, Name: "zz"}, nil, "error SH203 register zz is one of no architecture"},
	} {
		h, err := hook.Parse(tt.hook)
		if err != nil {
			t.Fatal(err)
		}
		found, err := NewFleet([]kernel.Kernel{accessKernel(tt.change)}, nil).Accesses(h, []bpfobj.Access{tt.a}, []string{"struct own"})
		if err != nil {
			t.Fatal(err)
		}
		got := ""
		for _, f := range found[0] {
			got += string(f.Severity) + " " + string(f.Rule) + " " + f.Message
			if f.Kernel != "k" || f.Origin.Line != tt.a.Line {
				t.Errorf("%s: %+v", tt.hook, f)
			}
		}
		if (got == "") != (tt.want == "") || !strings.HasPrefix(got, tt.want) {
			t.Errorf("%s %+v:\n%q, want %q", tt.hook, tt.a, got, tt.want)
		}
	}
}

// TestNear: what it may have been renamed to.
func TestNearMember(t *testing.T) {
	h, _ := hook.Parse("kprobe:connect")
	found, err := NewFleet([]kernel.Kernel{accessKernel(nil)}, nil).Accesses(h, []bpfobj.Access{{Source: bpfobj.FromType, Name: "struct sock", Path: []string{"sk_common"}}}, nil)
	if err != nil || len(found[0]) != 1 || strings.Join(found[0][0].Evidence, "") != "it has struct sock_common __sk_common" {
		t.Errorf("%+v %v", found, err)
	}
}

// TestGlobOfClones: a glob behind a dot means the compiler's bodies.
func TestGlobOfClones(t *testing.T) {
	k := accessKernel(func(k *kernel.Snapshot) {
		k.Functions = append(k.Functions, kernel.Function{Name: "fast", Symbols: []kernel.Symbol{
			{Name: "fast.constprop.0", Address: 0x3000, Kind: kernel.Clone}, {Name: "fast.isra.0", Address: 0x3100, Kind: kernel.Clone},
		}})
	})
	f := NewFleet([]kernel.Kernel{k}, nil)
	for pattern, want := range map[string]string{"fast.constprop.*": "fast.constprop.0", "fast.*": "fast.constprop.0 fast.isra.0", "slow.*": "slow.*"} {
		h, err := hook.Parse("kprobe:" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		list, err := f.contexts(h, f.asked[0])
		var names []string
		for _, c := range list {
			names = append(names, c.name)
		}
		if err != nil || strings.Join(names, " ") != want {
			t.Errorf("%s: %v %v", pattern, names, err)
		}
	}
}
