package target

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/sites"
)

// program unpacks the demo's program for x86-64 and gives its path.
func program(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	example, err := demo.Find("inline")
	if err != nil {
		t.Fatal(err)
	}
	if err := demo.Extract(dir, example, elfbin.AMD64); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "inline-O2")
}

func analyzer(t *testing.T, opts Options) *Analyzer {
	t.Helper()
	if opts.Root == nil {
		opts.Root = os.DirFS("/")
	}
	a := NewAnalyzer(opts)
	t.Cleanup(func() {
		if err := a.Close(); err != nil {
			t.Error(err)
		}
	})
	return a
}

func TestResolve(t *testing.T) {
	path := program(t)
	a := analyzer(t, Options{})
	first, err := a.Resolve("uprobe:" + path + ":add")
	if err != nil {
		t.Fatal(err)
	}
	second, err := a.Resolve("uprobe:" + path + ":sum")
	if err != nil {
		t.Fatal(err)
	}
	if first.Binary != second.Binary {
		t.Error("one file was opened twice")
	}
	if r := first.Results; len(r) != 1 || r[0].Function != "add" || len(r[0].Sites) != 3 || r[0].Target.Path != path {
		t.Errorf("%+v", r)
	}
}

func TestRelativePathIsMadeAbsolute(t *testing.T) {
	path := program(t)
	t.Chdir(filepath.Dir(path))
	r, err := analyzer(t, Options{}).Resolve("uprobe:./inline-O2:add")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Results[0].Target.Path; got != path {
		t.Errorf("got %s, want %s", got, path)
	}
}

func TestProgramIsFoundInPath(t *testing.T) {
	path := program(t)
	r, err := analyzer(t, Options{Path: "relative:/nonexistent:" + filepath.Dir(path)}).Resolve("uprobe:inline-O2:add")
	if err != nil {
		t.Fatal(err)
	}
	if got := r.Results[0].Target.Path; got != path {
		t.Errorf("got %s, want %s", got, path)
	}
}

// TestLibraryOrProgram: "libx" is a library first, any other name a program.
func TestLibraryOrProgram(t *testing.T) {
	if runtime.GOARCH != elfbin.AMD64.String() {
		t.Skip("the file in this test is for x86-64")
	}
	b, err := os.ReadFile(program(t))
	if err != nil {
		t.Fatal(err)
	}
	file := &fstest.MapFile{Data: b, Mode: 0o755}
	a := analyzer(t, Options{Path: "/bin", Root: fstest.MapFS{
		"bin/libx": file, "bin/x": file, "usr/lib/x86_64-linux-gnu/libx.so.1": file, "usr/lib/x86_64-linux-gnu/liby.so.1": file,
	}})
	for name, want := range map[string]string{
		"libx": "/usr/lib/x86_64-linux-gnu/libx.so.1", "x": "/bin/x", "y": "/usr/lib/x86_64-linux-gnu/liby.so.1",
	} {
		if got, err := a.Find(name); err != nil || got != want {
			t.Errorf("%s: got %s, %v, want %s", name, got, err, want)
		}
	}
}

func TestErrors(t *testing.T) {
	path := program(t)
	t.Chdir(filepath.Dir(path))
	a := analyzer(t, Options{Path: "/nonexistent"})
	_, err := a.Resolve("kprobe:vfs_read")
	if e := (*KernelError)(nil); !errors.As(err, &e) || e.Hook.Function != "vfs_read" {
		t.Error(err)
	}
	_, err = a.Resolve("uprob:./inline-O2:add")
	if e := (*hook.SyntaxError)(nil); !errors.As(err, &e) {
		t.Error(err)
	}
	_, err = a.Resolve("uprobe:./nosuch:add")
	if !errors.Is(err, os.ErrNotExist) || strings.Count(err.Error(), "nosuch") != 1 {
		t.Error(err)
	}
	_, err = a.Resolve("uprobe:inline-O2:add")
	if e := (*elfbin.NotFoundError)(nil); !errors.As(err, &e) || !strings.Contains(err.Error(), "write ./inline-O2") {
		t.Error(err)
	}
	_, err = a.Resolve("uprobe:./inline-O2:ad")
	if e := (*sites.NotFoundError)(nil); !errors.As(err, &e) || len(e.Near) == 0 || e.Near[0] != "add" {
		t.Error(err)
	}
}

func TestCheckInput(t *testing.T) {
	path := program(t)
	a := analyzer(t, Options{})
	r, err := a.Resolve("uprobe:" + path + ":add")
	if err != nil {
		t.Fatal(err)
	}
	in := a.CheckInput(r, "ab")
	if in.BuildID != "ab" || len(in.Lookup("add")) == 0 || len(in.Lookup("nosuch")) != 0 {
		t.Errorf("%+v", in)
	}
	if _, _, err := elfbin.FindLibrary(os.DirFS("/"), "libc.so.6", elfbin.AMD64); err != nil {
		t.Skip("needs glibc for x86-64: ", err)
	}
	if got := in.Providers("printf"); len(got) != 1 || !strings.HasSuffix(got[0], "/libc.so.6") {
		t.Errorf("printf is in %v", got)
	}
	if got := in.Providers("no_such_function"); len(got) != 0 {
		t.Errorf("found in %v", got)
	}
	if findings := check.Check(r.Results, in); len(findings) != 1 || findings[0].Rule != check.SH401 {
		t.Errorf("%+v", findings)
	}
}
