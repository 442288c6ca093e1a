package image

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/cilium/ebpf/btf"

	"github.com/surehook/surehook/kernel"
)

// run starts a program of the tests' in dir, or skips without it.
func run(t testing.TB, dir, name string, args ...string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skip("no ", name)
	}
	cmd := exec.Command(name, args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

// buildKernel builds testdata/kernel.c, and further files, into a vmlinux in a
// new directory.
func buildKernel(t testing.TB, more ...string) string {
	t.Helper()
	dir := t.TempDir()
	for _, name := range []string{"kernel.c", "kernel.ld"} {
		text, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "btf"), kernelBTF(t), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, "gcc", "-g", "-O2", "-ffreestanding", "-fno-pie", "-fno-stack-protector", "-fcf-protection=none", "-c", "kernel.c")
	run(t, dir, "objcopy", "--add-section", ".BTF=btf", "--set-section-flags", ".BTF=alloc,readonly", "kernel.o")
	link := []string{"--build-id", "-T", "kernel.ld", "-o", "vmlinux", "kernel.o"}
	for i, text := range more {
		name := fmt.Sprintf("more%d", i)
		if err := os.WriteFile(filepath.Join(dir, name+".c"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		run(t, dir, "gcc", "-g", "-O2", "-ffreestanding", "-fno-pie", "-mcmodel=large", "-fno-stack-protector", "-fcf-protection=none", "-c", name+".c")
		link = append(link, name+".o")
	}
	run(t, dir, "ld", link...)
	return filepath.Join(dir, "vmlinux")
}

// input opens a file for Read.
func input(t testing.TB, path string) Input {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return Input{path, f, info.Size()}
}

func read(t testing.TB, opts Options, inputs ...Input) *kernel.Snapshot {
	t.Helper()
	s, err := Read(context.Background(), opts, inputs...)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// text makes an input of a text.
func text(name, content string) Input {
	return Input{name, bytes.NewReader([]byte(content)), int64(len(content))}
}

// kernelBTF is what pahole would write of testdata/kernel.c, as far as it is read.
func kernelBTF(t testing.TB) []byte {
	t.Helper()
	integer := &btf.Int{Name: "int", Size: 4, Encoding: btf.Signed}
	char := &btf.Int{Name: "unsigned char", Size: 1}
	void := &btf.Pointer{Target: &btf.Void{}}
	str := &btf.Pointer{Target: &btf.Const{Type: &btf.Int{Name: "char", Size: 1}}}
	fields := func(names []string, types []btf.Type) (out []btf.Member) {
		at := btf.Bits(0)
		for i, name := range names {
			size, err := btf.Sizeof(types[i])
			if err != nil {
				t.Fatal(err)
			}
			out = append(out, btf.Member{Name: name, Type: types[i], Offset: at})
			at += btf.Bits(8 * size)
		}
		return out
	}
	of := func(name string, size uint32, names []string, types ...btf.Type) *btf.Struct {
		return &btf.Struct{Name: name, Size: size, Members: fields(names, types)}
	}
	naming := of("", 32, []string{"name", "size", "align", "is_signed", "filter_type", "len"}, str, integer, integer, integer, integer, integer)
	either := &btf.Union{Size: 32, Members: []btf.Member{{Type: naming}, {Name: "define_fields", Type: void}}}
	byName := &btf.Union{Size: 8, Members: []btf.Member{{Name: "name", Type: str}, {Name: "tp", Type: void}}}
	open := &btf.FuncProto{Return: integer, Params: []btf.FuncParam{{Name: "n", Type: integer}}}
	trace := &btf.FuncProto{Return: &btf.Void{}, Params: []btf.FuncParam{{Type: void}, {Name: "next", Type: integer}}}
	types := []btf.Type{
		of("list_head", 16, []string{"next", "prev"}, void, void),
		of("trace_entry", 8, []string{"type", "pid"}, integer, integer),
		of("trace_event_fields", 40, []string{"type", ""}, str, either),
		of("trace_event_class", 24, []string{"system", "probe", "fields_array"}, str, void, void),
		of("tracepoint", 16, []string{"name", "key"}, str, integer),
		of("trace_event_call", 40, []string{"next", "prev", "class", "", "data"}, void, void, void, byName, void),
		of("alt_instr", 14, []string{"instr_offset", "repl_offset", "flags", "instrlen", "replacementlen"}, integer, integer, integer, char, char),
		of("bug_entry", 8, []string{"bug_addr_disp", "flags"}, integer, &btf.Int{Name: "short unsigned int", Size: 2}),
		of("syscall_metadata", 32, []string{"name", "syscall_nr", "nb_args", "types", "args"}, str, integer, integer, void, void),
		&btf.Func{Name: "do_sys_open", Type: open, Tags: []string{"bpf_kfunc"}}, &btf.Func{Name: "vfs_open", Type: open},
		&btf.Typedef{Name: "btf_trace_sched_switch", Type: &btf.Pointer{Target: trace}},
		&btf.Union{Name: "security_list_options", Size: 8, Members: []btf.Member{{Name: "file_open", Type: &btf.Pointer{Target: open}}}},
	}
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
