//go:build linux && (amd64 || arm64)

package attach

import (
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// The capabilities that surehook asks for (linux/capability.h).
const (
	capPerfmon = 38
	capBPF     = 39
)

// asNobody plays the role "privilege" as another user with capabilities.
func asNobody(t *testing.T, caps ...uintptr) string {
	t.Helper()
	needsKernel(t)
	if os.Getuid() != 0 {
		t.Skip("only root can become nobody")
	}
	// go test keeps its binary, and t.TempDir is, where nobody cannot run it.
	dir, err := os.MkdirTemp("", "surehook-attach")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "attach.test")
	copyFile(t, self(t), path)
	cmd := exec.Command(path)
	cmd.Dir = "/"
	cmd.Env = append(os.Environ(), childVar+"=privilege")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential:  &syscall.Credential{Uid: 65534, Gid: 65534},
		AmbientCaps: caps,
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("running as nobody: %v %s", err, out)
	}
	return string(out)
}

func copyFile(t *testing.T, from, to string) {
	t.Helper()
	in, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY, 0o755)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(out, in); err != nil {
		t.Fatal(err)
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestNotPermitted(t *testing.T) {
	for _, caps := range [][]uintptr{nil, {capBPF}, {capPerfmon}} {
		if out := asNobody(t, caps...); !strings.HasPrefix(out, "true ") {
			t.Errorf("with capabilities %d, Open: %s, want ErrNotPermitted", caps, out)
		}
	}
}

func TestCapabilitiesSuffice(t *testing.T) {
	out := asNobody(t, capBPF, capPerfmon)
	paranoid, _ := os.ReadFile("/proc/sys/kernel/perf_event_paranoid")
	if !needsKernel(t).multi && string(paranoid) > "2\n" {
		if !strings.Contains(out, "perf_event_paranoid") {
			t.Errorf("perf_event_paranoid is %s and not blamed: %s", paranoid, out)
		}
		return
	}
	if out != "false <nil> 10\n" {
		t.Errorf("with CAP_BPF and CAP_PERFMON: %s", out)
	}
}
