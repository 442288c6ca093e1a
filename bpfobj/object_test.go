package bpfobj

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/hook"
)

// compile gives the object that clang makes of BPF C.
func compile(t testing.TB, source string, flags ...string) []byte {
	t.Helper()
	clang, err := exec.LookPath("clang")
	if err != nil {
		t.Skip("needs clang: ", err)
	}
	dir := t.TempDir()
	in, out := filepath.Join(dir, "x.bpf.c"), filepath.Join(dir, "x.bpf.o")
	if err := os.WriteFile(in, []byte(source), 0o600); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"-target", "bpf", "-O2", "-g", "-c", in, "-o", out}, flags...)
	if text, err := exec.Command(clang, args...).CombinedOutput(); err != nil {
		t.Fatalf("clang: %v\n%s", err, text)
	}
	data, err := os.ReadFile(out)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// read reads an object in memory.
func read(t testing.TB, data []byte) *File {
	t.Helper()
	f, err := Read(bytes.NewReader(data), int64(len(data)), "x.bpf.o")
	if err != nil {
		t.Fatal(err)
	}
	return f
}

const several = `
#define SEC(x) __attribute__((section(x), used))
static __attribute__((noinline)) int helper(int x) { asm volatile(""); return x + 1; }
SEC("kprobe/vfs_read") int one(void *c) { return helper(1); }
SEC("kprobe/vfs_read") int two(void *c) { return helper(2); }
SEC("?fentry.s/vfs_write") int three(void *c) { return 0; }
SEC("kretprobe") int four(void *c) { return 0; }
SEC("tp_btf/sched_switch") int five(void *c) { return 0; }
SEC("uprobe//bin/sh:main") int six(void *c) { return 0; }
SEC("xdp") int seven(void *c) { return 0; }
SEC("usdt/libc.so.6:libc:setjmp") int eight(void *c) { return 0; }
SEC("nonsense/x") int nine(void *c) { return 0; }
SEC("tp/syscalls") int ten(void *c) { return 0; }
SEC("raw_tp.w/sys_enter") int eleven(void *c) { return 0; }
char _license[] SEC("license") = "GPL";
`

// summary is what TestRead compares.
type summary struct {
	Name, Where, Unknown string
	Hooks                []string
	Optional             bool
}

func TestRead(t *testing.T) {
	f := read(t, compile(t, several))
	var got []summary
	for _, p := range f.Programs {
		s := summary{Name: p.Name, Where: p.Where, Unknown: p.HookNotKnown, Optional: p.Optional}
		for _, h := range p.Hooks {
			s.Hooks = append(s.Hooks, h.String())
		}
		got = append(got, s)
	}
	want := []summary{
		{Name: "one", Where: "kprobe/vfs_read+0x0", Hooks: []string{"kprobe:vfs_read"}},
		{Name: "two", Where: "kprobe/vfs_read+0x18", Hooks: []string{"kprobe:vfs_read"}},
		{Name: "three", Where: "?fentry.s/vfs_write+0x0", Hooks: []string{"fentry:vfs_write"}, Optional: true},
		{Name: "four", Where: "kretprobe+0x0", Unknown: "its loader says where it is attached, at run time"},
		{Name: "five", Where: "tp_btf/sched_switch+0x0", Hooks: []string{"rawtracepoint:sched_switch"}},
		{Name: "six", Where: "uprobe//bin/sh:main+0x0", Hooks: []string{"uprobe:/bin/sh:main"}},
		{Name: "eight", Where: "usdt/libc.so.6:libc:setjmp+0x0", Unknown: noUSDT},
		{Name: "eleven", Where: "raw_tp.w/sys_enter+0x0", Hooks: []string{"rawtracepoint:sys_enter"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	skipped := map[string]bool{}
	for _, s := range f.Skipped {
		skipped[s.What] = s.Why != ""
	}
	if diff := cmp.Diff(map[string]bool{"program seven": true, "program nine": true, "program ten": true}, skipped); diff != "" {
		t.Error(diff)
	}
}

// TestBigEndian: an object for other machines is named, not judged.
func TestBigEndian(t *testing.T) {
	f := read(t, compile(t, several, "-target", "bpfeb"))
	if len(f.Programs) != 0 || len(f.Skipped) != 1 || f.Skipped[0].What != "object" {
		t.Errorf("%+v", f)
	}
}

// TestExecutable: objects are found wherever they are in a file.
func TestExecutable(t *testing.T) {
	o := compile(t, several)
	data := append(bytes.Repeat([]byte("\x7fELF"), 1000), o...)
	data = append(append(data, bytes.Repeat([]byte{1}, chunk-len(data)-10)...), o...) // the second across the search's step
	data = append(data, "\x7fELF\x02\x01\x01 and no more"...)
	f, err := ReadExecutable(bytes.NewReader(data), int64(len(data)), "tool")
	if err != nil {
		t.Fatal(err)
	}
	if len(f.Programs) != 16 || f.Programs[0].Where != "0xfa0:kprobe/vfs_read+0x0" || f.Programs[8].Name != "one" {
		t.Errorf("%+v", f.Programs)
	}
	whole := len(f.Skipped)
	cut := data[:len(data)-2000]
	if f, err = ReadExecutable(bytes.NewReader(cut), int64(len(cut)), "tool"); err != nil {
		t.Fatal(err)
	}
	if len(f.Programs) != 8 || len(f.Skipped) >= whole || f.Skipped[len(f.Skipped)-1].What != "object" {
		t.Errorf("of a file that is cut: %d programs, %+v", len(f.Programs), f.Skipped)
	}
}

func TestFormatError(t *testing.T) {
	o := compile(t, several)
	for name, data := range map[string][]byte{"empty": nil, "text": bytes.Repeat([]byte("x"), 100), "cut": o[:len(o)/2]} {
		f := (*FormatError)(nil)
		if _, err := Read(bytes.NewReader(data), int64(len(data)), name); !errors.As(err, &f) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzRead: an error or a file, and nothing beyond the bytes.
func FuzzRead(f *testing.F) {
	f.Add(compile(f, several))
	f.Add(compile(f, several, "-target", "bpfeb"))
	f.Add(compile(f, reads))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(bytes.NewReader(data), int64(len(data)), "x")
		if (err == nil) == (got == nil) {
			t.Fatalf("%v and %v", got, err)
		}
		if got == nil {
			return
		}
		for i := range got.Programs {
			p := &got.Programs[i]
			if _, err := p.Trace(without{"task.state"}); err != nil {
				t.Fatal(err)
			}
			for _, h := range p.Hooks {
				if _, err := hook.Parse(h.String()); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}
