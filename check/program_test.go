package check

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/bpfobj/loader"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

const programs = `
#define SEC(x) __attribute__((section(x), used))
#define CORE __attribute__((preserve_access_index))
typedef unsigned long long u64;
struct file { int mode; long size; } CORE;
struct inode { long ino; } CORE;
struct nowhere { int x; } CORE;
struct pt_regs { u64 other[14]; u64 di; };
static long (*probe_read)(void *, unsigned, const void *) = (void *)113;
static u64 (*now)(void) = (void *)5;
static u64 (*later)(void) = (void *)500;
#define GET(to, from) probe_read(&to, sizeof(to), __builtin_preserve_access_index(&from))
SEC("fentry/f") int missing(u64 *ctx) { struct file *f = (void *)ctx[0]; int v = 0; GET(v, f->mode); return v; }
SEC("fentry/f") int longer(u64 *ctx) { struct file *f = (void *)ctx[0]; long v = 0; GET(v, f->size); return v; }
SEC("fentry/f") int other(u64 *ctx) { struct inode *f = (void *)ctx[0]; long v = 0; GET(v, f->ino); return v; }
SEC("fentry/f") int absent(u64 *ctx) { struct nowhere *f = (void *)ctx[0]; int v = 0; GET(v, f->x); return v; }
SEC("fentry/f") int third(u64 *ctx) { return ctx[2]; }
SEC("tp/a/b") int behind(char *ctx) { return *(int *)(ctx + 64); }
SEC("tp/a/b") int between(char *ctx) { return *(u64 *)(ctx + 8); }
SEC("tp/a/b") int fine(char *ctx) { return *(int *)(ctx + 8) + now(); }
SEC("tp/a/b") int helper(char *ctx) { return later(); }
static u64 (*cookie)(void *) = (void *)46;
SEC("raw_tp/a") int kinds(u64 *ctx) { return cookie((void *)ctx[0]); }
SEC("tp/a/b") int atomic(char *ctx) { static u64 n; return __sync_val_compare_and_swap(&n, 0, 1); }
SEC("kprobe/f") int registers(struct pt_regs *ctx) { return ctx->di; }
`

// forPrograms is a kernel that is not what the programs were compiled for.
// modules says why its modules are not known, "" if they are.
func forPrograms(modules string) *kernel.Snapshot {
	k := &kernel.Snapshot{
		ID:   kernel.Identity{Name: "test", Release: "5.10.1", Arch: elfbin.ARM64},
		Raws: []kernel.RawTracepoint{{Name: "a", Params: []kernel.Param{{Name: "x", Type: "*v"}}}},
		Functions: []kernel.Function{{Name: "f", BTF: kernel.Yes, Protos: []kernel.Proto{{
			Params: []kernel.Param{{Name: "file", Type: "*s:file"}, {Name: "n", Type: "i:int"}}, Result: "i:int"}},
			Symbols: []kernel.Symbol{{Name: "f", Traceable: kernel.Yes, Refused: kernel.No}}}},
		Events: []kernel.Tracepoint{{System: "a", Name: "b", Fields: []kernel.Field{{Name: "x", Offset: 8, Size: 4}, {Name: "y", Offset: 12, Size: 4}}}},
		Defs: []kernel.Definition{
			{Kind: kernel.Struct, Name: "file", Size: 16, Members: []kernel.Member{{Name: "f_mode", Type: "i:int"}, {Name: "size", Type: "i:int", Offset: 64}}},
			{Kind: kernel.Struct, Name: "inode", Size: 8, Members: []kernel.Member{{Name: "ino", Type: "i:long"}}},
			{Kind: kernel.Enum, Name: "bpf_func_id", Size: 4, Values: []kernel.EnumValue{{Name: "BPF_FUNC_ktime_get_ns", Value: 5}, {Name: "BPF_FUNC_get_socket_cookie", Value: 46}, {Name: "BPF_FUNC_probe_read_kernel", Value: 113}}},
		},
	}
	k.Unknown[kernel.Modules] = modules
	k.Sort()
	return k
}

