package image

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// buildModule compiles a module that goes with buildKernel.
func buildModule(t testing.TB) string {
	t.Helper()
	source, err := filepath.Abs("testdata/module.c")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	run(t, dir, "gcc", "-O2", "-ffreestanding", "-fno-pie", "-mcmodel=kernel", "-fno-stack-protector", "-fcf-protection=none", "-c", "-o", "my-fs.ko", source)
	return filepath.Join(dir, "my-fs.ko")
}

func checkModule(t *testing.T, s *kernel.Snapshot) {
	t.Helper()
	f := function(t, s, "my_open")
	if len(f.Symbols) != 1 || f.Symbols[0].Module != "my_fs" || f.Symbols[0].Traceable != kernel.Yes || f.Symbols[0].Refused != kernel.No {
		t.Errorf("%+v", f)
	}
	if f.Plan.Verdict != sites.Unknown {
		t.Errorf("copies in modules are not read, and the plan is %+v", f.Plan)
	}
	if f := function(t, s, "my_quiet"); f.Symbols[0].Refused != kernel.Yes || f.Symbols[0].Traceable != kernel.No {
		t.Errorf("%+v", f)
	}
	if f := function(t, s, "init_module"); f.Symbols[0].Refused != kernel.Yes || !f.Symbols[0].Init {
		t.Errorf("%+v", f)
	}
	i := slices.IndexFunc(s.Events, func(e kernel.Tracepoint) bool { return e.Name == "my_event" })
	if i < 0 {
		t.Fatal("no event of the module")
	}
	want := kernel.Tracepoint{System: "my_fs", Name: "my_event", Module: "my_fs", Raw: "my_event", Fields: []kernel.Field{{Type: "int", Name: "n", Offset: 8, Size: 4, Signed: true}}}
	if diff := cmp.Diff(want, s.Events[i]); diff != "" {
		t.Error(diff)
	}
	if slices.ContainsFunc(s.Raws, func(r kernel.RawTracepoint) bool { return r.Name == "my_bare" }) {
		t.Error("a tracepoint that is not in the kernel's table for BPF is said to be one for it")
	}
	calls, err := s.Callees("my_open")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(calls, kernel.Call{Caller: "my_open", Callee: "vfs_open", CallerModule: "my_fs"}) {
		t.Errorf("my_open calls %v", calls)
	}
	if s.Missing(kernel.Modules) != "" {
		t.Error(s.Missing(kernel.Modules))
	}
}

func TestModule(t *testing.T) {
	path := buildKernel(t)
	module := buildModule(t)
	checkModule(t, read(t, Options{}, input(t, path), input(t, module)))

	vmlinux, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	ko, err := os.ReadFile(module)
	if err != nil {
		t.Fatal(err)
	}
	files := map[string][]byte{
		"boot/vmlinuz-x": bzImage(pack(t, "zstd", vmlinux), len(vmlinux)), "boot/config-x": []byte("CONFIG_BPF=y\n"),
		"lib/modules/x/kernel/fs/my-fs.ko.zst": pack(t, "zstd", ko),
	}
	pkg := text("p.deb", string(deb(t, "Package: linux-image-x\nVersion: 1\n", files)))
	checkModule(t, read(t, Options{Modules: true}, pkg))
	if s := read(t, Options{}, pkg); s.Missing(kernel.Modules) == "" {
		t.Error("modules that were not asked for are not missing")
	}
}
