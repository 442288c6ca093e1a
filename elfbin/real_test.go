package elfbin

import (
	"bytes"
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// run runs a tool in dir, and skips the test if there is no such tool.
func run(t *testing.T, dir string, args ...string) string {
	t.Helper()
	if _, err := exec.LookPath(args[0]); err != nil {
		t.Skipf("%s is not installed", args[0])
	}
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir = dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %v\n%s", args, err, out)
	}
	return string(out)
}

func mustOpen(t *testing.T, path string) *File {
	t.Helper()
	f, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// realFiles are ELF files of this machine that this package reads.
func realFiles(t *testing.T) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("no ELF files on " + runtime.GOOS)
	}
	files := []string{os.Args[0]}
	for _, p := range []string{"/bin/true", "/lib/x86_64-linux-gnu/libc.so.6", "/lib/aarch64-linux-gnu/libc.so.6", "/lib64/libc.so.6",
		"/usr/aarch64-linux-gnu/lib/libc.so.6", "/usr/lib/x86_64-linux-gnu/crt1.o"} {
		if _, err := os.Stat(p); err == nil {
			files = append(files, p)
		}
	}
	return files
}

// TestAgainstStd compares what both this package and debug/elf read.
func TestAgainstStd(t *testing.T) {
	for _, path := range realFiles(t) {
		f := mustOpen(t, path)
		std, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		defer std.Close()
		if f.Type() != std.Type || f.EntryPoint() != std.Entry || len(f.Sections()) != len(std.Sections) {
			t.Errorf("%s: %v %#x, %d sections", path, f.Type(), f.EntryPoint(), len(f.Sections()))
		}
		table, _ := std.Symbols()
		dynamic, _ := std.DynamicSymbols()
		want := append(table, dynamic...)
		if len(f.Symbols()) != len(want) {
			t.Fatalf("%s: %d symbols, want %d", path, len(f.Symbols()), len(want))
		}
		for i, s := range f.Symbols() {
			w := want[i]
			name, _, _ := strings.Cut(w.Name, "@")
			same := s.Name == name && s.Size == w.Size && s.Section == w.Section && s.Type == elf.ST_TYPE(w.Info) && s.Bind == elf.ST_BIND(w.Info)
			if i >= len(table) {
				same = same && s.Version == w.Version && s.Table == Dynsym
			}
			if !same || s.Value != w.Value && f.Type() != elf.ET_REL {
				t.Fatalf("%s: symbol %d is %+v, want %+v", path, i, s, w)
			}
		}
		if needed, _ := std.ImportedLibraries(); strings.Join(f.Needed(), " ") != strings.Join(needed, " ") {
			t.Errorf("%s: needed %q, want %q", path, f.Needed(), needed)
		}
		for _, s := range std.Sections {
			if s.Type == elf.SHT_NOBITS || s.Type == elf.SHT_NULL || f.Type() == elf.ET_REL {
				continue
			}
			want, _ := s.Data()
			if got, err := f.Section(s.Name); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: section %s has %d bytes, want %d; %v", path, s.Name, len(got), len(want), err)
			}
		}
	}
}

// TestSymbolAtEverywhere compares the index with a plain search.
func TestSymbolAtEverywhere(t *testing.T) {
	for _, path := range realFiles(t) {
		f := mustOpen(t, path)
		text := f.Sections()[max(f.sectionIndex(".text"), 0)]
		step := max(text.Size/500, 1)
		for addr := text.Addr; addr < text.Addr+text.Size; addr += step {
			low := uint64(0) // of the innermost sized function
			for _, s := range f.Symbols() {
				if (s.Func() || s.IFunc()) && s.Value <= addr && addr-s.Value < s.Size {
					low = max(low, s.Value)
				}
			}
			if s, ok := f.SymbolAt(addr); low != 0 && (!ok || s.Value != low) {
				t.Errorf("%s: %#x: got %+v, want the function at %#x", path, addr, s, low)
			}
		}
	}
}