// compiled compiles the programs.
func compiled(t *testing.T) *bpfobj.File {
	t.Helper()
	if _, err := exec.LookPath("clang"); err != nil {
		t.Skip("needs clang: ", err)
	}
	in := filepath.Join(t.TempDir(), "x.bpf.c")
	if err := os.WriteFile(in, []byte(programs), 0o600); err != nil {
		t.Fatal(err)
	}
	if text, err := exec.Command("clang", "-target", "bpf", "-mcpu=v3", "-O2", "-g", "-c", in, "-o", in+".o").CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, text)
	}
	data, err := os.ReadFile(in + ".o")
	if err != nil {
		t.Fatal(err)
	}
	file, err := bpfobj.Read(bytes.NewReader(data), int64(len(data)), "x.bpf.o")
	if err != nil {
		t.Fatal(err)
	}
	return file
}

// TestSeveralSignatures: what one of the signatures of a name allows is not
// called wrong.
func TestSeveralSignatures(t *testing.T) {
	file := compiled(t)
	other := kernel.Proto{Params: []kernel.Param{{Name: "inode", Type: "*s:inode"}, {Name: "n", Type: "i:int"}}, Result: "i:int"}
	three := kernel.Proto{Params: []kernel.Param{{Name: "file", Type: "*s:file"}, {Name: "n", Type: "i:int"}, {Name: "m", Type: "i:int"}}, Result: "i:int"}
	for _, tt := range []struct {
		program string
		second  kernel.Proto
		want    bool
	}{
		{"third", other, true}, {"third", three, false}, {"other", three, true}, {"other", other, false},
	} {
		k := forPrograms("")
		k.Functions[0].Protos = append(k.Functions[0].Protos, tt.second)
		i := slices.IndexFunc(file.Programs, func(p bpfobj.Program) bool { return p.Name == tt.program })
		results, _ := NewFleet([]kernel.Kernel{k}, nil).CheckProgram(&file.Programs[i], file.Programs[i].Hooks[0])
		if results[0].Err != nil {
			t.Fatal(results[0].Err)
		}
		at := slices.IndexFunc(results[0].Findings, func(f Finding) bool { return f.Rule == SH118 })
		if (at >= 0) != tt.want || at >= 0 && !slices.Contains(results[0].Findings[at].Evidence, "none of its 2 signatures allows it") {
			t.Errorf("%s and %s: %+v", tt.program, tt.second.C("f"), results[0].Findings)
		}
	}
}

// TestPrograms: what is found in programs on a kernel that is not what they
// were compiled for.
func TestPrograms(t *testing.T) {
	file := compiled(t)
	fleet := NewFleet([]kernel.Kernel{forPrograms("")}, nil)
	without := NewFleet([]kernel.Kernel{forPrograms("not read")}, nil)
	want := map[string]string{
		"missing": "SH116", "absent": "SH116", "longer": "SH117", "other": "SH118", "third": "SH118", "behind": "SH119", "between": "SH119",
		"fine": "", "helper": "SH120", "kinds": "SH120", "atomic": "SH120", "registers": "SH203",
	}
	rules := []Code{SH116, SH117, SH118, SH119, SH120, SH203}
	for i := range file.Programs {
		p := &file.Programs[i]
		for _, h := range []hook.Hook{p.Hooks[0], p.Hooks[0]} { // what is remembered is the same
			results, _ := fleet.CheckProgram(p, h)
			if results[0].Err != nil {
				t.Fatal(results[0].Err)
			}
			var got []string
			for _, f := range results[0].Findings {
				if slices.Contains(rules, f.Rule) {
					got = append(got, string(f.Rule))
				}
			}
			if s := strings.Join(got, " "); s != want[p.Name] {
				t.Errorf("%s: %s, want %s", p.Name, s, want[p.Name])
			}
		}
		if p.Name != "absent" {
			continue
		}
		results, _ := without.CheckProgram(p, p.Hooks[0]) // what is in no kernel may be in a module
		at := slices.IndexFunc(results[0].Findings, func(f Finding) bool { return f.Rule == SH116 })
		if at < 0 || results[0].Findings[at].Severity != Warning {
			t.Errorf("modules not known: %+v", results[0].Findings)
		}
	}
}

