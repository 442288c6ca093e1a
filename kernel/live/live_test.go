package live

import (
	"bytes"
	"compress/gzip"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

const symbols = `ffffffff81000000 T _stext
ffffffff81000010 t __pfx_vfs_read
ffffffff81000020 T vfs_read
ffffffff81000120 t get
ffffffff81000140 t finish.isra.0
ffffffff81000160 t vfs_read.cold
ffffffff81000180 d some_data
ffffffff81000188 b vfs_read
ffffffff810001a0 t get
ffffffff810001c0 T _etext
ffffffff82000000 T _sinittext
ffffffff82000010 t setup
ffffffff82000100 T _einittext
ffffffffc0000000 t xfs_open	[xfs]
ffffffffc0000040 t bpf_prog_abc	[bpf]
garbage
`

const format = `name: opened
ID: 3
format:
	field:unsigned short common_type;	offset:0;	size:2;	signed:0;

	field:char comm[16];	offset:8;	size:16;	signed:0;
	field:__data_loc char[] name;	offset:24;	size:4;	signed:0;
	field:void * p;	offset:32;	size:8;	signed:0;
	field:int nr;	offset:40;	size:4;	signed:1;

print fmt: "x"
`

func packed(t *testing.T, text string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := z.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func system(t *testing.T) fstest.MapFS {
	m := fstest.MapFS{}
	for name, text := range map[string]string{
		releaseFile:   "6.1.0-test\n",
		bannerFile:    "Linux version 6.1.0-test (x)\n",
		notesFile:     "\x04\x00\x00\x00\x04\x00\x00\x00\x06\x00\x00\x00Xen\x00abcd\x04\x00\x00\x00\x02\x00\x00\x00\x03\x00\x00\x00GNU\x00\xab\xcd\x00\x00",
		kallsymsFile:  symbols,
		blacklistFile: "0xffffffff810001a0-0xffffffff810001b0\tget\n",
		lsmFile:       "lockdown,bpf",
		"sys/kernel/debug/tracing/available_filter_functions":            "vfs_read\nget\nxfs_open [xfs]\n",
		"sys/kernel/debug/tracing/available_events":                      "fs:opened\nsyscalls:sys_enter_read\n",
		"sys/kernel/debug/tracing/events/fs/opened/format":               format,
		"sys/kernel/debug/tracing/events/syscalls/sys_enter_read/format": format,
	} {
		m[name] = &fstest.MapFile{Data: []byte(text)}
	}
	m["proc/config.gz"] = &fstest.MapFile{Data: packed(t, "# CONFIG_FPROBE is not set\nCONFIG_KPROBES=y\nCONFIG_LSM=\"lockdown\"\n")}
	return m
}

func open(t *testing.T, root fs.FS) *Kernel {
	t.Helper()
	k, err := New(root, elfbin.AMD64)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func TestIdentity(t *testing.T) {
	want := kernel.Identity{Name: "live", Release: "6.1.0-test", Banner: "Linux version 6.1.0-test (x)", Arch: elfbin.AMD64, BuildID: "abcd", Source: "the running kernel"}
	if diff := cmp.Diff(want, open(t, system(t)).Identity()); diff != "" {
		t.Error(diff)
	}
	if k, err := New(fstest.MapFS{}, elfbin.AMD64); err == nil || !strings.Contains(err.Error(), "/proc mounted") {
		t.Error(k, err)
	}
}

func TestFunction(t *testing.T) {
	k := open(t, system(t))
	base := uint64(0xffffffff81000000)
	for name, want := range map[string][]kernel.Symbol{
		"vfs_read": {
			{Name: "vfs_read", Address: base + 0x20, Size: 0x100, Global: true, Traceable: kernel.Yes, Refused: kernel.No, Variable: true},
			{Name: "vfs_read.cold", Address: base + 0x160, Size: 0x40, Kind: kernel.Cold, Traceable: kernel.No, Refused: kernel.No},
		},
		"get": { // ftrace's list has one of the two
			{Name: "get", Address: base + 0x120, Size: 0x20, Traceable: kernel.NotKnown, Refused: kernel.No},
			{Name: "get", Address: base + 0x1a0, Size: 0x20, Traceable: kernel.NotKnown, Refused: kernel.Yes},
		},
		"finish":   {{Name: "finish.isra.0", Address: base + 0x140, Size: 0x20, Kind: kernel.Clone, Traceable: kernel.No, Refused: kernel.No}},
		"setup":    {{Name: "setup", Address: base + 0x1000010, Size: 0xf0, Init: true, Traceable: kernel.No, Refused: kernel.No}},
		"xfs_open": {{Name: "xfs_open", Address: 0xffffffffc0000000, Module: "xfs", Traceable: kernel.Yes, Refused: kernel.No}},
	} {
		f, ok, err := k.Function(name)
		if diff := cmp.Diff(want, f.Symbols); diff != "" || !ok || err != nil {
			t.Errorf("%s: %v %v\n%s", name, ok, err, diff)
		}
		if f.Plan.Verdict != sites.Unknown || len(f.Plan.Reasons) == 0 {
			t.Errorf("%s: %+v", name, f.Plan)
		}
	}
	if f, ok, err := k.Function("bpf_prog_abc"); ok || err != nil {
		t.Error(f, err)
	}
	if name, ok, err := k.Symbol("finish.isra.0"); name != "finish" || !ok || err != nil {
		t.Error(name, ok, err)
	}
	names, _ := k.Names()
	if got := slices.Collect(names); !slices.IsSorted(got) || !slices.Contains(got, "finish") || len(slices.Compact(got)) != len(got) {
		t.Error(got)
	}
}

// The addresses of 6.5 and later tell namesakes apart.
func TestFtraceAddresses(t *testing.T) {
	root := system(t)
	root["sys/kernel/tracing/available_filter_functions_addrs"] = &fstest.MapFile{Data: []byte("ffffffff81000024 vfs_read\nffffffff810001a4 get\n")}
	f, _, _ := open(t, root).Function("get")
	if f.Symbols[0].Traceable != kernel.No || f.Symbols[1].Traceable != kernel.Yes {
		t.Errorf("%+v", f.Symbols)
	}
}

func TestEvents(t *testing.T) {
	got, err := open(t, system(t)).Tracepoints()
	fields := []kernel.Field{
		{Type: "char[16]", Name: "comm", Offset: 8, Size: 16}, {Type: "__data_loc char[]", Name: "name", Offset: 24, Size: 4},
		{Type: "void *", Name: "p", Offset: 32, Size: 8}, {Type: "int", Name: "nr", Offset: 40, Size: 4, Signed: true},
	}
	want := []kernel.Tracepoint{{System: "fs", Name: "opened", Raw: "opened", Fields: fields}, {System: "syscalls", Name: "sys_enter_read", Fields: fields}}
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Error(diff, err)
	}
	if e, ok := open(t, system(t)).Tracepoint("fs", "opened"); !ok || cmp.Diff(want[0], e) != "" {
		t.Error(e, ok)
	}
	if e, ok := open(t, system(t)).Tracepoint("..", "opened"); ok {
		t.Error(e)
	}
}

func TestConfig(t *testing.T) {
	root := system(t)
	ask := func(option string) string {
		value, set, err := open(t, root).Config(option)
		if err != nil {
			t.Fatal(err)
		}
		return value + map[kernel.Answer]string{kernel.Yes: " yes", kernel.No: " no", kernel.NotKnown: " ?"}[set]
	}
	if got := ask("CONFIG_KPROBES") + ask("CONFIG_FPROBE") + ask("CONFIG_LSM"); got != `y yes no"lockdown,bpf" yes` {
		t.Error(got)
	}
	delete(root, lsmFile)
	root[cmdlineFile] = &fstest.MapFile{Data: []byte("quiet lsm=a lsm=b,bpf\n")}
	if got := ask("CONFIG_LSM"); got != `"b,bpf" yes` {
		t.Error(got)
	}
	delete(root, cmdlineFile)
	if got := ask("CONFIG_LSM"); got != `"lockdown" yes` {
		t.Error(got)
	}
	delete(root, "proc/config.gz")
	if got := ask("CONFIG_KPROBES"); got != " ?" {
		t.Error(got)
	}
	root[kprobePMU+"/type"] = &fstest.MapFile{Data: []byte("6")}
	if got := ask("CONFIG_KPROBE_EVENTS"); got != "y yes" {
		t.Error(got)
	}
	root["boot/config-6.1.0-test"] = &fstest.MapFile{Data: []byte("CONFIG_KPROBES=y\n")}
	if got := ask("CONFIG_KPROBES"); got != "y yes" {
		t.Error(got)
	}
}

// denied is a file system that does not let a file be read.
type denied struct {
	fstest.MapFS
	name string
}

func (d denied) Open(name string) (fs.File, error) {
	if name == d.name {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return d.MapFS.Open(name)
}

func (d denied) ReadFile(name string) ([]byte, error) {
	if name == d.name {
		_, err := d.Open(name)
		return nil, err
	}
	return d.MapFS.ReadFile(name)
}

// What cannot be read is missing, with what to do.
func TestMissing(t *testing.T) {
	for _, tt := range []struct {
		topic     kernel.Topic
		file, why string
	}{
		{kernel.Blacklist, blacklistFile, "run as root"},
		{kernel.Tracepoints, "sys/kernel/debug/tracing/available_events", "sys/kernel"},
		{kernel.Ftrace, "sys/kernel/debug/tracing/available_filter_functions", "available_filter_functions"},
		{kernel.Symbols, kallsymsFile, "run as root"},
		{kernel.Types, "", "there is no /sys/kernel/btf/vmlinux"},
		{kernel.Inlining, "", "debug information"},
		{kernel.Calls, "", "vmlinux"},
	} {
		root := system(t)
		if why := open(t, root).Missing(tt.topic); why != "" && tt.file != "" {
			t.Errorf("%s: %s", tt.topic, why)
		}
		if why := open(t, denied{root, tt.file}).Missing(tt.topic); !strings.Contains(why, tt.why) {
			t.Errorf("%s: %q", tt.topic, why)
		}
	}
	root := system(t)
	root[kallsymsFile] = &fstest.MapFile{Data: []byte("0000000000000000 T vfs_read\n0000000000000000 t x\t[xfs]\n")}
	k := open(t, root)
	if why := k.Missing(kernel.Symbols); !strings.Contains(why, "run as root") {
		t.Error(why)
	}
	if f, ok, _ := k.Function("vfs_read"); !ok || f.Symbols[0].Address != 0 || f.Symbols[0].Refused != kernel.NotKnown {
		t.Errorf("%+v", f)
	}
}

// Debug information that is installed but was not joined is named.
func TestDebugThere(t *testing.T) {
	root := system(t)
	root["usr/lib/debug/boot/vmlinux-6.1.0-test"] = &fstest.MapFile{}
	if why := open(t, root).Missing(kernel.Inlining); !strings.Contains(why, "surehook kernel snapshot /usr/lib/debug/boot/vmlinux-6.1.0-test") {
		t.Error(why)
	}
}

func TestJoin(t *testing.T) {
	file := &kernel.Snapshot{ID: kernel.Identity{Release: "6.1.0-test", BuildID: "abcd", Source: "vmlinux"}}
	file.Functions = []kernel.Function{
		{Name: "get", Symbols: []kernel.Symbol{{Name: "get", Address: 1, Size: 7, Traceable: kernel.No}, {Name: "get", Address: 2, Size: 8, Traceable: kernel.Yes}}},
		{Name: "inner", Copies: []kernel.Copy{{Caller: "get", Offset: 3, Address: 5}, {Caller: "vfs_read", Offset: 4, Address: 99}, {Caller: "f", Module: "gone"}},
			Plan: sites.Judgement{Verdict: sites.Complete}},
	}
	file.Edges = []kernel.Call{{Caller: "vfs_read", Callee: "get"}}
	file.Sort()
	k := open(t, system(t))
	if !Same(k.Identity(), file.Identity()) || Same(k.Identity(), kernel.Identity{BuildID: "ab"}) {
		t.Error("Same")
	}
	j := Join(k, file)
	f, ok, err := j.Function("get")
	if !ok || err != nil || f.Symbols[0].Size != 7 || f.Symbols[1].Size != 8 || f.Symbols[1].Traceable != kernel.Yes || f.Symbols[0].Address < 1<<40 {
		t.Errorf("%+v %v", f, err)
	}
	second := f.Symbols[1].Address // only the address tells which get it is
	f, ok, err = j.Function("inner")
	want := []kernel.Copy{{Caller: "get", Offset: 3, Address: second + 3}, {Caller: "vfs_read", Offset: 4}}
	if !ok || err != nil || f.Plan.Verdict != sites.Complete || cmp.Diff(want, f.Copies) != "" {
		t.Errorf("%+v %v", f, err)
	}
	if calls, _ := j.Callees("vfs_read"); len(calls) != 1 || j.Missing(kernel.Inlining) != "" || j.Missing(kernel.Calls) != "" {
		t.Error(calls)
	}
	if _, ok, _ := j.Function("nosuch"); ok {
		t.Error("nosuch")
	}
}

// TestHere asks the kernel that the test runs on.
func TestHere(t *testing.T) {
	arch := map[string]elfbin.Arch{"amd64": elfbin.AMD64, "arm64": elfbin.ARM64}[runtime.GOARCH]
	k, err := New(os.DirFS("/"), arch)
	if err != nil {
		t.Skip(err)
	}
	if why := k.Missing(kernel.Symbols); why != "" {
		t.Skip(why)
	}
	f, ok, err := k.Function("vfs_read")
	if err != nil || !ok || f.Count(kernel.Body) != 1 || f.Symbols[0].Address == 0 {
		t.Fatalf("vfs_read: %+v, %v", f, err)
	}
	if k.Missing(kernel.Signatures) == "" && (len(f.Protos) != 1 || f.Protos[0].Params[0].Name != "file" || f.BTF != kernel.Yes) {
		t.Errorf("%+v", f.Protos)
	}
	if k.Missing(kernel.Tracepoints) == "" {
		events, err := k.Tracepoints()
		if err != nil || !slices.ContainsFunc(events, func(e kernel.Tracepoint) bool {
			return e.System == "sched" && e.Name == "sched_switch" && len(e.Fields) >= 7
		}) {
			t.Errorf("%d events, %v", len(events), err)
		}
	}
	for topic := range kernel.NumTopics {
		t.Logf("%s: %s", topic, k.Missing(topic))
	}
}

func FuzzKallsyms(f *testing.F) {
	f.Add([]byte(symbols))
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, e := range parseKallsyms(data).list {
			if e.Name == "" || e.function == "" || e.Size > maxGap {
				t.Errorf("%+v", e)
			}
		}
	})
}

func FuzzFormat(f *testing.F) {
	f.Add([]byte(format))
	f.Fuzz(func(t *testing.T, data []byte) {
		if fields, ok := parseFormat(data); !ok && fields != nil {
			t.Error(fields)
		}
	})
}

func BenchmarkFunction(b *testing.B) {
	for b.Loop() {
		k, err := New(os.DirFS("/"), elfbin.AMD64)
		if err != nil {
			b.Skip(err)
		}
		if _, ok, err := k.Function("vfs_read"); !ok || err != nil {
			b.Fatal(err)
		}
	}
}
