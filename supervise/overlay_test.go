//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/surehook/surehook/supervise"
)

// inNamespace runs the test in a mount namespace of its own; it is true there.
func inNamespace(t *testing.T) bool {
	const inside = "SUREHOOK_SUPERVISE_INSIDE"
	if os.Getenv(inside) != "" {
		if err := syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""); err != nil {
			t.Fatal(err)
		}
		return true
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^"+t.Name()+"$", "-test.v", "-built="+option("built"))
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

// container is an overlay over the lab's directory.
func (l *lab) container(name string) (merged string) {
	l.Helper()
	base := filepath.Join(filepath.Dir(l.dir), name)
	for _, d := range []string{"upper", "work", "merged"} {
		l.ok(os.MkdirAll(filepath.Join(base, d), 0o755))
	}
	merged = filepath.Join(base, "merged")
	options := fmt.Sprintf("lowerdir=%s,upperdir=%s/upper,workdir=%s/work", l.dir, base, base)
	if err := syscall.Mount("overlay", merged, "overlay", 0, options); err != nil {
		l.Skip("overlay: ", err)
	}
	l.Cleanup(func() { syscall.Unmount(merged, syscall.MNT_DETACH) })
	return merged
}

// Containers that share a file of an image are one build; what one of them
// copies up is another.
func TestOverlay(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	l := newLab(t, supervise.Options{})
	l.put(l.path(), 0, 1)
	one, two := l.container("one"), l.container("two")
	first := l.add(one + "/libx.so")
	l.add(two + "/libx.so")
	l.once(one + "/libx.so")
	l.once(two + "/libx.so")
	l.once(l.path())
	st, err := l.s.State()
	l.ok(err)
	want := l.truth.Calls()[0]
	for _, h := range []supervise.Hook{st.Hooks[0], st.Hooks[len(first)]} {
		if h.Executions != want || len(h.Builds) != 1 || h.Current.Number != 1 {
			t.Errorf("%d executions, want %d, once: %+v", h.Executions, want, h.Builds)
		}
	}
	// Copied up: the same device and number, another file.
	l.change(false, isAttached, func() { l.ok(os.Chmod(one+"/libx.so", 0o755)) })
	l.once(one + "/libx.so")
	st, err = l.s.State()
	l.ok(err)
	if h := st.Hooks[0]; h.Executions != want+2 || h.Current.Number == 1 {
		t.Errorf("after a copy-up: %d executions, want %d: %+v", h.Executions, want+2, h.Builds)
	}
	if h := st.Hooks[len(first)]; h.Executions != want {
		t.Errorf("the other container: %d executions, want %d", h.Executions, want)
	}
	// What is probed does not keep a container mounted.
	for _, merged := range []string{one, two} {
		if err := syscall.Unmount(merged, 0); err != nil {
			t.Errorf("unmounting %s: %v", merged, err)
		}
	}
}

// What is probed does not keep its file system mounted.
func TestUnmount(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		point := t.TempDir()
		l.ok(syscall.Mount("tmpfs", point, "tmpfs", 0, ""))
		defer syscall.Unmount(point, syscall.MNT_DETACH)
		l.put(point+"/libx.so", 0, 1)
		l.add(point + "/libx.so")
		l.once(point + "/libx.so")
		l.exact()
		if err := syscall.Unmount(point, 0); err != nil {
			t.Errorf("unmounting: %v", err)
		}
	})
}

// Opens in a container wait as others do.
func TestOverlayNoGap(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	l := newLab(t, supervise.Options{NoGap: true})
	l.put(l.path(), 0, 1)
	merged := l.container("one")
	path := merged + "/libx.so"
	l.add(path)
	l.once(path)
	for v := 2; v < 5; v++ {
		l.put(path, v, 1+v%3)
		l.once(path)
	}
	l.exact()
	if err := syscall.Unmount(merged, 0); err != nil {
		t.Errorf("unmounting: %v", err)
	}
}

