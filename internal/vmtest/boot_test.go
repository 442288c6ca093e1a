package vmtest_test

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/internal/vmtest"
)

// kernel is the newest arm64 kernel of the table.
func kernel() vmtest.Kernel {
	var last vmtest.Kernel
	for _, k := range vmtest.Kernels() {
		if k.Arch == "arm64" {
			last = k
		}
	}
	return last
}

// TestBoot boots a kernel of another architecture and counts an example
// program's function there.
func TestBoot(t *testing.T) {
	if os.Getenv("SUREHOOK_VM") == "" {
		t.Skip("virtual machines: emulation is slow; SUREHOOK_VM=1 or make test")
	}
	const arch = "arm64"
	dir := t.TempDir()
	if err := vmtest.Build(context.Background(), arch, "github.com/surehook/surehook/cmd/surehook", filepath.Join(dir, "surehook")); err != nil {
		t.Fatal(err)
	}
	example, err := demo.Find("inline")
	if err != nil {
		t.Fatal(err)
	}
	job := vmtest.Job{
		Files: []vmtest.File{{Name: "/bin/surehook", From: filepath.Join(dir, "surehook")}},
		Steps: []vmtest.Step{
			{Args: []string{"/bin/surehook", "trace", "--count", example.Hook, "-c", strings.Join(example.Command, " ")}, Dir: "/tmp2"},
			{Args: []string{"/nope"}},
			{Args: []string{"/bin/surehook", "trace", "uprobe:/tmp2/inline-O2:add"}, Seconds: 1},
		},
		Collect: []string{"/proc/sys/kernel/ostype", "/none"},
	}
	if err := demo.Extract(dir, example, elfbin.ARM64); err != nil {
		t.Fatal(err)
	}
	for _, name := range example.Programs {
		job.Files = append(job.Files, vmtest.File{Name: path.Join("/tmp2", name), From: filepath.Join(dir, name)})
	}
	libs, err := vmtest.Libraries(arch, filepath.Join(dir, example.Programs[0]))
	if errors.Is(err, vmtest.ErrMissing) {
		t.Skip("boot: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	job.Files = append(job.Files, libs...)
	out, err := kernel().Run(context.Background(), job)
	if errors.Is(err, vmtest.ErrMissing) {
		t.Skip("boot: ", err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if d := out.Steps[0]; d.Exit != 0 || !strings.Contains(string(d.Stdout), "13") {
		t.Errorf("surehook trace: exit %d %s\n%s\n%s", d.Exit, d.Error, d.Stdout, d.Stderr)
	}
	if d := out.Steps[1]; d.Exit != -1 || d.Error == "" {
		t.Errorf("a missing command: %+v", d)
	}
	if d := out.Steps[2]; d.Exit != -1 || !strings.Contains(d.Error, "killed") {
		t.Errorf("a command without end: %+v", d)
	}
	if string(out.Files["/proc/sys/kernel/ostype"]) != "Linux\n" || len(out.Files) != 1 {
		t.Errorf("collected %q", out.Files)
	}
}

// TestMachineErrors checks what can go wrong without booting.
func TestMachineErrors(t *testing.T) {
	if _, err := (vmtest.Machine{Arch: "vax"}).Run(context.Background(), vmtest.Job{}); err == nil || !strings.Contains(err.Error(), "amd64 and arm64") {
		t.Errorf("got %v", err)
	}
}