func TestLibcVersions(t *testing.T) {
	path, tried, err := FindLibrary(os.DirFS("/"), "libc", AMD64)
	if err != nil || runtime.GOARCH != "amd64" {
		t.Skipf("no x86-64 libc: %v %v", err, tried)
	}
	f := mustOpen(t, path)
	old, now := f.Lookup("memcpy@GLIBC_2.2.5"), f.Lookup("memcpy@@GLIBC_2.14")
	if len(now) == 0 {
		t.Skip("libc is not glibc for x86-64")
	}
	if len(old) != 1 || !old[0].Hidden || len(now) != 1 || now[0].Hidden || !now[0].IFunc() || old[0].Value == now[0].Value {
		t.Errorf("memcpy@GLIBC_2.2.5 is %+v, memcpy@@GLIBC_2.14 is %+v", old, now)
	}
	if f.BuildID() == "" || f.SoName() != "libc.so.6" {
		t.Errorf("build id %q, soname %q", f.BuildID(), f.SoName())
	}
	fdes, err := f.FDERanges()
	if err != nil || len(fdes) < 1000 {
		t.Errorf("%d FDEs, %v", len(fdes), err)
	}
	for _, r := range fdes {
		if off, ok := f.FileOffset(r.Low); !ok || off == 0 || !f.Executable(r.High-1) {
			t.Errorf("FDE %#x-%#x is not in code", r.Low, r.High)
		}
	}
}

func TestOwnBinary(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the test binary is not ELF on " + runtime.GOOS)
	}
	f := mustOpen(t, os.Args[0])
	if f.Arch().String() != runtime.GOARCH {
		t.Errorf("architecture is %v", f.Arch())
	}
}

const program = `
#include <stdio.h>
#include <string.h>
__attribute__((noinline)) int add(int a, int b) { return a + b; }
int (*volatile pointer)(int, int) = add;
static char buf[100];
int main(int argc, char **argv) {
	puts(argv[0]);
	memmove(buf, argv[0], argc);
	return pointer(argc, 2) + buf[0];
}
`

// compile builds the program with a compiler and gives its path.
func compile(t *testing.T, cc string, args ...string) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "prog.c"), []byte(program), 0o644); err != nil {
		t.Fatal(err)
	}
	run(t, dir, append([]string{cc, "-g", "-O1", "-o", "prog", "prog.c"}, args...)...)
	return filepath.Join(dir, "prog")
}

func TestCompiled(t *testing.T) {
	tests := []struct {
		name, cc string
		args     []string
	}{
		{"pie", "gcc", []string{"-fPIE", "-pie"}},
		{"lazy", "gcc", []string{"-Wl,-z,lazy"}},
		{"cet", "gcc", []string{"-fcf-protection=full", "-Wl,-z,ibtplt,-z,lazy"}},
		{"fixed", "gcc", []string{"-no-pie"}},
		{"relr", "gcc", []string{"-pie", "-fPIE", "-Wl,-z,pack-relative-relocs"}},
		{"static", "gcc", []string{"-static"}},
		{"object", "gcc", []string{"-c", "-ffunction-sections"}},
		{"lld", "clang", []string{"-fuse-ld=lld"}},
		{"arm64", "aarch64-linux-gnu-gcc", nil},
		{"arm64 bti", "aarch64-linux-gnu-gcc", []string{"-mbranch-protection=standard", "-Wl,-z,force-bti", "-Wl,-z,lazy"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := mustOpen(t, compile(t, tt.cc, tt.args...))
			add := f.Lookup("add")
			if len(add) == 0 || !f.HasDWARF() {
				t.Fatal("no add, or no debug information")
			}
			addr := add[0].Value
			if s, ok := f.SymbolAt(addr + 1); !ok || s.Name != "add" {
				t.Errorf("SymbolAt: %+v", s)
			}
			off, ok := f.FileOffset(addr)
			if back, ok2 := f.Address(off); !ok || !ok2 || back != addr {
				t.Errorf("%#x is at %#x, which is at %#x", addr, off, back)
			}
			if !f.Executable(addr) || f.Executable(f.Lookup("buf")[0].Value) {
				t.Error("code and data are mixed up")
			}
			if p := f.Lookup("pointer"); f.Type() != elf.ET_REL {
				if got, ok := f.Pointer(p[0].Value); !ok || got != addr {
					t.Errorf("pointer is %#x, %v, want %#x", got, ok, addr)
				}
			}
			if !contains(f.CodePointers(), addr) {
				t.Errorf("%#x is not among the code pointers", addr)
			}
			fdes, err := f.FDERanges()
			found := false
			for _, r := range fdes {
				found = found || r.Low == addr && r.High == addr+add[0].Size
			}
			if err != nil || !found {
				t.Errorf("no FDE of add among %d: %v", len(fdes), err)
			}
			if tt.name != "static" && tt.name != "object" {
				checkPLT(t, f)
			}
			if tt.name == "object" && !strings.Contains(run(t, ".", "readelf", "-p", ".debug_str", f.Path()), "pointer") {
				t.Error("readelf sees another file")
			}
		})
	}
}