// TestLoader: what a loader may avert is a warning, and only that.
func TestLoader(t *testing.T) {
	for name, c := range map[string]struct {
		section string
		program bpfobj.Program
		want    string
	}{
		"as written":        {"kprobe/gone", bpfobj.Program{}, "error none"},
		"left out":          {"kprobe/gone", bpfobj.Program{Loader: []loader.Act{{Kind: loader.LeavesOut, Where: 0x92c0}}}, "warning unknown 0x92c0"},
		"elsewhere":         {"fentry/gone", bpfobj.Program{Loader: []loader.Act{{Kind: loader.Names, Where: 0x10}}}, "warning unknown 0x10"},
		"a place of hooks":  {"fentry/gone", bpfobj.Program{Loader: []loader.Act{{Kind: loader.Names, Target: "f"}}}, "error none"},
		"by itself":         {"kprobe/gone", bpfobj.Program{Loader: []loader.Act{{Kind: loader.Attaches, Where: 0x20}}}, "warning unknown 0x20"},
		"after it is there": {"fentry/gone", bpfobj.Program{Loader: []loader.Act{{Kind: loader.Attaches}}}, "error none"},
		"not known":         {"kprobe/gone", bpfobj.Program{LoaderNotKnown: "it is in Go"}, "warning unknown it is in Go"},
		"there":             {"kprobe/f", bpfobj.Program{LoaderNotKnown: "it is in Go"}, "complete"},
	} {
		h, err := hook.Parse(c.section)
		if err != nil {
			t.Fatal(err)
		}
		c.program.Section = c.section
		k := forPrograms("")
		k.Options = map[string]string{}
		for _, o := range []string{"KPROBES", "KPROBE_EVENTS", "KPROBES_ON_FTRACE", "BPF_SYSCALL", "BPF_EVENTS", "BPF_JIT", "FUNCTION_TRACER", "DYNAMIC_FTRACE", "DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "DEBUG_INFO_BTF"} {
			k.Options["CONFIG_"+o] = "y"
		}
		results, _ := NewFleet([]kernel.Kernel{k}, nil).CheckProgram(&c.program, h)
		r, got := results[0], ""
		for _, f := range r.Findings {
			if f.Rule == SH101 {
				got = string(f.Severity) + " "
			}
		}
		got += string(r.Verdict.Plain)
		for _, f := range r.Findings {
			if f.Rule == SH101 {
				for _, w := range []string{"0x92c0", "0x10", "0x20", "it is in Go"} {
					if strings.Contains(strings.Join(f.Evidence, " "), w) {
						got += " " + w
					}
				}
			}
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
		if gone := strings.HasSuffix(c.section, "gone"); gone != (r.Attaches == kernel.No) {
			t.Errorf("%s: attaches %v", name, r.Attaches)
		}
	}
}

// TestVersion: LINUX_KERNEL_VERSION as libbpf has it, on Debian's kernels too.
func TestVersion(t *testing.T) {
	for _, c := range []struct {
		release, banner string
		want            uint64
	}{
		{"6.8.0-45-generic", "", 0x60800},
		{"5.10.0-32-cloud-amd64", "Linux version 5.10.0-32-cloud-amd64 (debian-kernel@lists.debian.org) (gcc-10 (Debian 10.2.1-6) 10.2.1 20210110, GNU ld (GNU Binutils for Debian) 2.35.2) #1 SMP Debian 5.10.223-1 (2024-08-10)", 0x50adf},
		{"6.12.117+deb13-cloud-amd64", "Linux version 6.12.117+deb13-cloud-amd64 (x) (gcc (Debian 14.2.0-19) 14.2.0) #1 SMP PREEMPT_DYNAMIC Debian 6.12.117-1 (2026-10-01)", 0x60c75},
		{"6.1.0", "Linux version 6.1.0 (me) (gcc (Debian 12.2.0-14) 12.2.0) #3 SMP", 0x60100},
		{"6.1.300", "", 0x601ff}, // KERNEL_VERSION has one byte
		{"next", "", 0},
	} {
		if v, ok := versionCode(kernel.Identity{Release: c.release, Banner: c.banner}); v != c.want || ok != (c.want != 0) {
			t.Errorf("%s: %#x %v", c.release, v, ok)
		}
	}
}
