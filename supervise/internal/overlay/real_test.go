//go:build linux

package overlay

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/surehook/surehook/internal/unix"
)

// inNamespace runs the test in a mount namespace of its own; it is true there.
func inNamespace(t *testing.T) bool {
	const inside = "SUREHOOK_OVERLAY_INSIDE"
	if os.Getenv(inside) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v")
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(err, syscall.EPERM):
		t.Skip("needs a mount namespace: ", err)
	case err != nil:
		t.Fatalf("%v\n%s", err, out)
	case strings.Contains(string(out), "--- SKIP"):
		t.Skipf("%s", out)
	}
	return false
}

// A file keeps its layer's identity while it is renamed, and while it is written.
func TestRealMeanwhile(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	base := t.TempDir()
	for _, d := range []string{"lower", "upper", "work", "merged"} {
		if err := os.Mkdir(filepath.Join(base, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	merged := filepath.Join(base, "merged")
	options := fmt.Sprintf("lowerdir=%s/lower,upperdir=%[1]s/upper,workdir=%[1]s/work", base)
	if err := syscall.Mount("overlay", merged, "overlay", 0, options); err != nil {
		t.Skip("overlay: ", err)
	}
	defer syscall.Unmount(merged, syscall.MNT_DETACH)
	name := func(dir string, i int) string { return fmt.Sprintf("%s/%s/lib%d.so", base, dir, i) }
	w, err := os.Create(name("merged", 0))
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	want, err := unix.StatPath(name("upper", 0))
	if err != nil {
		t.Fatal(err)
	}
	f, err := unix.FollowPath(name("merged", 0))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	renamed := 0
	for what, do := range map[string]func() error{
		"renamed": func() error { renamed++; return os.Rename(name("merged", renamed-1), name("merged", renamed)) },
		"written": func() error {
			for range 20 {
				if _, err := w.WriteString("more"); err != nil {
					return err
				}
			}
			return nil
		},
	} {
		for i := range 2000 {
			done := make(chan error)
			go func() { done <- do() }()
			runtime.Gosched()
			layer, err := Real(f, 0)
			if err != nil {
				t.Fatalf("%s: look %d: %v", what, i, err)
			}
			info, err := unix.Stat(layer)
			if err != nil || info.FileID != want {
				t.Errorf("%s: look %d: %v, want %v, %v", what, i, info.FileID, want, err)
			}
			layer.Close()
			if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
	}
}