func contains(in []uint64, v uint64) bool {
	for _, p := range in {
		if p == v {
			return true
		}
	}
	return false
}

// checkPLT compares with what objdump calls the stubs.
func checkPLT(t *testing.T, f *File) {
	t.Helper()
	names := map[string]bool{}
	for addr, name := range f.PLT() {
		names[name] = true
		if !f.Executable(addr) {
			t.Errorf("stub of %s at %#x is not code", name, addr)
		}
	}
	if !names["puts"] || !names["memmove"] {
		t.Errorf("stubs: %v", f.PLT())
	}
	tool := "objdump"
	if f.Arch() == ARM64 {
		tool = "aarch64-linux-gnu-objdump"
	}
	text := run(t, ".", tool, "-d", f.Path())
	for addr, name := range f.PLT() {
		if !strings.Contains(text, strings.TrimLeft(hex16(addr), " ")+" <"+name+"@plt>:") && strings.Contains(text, "<"+name+"@plt>:") {
			t.Errorf("objdump has no %s@plt at %#x", name, addr)
		}
	}
}

func hex16(v uint64) string {
	const digits = "0123456789abcdef"
	b := make([]byte, 16)
	for i := range b {
		b[i] = digits[v>>(60-4*i)&15]
	}
	return string(b)
}

// TestObjcopy is about what strip and objcopy make of a program.
func TestObjcopy(t *testing.T) {
	path := compile(t, "gcc")
	dir := filepath.Dir(path)
	want, err := mustOpen(t, path).Section(".debug_info")
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []string{"zlib", "zlib-gnu", "zstd"} {
		t.Run(how, func(t *testing.T) {
			if out, err := exec.Command("objcopy", "--compress-debug-sections="+how, path, path+"."+how).CombinedOutput(); err != nil {
				t.Skipf("this objcopy has no %s: %s", how, out)
			}
			f := mustOpen(t, path+"."+how)
			if got, err := f.Section(".debug_info"); err != nil || !bytes.Equal(got, want) || !f.HasDWARF() {
				t.Errorf("%d bytes, want %d; %v", len(got), len(want), err)
			}
		})
	}
	t.Run("debuglink", func(t *testing.T) {
		run(t, dir, "objcopy", "--only-keep-debug", "prog", "prog.debug")
		run(t, dir, "objcopy", "--strip-all", "--add-gnu-debuglink=prog.debug", "prog", "stripped")
		f := mustOpen(t, filepath.Join(dir, "stripped"))
		got, search := FindDebug(f, DebugOptions{Root: os.DirFS("/")})
		if got == nil || search.Path != filepath.Join(dir, "prog.debug") {
			t.Fatal(search)
		}
		defer got.Close()
		b, err := got.Section(".debug_info")
		if err != nil || !bytes.Equal(b, want) || f.BuildID() != got.BuildID() {
			t.Errorf("%d bytes, want %d; %v", len(b), len(want), err)
		}
		add := got.Lookup("add")
		if _, ok := f.FileOffset(add[0].Value); !ok || f.Lookup("add") != nil {
			t.Error("the debug file's symbol has no place in the stripped file")
		}
		if text, err := got.Section(".text"); text != nil || err != nil {
			t.Errorf("the debug file has code: %d bytes, %v", len(text), err)
		}
	})
}

// BenchmarkOpen opens the C library and looks one function up.
func BenchmarkOpen(b *testing.B) {
	const path = "/lib/x86_64-linux-gnu/libc.so.6"
	if _, err := os.Stat(path); err != nil {
		b.Skip("no " + path)
	}
	b.ReportAllocs()
	for b.Loop() {
		f, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		if len(f.Lookup("malloc")) == 0 {
			b.Fatal("no malloc")
		}
		f.Close()
	}
}
