package main

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// writeAtlases writes the atlases that the scripts ask: fleet.atlas for check
// and test.atlas, without configurations, for the commands that list and compare.
func writeAtlases(dir string) error {
	return errors.Join(writeAtlas(dir, "fleet.atlas", fleet()), writeAtlas(dir, "test.atlas", pair()))
}

func writeAtlas(dir, name string, list []*kernel.Snapshot) error {
	f, err := os.Create(filepath.Join(dir, name))
	if err != nil {
		return err
	}
	defer f.Close()
	return atlas.Write(f, list)
}

// testKernel makes a kernel of functions.
func testKernel(name string, arch elfbin.Arch, functions ...kernel.Function) *kernel.Snapshot {
	return &kernel.Snapshot{ID: kernel.Identity{Name: name, Release: name, Arch: arch, Source: "a test"}, Functions: functions}
}

// testFunction makes a function of 64 bytes that ftrace and kprobes take.
func testFunction(name string, at uint64, param kernel.Param, copies ...kernel.Copy) kernel.Function {
	return kernel.Function{
		Name: name, BTF: kernel.Yes, Plan: sites.Judgement{Verdict: sites.Complete}, Copies: copies,
		Symbols: []kernel.Symbol{{Name: name, Address: at, Size: 0x40, Traceable: kernel.Yes, Refused: kernel.No}},
		Protos:  []kernel.Proto{{Params: []kernel.Param{param}, Result: "i:int"}},
	}
}

// fleet are three kernels: in the second do_open is inlined and do_fork is
// renamed, the third is of another architecture and has no fentry.
func fleet() []*kernel.Snapshot {
	body := func(name string, at uint64, copies ...kernel.Copy) kernel.Function {
		f := testFunction(name, at, kernel.Param{Name: "how", Type: "i:int"}, copies...)
		f.Sources = []string{"fs/open.c:1"}
		return f
	}
	var list []*kernel.Snapshot
	for i, name := range []string{"test-5.0-amd64", "test-6.0-amd64", "test-6.0-arm64"} {
		options := map[string]string{}
		for _, o := range []string{"BPF_EVENTS", "KPROBE_EVENTS", "KRETPROBES", "DYNAMIC_FTRACE", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "DEBUG_INFO_BTF", "BPF_JIT"} {
			options["CONFIG_"+o] = "y"
		}
		fork, call, arch := "do_fork", "__x64_sys_open", elfbin.AMD64
		var copies []kernel.Copy
		if i > 0 {
			fork, copies = "fork_process", []kernel.Copy{{Caller: call, Offset: 0x10, Address: 0x1090, Times: 1}}
		}
		if i == 2 {
			delete(options, "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS")
			call, arch = "__arm64_sys_open", elfbin.ARM64
			copies[0].Caller = call
		}
		k := testKernel(name, arch,
			body("do_open", 0x1000, copies...), body("open_last", 0x1040), body(call, 0x1080), body(fork, 0x10c0),
			body("count_symbols", 0x1100), body("caller", 0x1140), body("callee", 0x1180),
		)
		k.Options = options
		k.Edges = []kernel.Call{{Caller: "do_open", Callee: "open_last"}, {Caller: "open_last", Callee: "__traceiter_opened"}, {Caller: "caller", Callee: fork}, {Caller: fork, Callee: "callee"}}
		k.Events = []kernel.Tracepoint{
			{System: "fs", Name: "opened", Raw: "opened", Fields: []kernel.Field{{Type: "int", Name: "n", Offset: 8, Size: uint64(4 + 4*min(i, 1))}}},
			{System: "syscalls", Name: "sys_enter_open"},
		}
		k.Sort()
		list = append(list, k)
	}
	return list
}

// pair are two kernels: "opens" is inlined into "took", which changes an argument.
func pair() []*kernel.Snapshot {
	var list []*kernel.Snapshot
	for i, release := range []string{"5.0-test", "6.0-test"} {
		opens := testFunction("opens", 0x1000, kernel.Param{}, kernel.Copy{Caller: "took", Address: 0x1050, Offset: 0x10, Times: 1})
		opens.Protos, opens.Sources = nil, []string{"fs/open.c"}
		took := testFunction("took", 0x1040, []kernel.Param{{Name: "iter", Type: "*s:iov_iter"}, {Name: "len", Type: "t:size_t"}}[i])
		k := testKernel(release, elfbin.AMD64, opens, took)
		k.Unknown[kernel.Config] = "no configuration was given"
		k.Edges = []kernel.Call{{Caller: "took", Callee: "opens"}}
		k.Events = []kernel.Tracepoint{{System: "test", Name: "test_event", Raw: "test_event", Fields: []kernel.Field{{Type: "int", Name: "n", Offset: 8, Size: 4}}}}
		k.Sort()
		list = append(list, k)
	}
	return list
}
