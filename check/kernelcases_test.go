package check

import (
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// world is a kernel of everything that the rules speak about; the tests change it.
func world(name string) *kernel.Snapshot {
	s := &kernel.Snapshot{ID: kernel.Identity{Name: name, Release: name, Arch: elfbin.AMD64}}
	s.Options = map[string]string{"CONFIG_LSM": `"lockdown,bpf"`}
	for _, o := range []string{"BPF_EVENTS", "KPROBE_EVENTS", "KRETPROBES", "FPROBE", "DYNAMIC_FTRACE", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS",
		"DEBUG_INFO_BTF", "BPF_JIT", "BPF_LSM"} {
		s.Options["CONFIG_"+o] = "y"
	}
	s.Functions = []kernel.Function{
		function("plain", symbol("plain", 0x100)),
		function("sel", symbol("sel", 0x200)),
		function("full"),
		function("isra", clonedAs("isra.isra.0", 0x300)),
		function("both", symbol("both", 0x310), clonedAs("both.constprop.0", 0x320)),
		function("other", clonedAs("other.specialized.1", 0x330)),
		function("split", kernel.Symbol{Name: "split.part.0", Address: 0x340, Size: 8, Kind: kernel.Part, Traceable: kernel.Yes, Refused: kernel.No}),
		function("chilly", symbol("chilly", 0x350), kernel.Symbol{Name: "chilly.cold", Address: 0x360, Kind: kernel.Cold}),
		function("twice", symbol("twice", 0x400), symbol("twice", 0x500)),
		function("dark", marked(symbol("dark", 0x600), kernel.No, kernel.No)),
		function("black", marked(symbol("black", 0x610), kernel.Yes, kernel.Yes)),
		function("boot", starting(symbol("boot", 0x620))),
		function("drive", within(symbol("drive", 0x630), "drv")),
		function("nobtf", symbol("nobtf", 0x640)),
		function("talk", symbol("talk", 0x650)),
		function("wide", symbol("wide", 0x660)),
		function("doubt", symbol("doubt", 0x670)),
		function("head", symbol("head", 0x680)),
		function("inside", symbol("inside", 0x690)),
		function("caller", symbol("caller", 0x700)),
		function("__x64_sys_open", symbol("__x64_sys_open", 0x710)),
		function("__switch_to", symbol("__switch_to", 0x720)),
		function("count_symbols", symbol("count_symbols", 0x730)),
	}
	edit(s, "sel", func(f *kernel.Function) { f.Copies = []kernel.Copy{{Caller: "caller", Offset: 0x10, Address: 0x710}} })
	edit(s, "full", func(f *kernel.Function) {
		f.Copies = []kernel.Copy{{Caller: "caller", Offset: 4}, {Caller: "black", Offset: 8}}
	})
	edit(s, "isra", func(f *kernel.Function) {
		f.Symbols[0].Args = &kernel.Args{Place: []int8{kernel.ArgGone, 0, kernel.ArgElsewhere}}
		f.BTF = kernel.No
	})
	edit(s, "nobtf", func(f *kernel.Function) { f.BTF = kernel.No })
	edit(s, "talk", func(f *kernel.Function) { f.Protos[0].Variadic = true })
	edit(s, "wide", func(f *kernel.Function) {
		for range 7 {
			f.Protos[0].Params = append(f.Protos[0].Params, kernel.Param{Name: "x", Type: "i:int"})
		}
	})
	edit(s, "doubt", func(f *kernel.Function) {
		f.Plan = sites.Judgement{Verdict: sites.Unknown, Reasons: []sites.Reason{{Code: sites.ReasonIndirect, Text: "a jump"}}}
	})
	edit(s, "head", func(f *kernel.Function) {
		f.Copies, f.Sources = []kernel.Copy{{Caller: "caller", Offset: 0x20}}, []string{"include/linux/head.h:3"}
	})
	s.Events = []kernel.Tracepoint{
		{System: "fs", Name: "opened", Raw: "opened", Fields: []kernel.Field{{Name: "pid", Type: "int", Offset: 8, Size: 4}}},
		{System: "drv", Name: "moved", Module: "drv", Raw: "moved"},
		{System: "syscalls", Name: "sys_enter_open"},
	}
	s.Raws = []kernel.RawTracepoint{{Name: "opened", Params: []kernel.Param{{Type: "*s:file"}}}}
	open := kernel.Proto{Result: "i:int", Params: []kernel.Param{{Name: "file", Type: "*s:file"}}}
	s.Hooks = []kernel.LSMHook{{Name: "file_open", Proto: open, Attachable: kernel.Yes}, {Name: "hidden", Proto: open, Attachable: kernel.No}}
	s.Edges = []kernel.Call{
		{Caller: "caller", Callee: "sel"}, {Caller: "sel", Callee: "inside"}, {Caller: "inside", Callee: "__SCT__tp_func_opened"},
		{Caller: "sel", Callee: "security_file_open"}, {Caller: "caller", Callee: "plain"}, {Caller: "plain", Callee: "black"},
	}
	s.Sort()
	return s
}

func function(name string, symbols ...kernel.Symbol) kernel.Function {
	return kernel.Function{Name: name, Symbols: symbols, BTF: kernel.Yes, Sources: []string{"fs/" + name + ".c:1"},
		Plan:   sites.Judgement{Verdict: sites.Complete},
		Protos: []kernel.Proto{{Result: "i:int", Params: []kernel.Param{{Name: "a", Type: "i:int"}, {Name: "b", Type: "*s:file"}}}}}
}

func symbol(name string, address uint64) kernel.Symbol {
	return kernel.Symbol{Name: name, Address: address, Size: 16, Traceable: kernel.Yes, Refused: kernel.No}
}

func clonedAs(name string, address uint64) kernel.Symbol {
	s := symbol(name, address)
	s.Kind = kernel.Clone
	return s
}

func marked(s kernel.Symbol, traceable, refused kernel.Answer) kernel.Symbol {
	s.Traceable, s.Refused = traceable, refused
	return s
}

func starting(s kernel.Symbol) kernel.Symbol { s.Init = true; return s }

func within(s kernel.Symbol, module string) kernel.Symbol { s.Module = module; return s }

// edit changes a function of a snapshot that is not asked yet.
func edit(s *kernel.Snapshot, name string, change func(*kernel.Function)) {
	for i := range s.Functions {
		if s.Functions[i].Name == name {
			change(&s.Functions[i])
			return
		}
	}
	panic(name)
}

// variable makes a variable of a function's name.
func variable(name string) func(*kernel.Snapshot) {
	return func(s *kernel.Snapshot) {
		edit(s, name, func(f *kernel.Function) { f.Symbols[0].Variable = true })
	}
}

// without takes a function out.
func without(s *kernel.Snapshot, name string) {
	for i := range s.Functions {
		if s.Functions[i].Name == name {
			s.Functions = append(s.Functions[:i:i], s.Functions[i+1:]...)
			return
		}
	}
	panic(name)
}
