//go:build linux && (amd64 || arm64)

package attach

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestChildren(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skip("the kernel has no BTF")
	}
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		for _, c := range []struct {
			children bool
			want     uint64
		}{{false, 10}, {true, 40}} {
			meant, other := start(t, "family:3"), start(t, "family:1")
			s := open(plainPlan(t), Options{PID: meant.PID(), Children: c.children})
			other.finish(t)
			meant.finish(t)
			if diff := cmp.Diff([][]uint64{{0, c.want, c.want}}, counts(t, s)); diff != "" {
				t.Errorf("children %v: counts (-want +got):\n%s", c.children, diff)
			}
			if n, err := s.Strayed(); n != 0 || err != nil {
				t.Errorf("%d children strayed, %v", n, err)
			}
		}
	})
}

func TestNestedPIDNamespace(t *testing.T) {
	needsKernel(t)
	out := string(runAs(t, "nested", &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}))
	if out != "1 10\n1 10\n" {
		t.Errorf("process and hits as seen in a PID namespace: %q", out)
	}
}

func TestNoProcess(t *testing.T) {
	needsKernel(t)
	for _, o := range []Options{{PID: -5}, {PID: 1 << 40}, {Children: true}} {
		if _, err := Open(plainPlan(t), o); !errors.Is(err, ErrInvalid) {
			t.Errorf("Open with %+v: %v, want ErrInvalid", o, err)
		}
	}
	gone := start(t, "call:0")
	gone.finish(t)
	if _, err := Open(plainPlan(t), Options{PID: gone.PID()}); !errors.Is(err, syscall.ESRCH) {
		t.Errorf("Open of a process that is gone: %v, want ESRCH", err)
	}
}

// refusedFile is a file of code with two instructions that the kernel does not
// probe, mapped by no process: nothing but looking shows that.
func refusedFile(t *testing.T, dir string) string {
	t.Helper()
	insn, refused := []byte{0x55}, []byte{0xf4} // push %rbp, hlt
	if runtime.GOARCH == "arm64" {
		insn, refused = []byte{0x1f, 0x20, 0x03, 0xd5}, []byte{0x02, 0x00, 0x00, 0xd4} // nop, hvc #0
	}
	code := bytes.Repeat(insn, 1024)
	copy(code[64:], refused)
	copy(code[128:], refused)
	path := filepath.Join(dir, "refused")
	if err := os.WriteFile(path, code, 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestProven(t *testing.T) {
	path := refusedFile(t, t.TempDir())
	plans := []Plan{{Path: path, Probes: []Probe{{Offset: 32}, {Offset: 64}, {Offset: 96, Return: true}, {Offset: 128, Return: true}}}}
	eachWay(t, func(t *testing.T, open func([]Plan, Options) *Session) {
		for _, pid := range []int{0, os.Getpid()} {
			_, err := Open(plans, Options{PID: pid})
			var pe *ProbeError
			if !errors.Is(err, ErrNotInstalled) || !errors.As(err, &pe) || pe.Probe != 1 {
				t.Errorf("Open for process %d: %v, want probe 1 not installed", pid, err)
			}
			s := open(plans, Options{PID: pid, BestEffort: true})
			var failed []int
			for _, f := range s.Failures() {
				failed = append(failed, f.Probe)
			}
			if diff := cmp.Diff([]int{1, 3}, failed); diff != "" {
				t.Errorf("failures for process %d (-want +got):\n%s", pid, diff)
			}
		}
	})
}

func TestUnverified(t *testing.T) {
	needsKernel(t)
	dir := t.TempDir()
	if err := syscall.Mount("surehook", dir, "tmpfs", syscall.MS_NOEXEC, "size=1m"); err != nil {
		t.Skip("cannot mount:", err)
	}
	defer syscall.Unmount(dir, 0)
	path := refusedFile(t, dir)
	s, err := Open([]Plan{{Path: path, Probes: []Probe{{Offset: 32}}}}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if diff := cmp.Diff([]int{0}, s.Unverified()); diff != "" {
		t.Errorf("unverified plans (-want +got):\n%s", diff)
	}
}