// Who waits in a container for a file is given the layer's, as all others are.
func TestOverlaySlowWriter(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	l := newLab(t, supervise.Options{NoGap: true})
	l.put(l.path(), 0, 1)
	l.slowWriter(l.container("one") + "/libx.so")
}

// What is opened in a container while it is replaced is one build all the same.
func TestOverlayBusy(t *testing.T) {
	if !inNamespace(t) {
		return
	}
	l := newLab(t, supervise.Options{NoGap: true})
	l.put(l.path(), 0, 1)
	path := l.container("one") + "/libx.so"
	l.add(path)
	done := make(chan error)
	go func() {
		var errs []error
		for range 60 {
			out, err := exec.Command(l.kit.Caller, path, l.truth.Path, "once", "2").CombinedOutput()
			if err != nil {
				errs = append(errs, fmt.Errorf("%w: %s", err, out))
			}
		}
		done <- errors.Join(errs...)
	}()
	for v := 2; ; v++ {
		select {
		case err := <-done:
			l.ok(err)
			l.exact()
			return
		default:
			l.put(path, v%8, 1+v%3)
		}
	}
}

// A path may lead through the root of a process.
func TestProcessRoot(t *testing.T) {
	l := newLab(t, supervise.Options{})
	l.put(l.path(), 0, 1)
	l.ok(os.Symlink(l.path(), l.dir+"/link.so"))
	p := exec.Command("sleep", "100")
	p.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	if err := p.Start(); err != nil {
		t.Skip("needs a mount namespace: ", err)
	}
	defer func() { p.Process.Kill(); p.Wait() }()
	path := fmt.Sprintf("/proc/%d/root%s/link.so", p.Process.Pid, l.dir)
	l.add(path)
	l.once(path)
	l.exact()
	l.change(false, isAttached, func() { l.put(l.path(), 1, 2) })
	l.once(path)
	l.exact()
}

// What is opened at the same path elsewhere is not the container's.
func TestProcessRootOnly(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path(), 0, 1)
		p := l.elsewhere(l.library(1, 2))
		host := l.add(l.path())
		l.add(fmt.Sprintf("/proc/%d/root%s", p, l.path()))
		l.once(l.path())
		l.change(noGap, isAttached, func() { l.put(l.path(), 2, 3) })
		l.once(l.path())
		l.exact()
		st, err := l.s.State()
		l.ok(err)
		if h := st.Hooks[len(host)]; h.Executions != 0 || h.Current == nil || len(h.Builds) != 1 {
			t.Errorf("nothing ran in the container: %+v", h)
		}
		here := l.counted()
		l.change(noGap, isAttached, func() { l.put(fmt.Sprintf("/proc/%d/root%s", p, l.path()), 3, 1) })
		inside := exec.Command("nsenter", "-t", strconv.Itoa(p), "-m", l.kit.Caller, l.path(), l.truth.Path, "once", "2")
		if out, err := inside.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if got := l.counted(); got != here {
			t.Errorf("counted %v after %v, though nothing ran here", got, here)
		}
		st, err = l.s.State()
		l.ok(err)
		if h := st.Hooks[len(host)]; h.Executions != 2 {
			t.Errorf("two calls in the container: %+v", h)
		}
	})
}

// elsewhere begins a process that has another library at the lab's path.
func (l *lab) elsewhere(library string) (pid int) {
	l.Helper()
	cmd := exec.Command("sh", "-c", `mount --make-rprivate / && mount -t tmpfs none "$1" && cat "$2" >"$1/libx.so" && echo ready && exec sleep 1000`, "sh", l.dir, library)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	out, err := cmd.StdoutPipe()
	l.ok(err)
	if err := cmd.Start(); err != nil {
		l.Skip("needs a mount namespace: ", err)
	}
	l.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		l.Fatalf("%q, %v", line, err)
	}
	return cmd.Process.Pid
}
