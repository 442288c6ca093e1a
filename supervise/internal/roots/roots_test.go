//go:build linux

package roots

import (
	"errors"
	"os"
	"os/exec"
	"slices"
	"syscall"
	"testing"
)

const (
	childVar  = "SUREHOOK_ROOTS_CHILD"
	deniedVar = "SUREHOOK_ROOTS_DENIED"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		changeRoot(dir)
		return
	}
	if os.Getenv(deniedVar) != "" {
		var s Scanner
		if _, err := s.Scan(); err == nil && s.Denied > 0 {
			os.Stdout.WriteString("denied")
		}
		return
	}
	os.Exit(m.Run())
}

// changeRoot is the process of TestOld.
func changeRoot(dir string) {
	os.Stdin.Read(make([]byte, 1))
	if err := syscall.Chroot(dir); err == nil {
		os.Stdout.WriteString("r")
	} else {
		os.Stdout.WriteString("n")
	}
	os.Stdin.Read(make([]byte, 1))
}

// TestScan finds processes of another root, and those of ours nowhere.
func TestScan(t *testing.T) {
	begin := func(attr *syscall.SysProcAttr) int {
		cmd := exec.Command("sleep", "1000")
		cmd.SysProcAttr = attr
		if err := cmd.Start(); err != nil {
			t.Skip("needs a mount namespace: ", err)
		}
		t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
		return cmd.Process.Pid
	}
	var s Scanner
	where := func(pid int) (ID, bool) {
		t.Helper()
		list, err := s.Scan()
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range list {
			if slices.Contains(r.PIDs, pid) {
				return r.ID, true
			}
		}
		return ID{}, false
	}
	if id, ok := where(begin(&syscall.SysProcAttr{})); ok {
		t.Errorf("a process with our root has %+v", id)
	}
	if id, ok := where(os.Getpid()); ok {
		t.Errorf("we have %+v besides ours", id)
	}
	one, two := begin(&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}), begin(&syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS})
	first, ok := where(one)
	if !ok {
		t.Fatal("a process with other mounts was not found")
	}
	if second, ok := where(two); !ok || first == second {
		t.Errorf("two namespaces are one: %+v", second)
	}
	if again, ok := where(one); !ok || again != first {
		t.Errorf("it was %+v, now %+v", first, again)
	}
}

// TestOld: a process that changes its root late is found in its turn.
func TestOld(t *testing.T) {
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVar+"="+dir)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer in.Close()
	var s Scanner
	has := func() bool {
		list, err := s.Scan()
		if err != nil {
			t.Fatal(err)
		}
		return slices.ContainsFunc(list, func(r Root) bool { return slices.Contains(r.PIDs, cmd.Process.Pid) })
	}
	for range young {
		if has() {
			t.Fatal("it has another root already")
		}
	}
	line := make([]byte, 1)
	if _, err := in.Write([]byte("\n")); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(line); err != nil || line[0] != 'r' {
		t.Skipf("needs chroot: %q, %v", line, err)
	}
	for range turns {
		if has() {
			return
		}
	}
	t.Errorf("not found within %d rounds", turns)
}

// TestDenied: processes that may not be looked at are counted, not left out.
func TestDenied(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), deniedVar+"=1")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	out, err := cmd.CombinedOutput()
	if errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.EACCES) {
		t.Skip("needs to become another user: ", err)
	}
	if err != nil || string(out) != "denied" {
		t.Errorf("%q, %v", out, err)
	}
}

func BenchmarkScan(b *testing.B) {
	var s Scanner
	for b.Loop() {
		if _, err := s.Scan(); err != nil {
			b.Fatal(err)
		}
	}
}
