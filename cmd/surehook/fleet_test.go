package main

import (
	"os"
	"path/filepath"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// writeFleet writes an atlas of three kernels: in the second do_open is
// inlined and do_fork is renamed, the third is of another architecture and has
// no fentry.
func writeFleet(dir string) error {
	options := map[string]string{}
	for _, o := range []string{"BPF_EVENTS", "KPROBE_EVENTS", "KRETPROBES", "DYNAMIC_FTRACE", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "DEBUG_INFO_BTF", "BPF_JIT"} {
		options["CONFIG_"+o] = "y"
	}
	body := func(name string, at uint64, copies ...kernel.Copy) kernel.Function {
		return kernel.Function{
			Name: name, BTF: kernel.Yes, Plan: sites.Judgement{Verdict: sites.Complete}, Sources: []string{"fs/open.c:1"}, Copies: copies,
			Symbols: []kernel.Symbol{{Name: name, Address: at, Size: 0x40, Traceable: kernel.Yes, Refused: kernel.No}},
			Protos:  []kernel.Proto{{Params: []kernel.Param{{Name: "how", Type: "i:int"}}, Result: "i:int"}},
		}
	}
	var list []*kernel.Snapshot
	for i, name := range []string{"test-5.0-amd64", "test-6.0-amd64", "test-6.0-arm64"} {
		k := &kernel.Snapshot{ID: kernel.Identity{Name: name, Release: name, Arch: elfbin.AMD64, Source: "a test"}, Options: map[string]string{}}
		for o, v := range options {
			k.Options[o] = v
		}
		fork, call := "do_fork", "__x64_sys_open"
		var copies []kernel.Copy
		if i > 0 {
			fork, copies = "fork_process", []kernel.Copy{{Caller: call, Offset: 0x10, Address: 0x1090, Times: 1}}
		}
		if i == 2 {
			delete(k.Options, "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS")
			call, k.ID.Arch = "__arm64_sys_open", elfbin.ARM64
			copies[0].Caller = call
		}
		k.Functions = []kernel.Function{
			body("do_open", 0x1000, copies...), body("open_last", 0x1040), body(call, 0x1080), body(fork, 0x10c0),
			body("count_symbols", 0x1100), body("caller", 0x1140), body("callee", 0x1180),
		}
		k.Edges = []kernel.Call{{Caller: "do_open", Callee: "open_last"}, {Caller: "open_last", Callee: "__traceiter_opened"}, {Caller: "caller", Callee: fork}, {Caller: fork, Callee: "callee"}}
		k.Events = []kernel.Tracepoint{
			{System: "fs", Name: "opened", Raw: "opened", Fields: []kernel.Field{{Type: "int", Name: "n", Offset: 8, Size: uint64(4 + 4*min(i, 1))}}},
			{System: "syscalls", Name: "sys_enter_open"},
		}
		k.Sort()
		list = append(list, k)
	}
	f, err := os.Create(filepath.Join(dir, "fleet.atlas"))
	if err != nil {
		return err
	}
	defer f.Close()
	return atlas.Write(f, list)
}
