//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/soak"
	"github.com/surehook/surehook/supervise"
)

// contained is a process with an overlay of an image at the lab's directory.
type contained struct {
	l   *lab
	pid int
	cmd *exec.Cmd
}

func (l *lab) run(image, name string) *contained {
	l.Helper()
	base := filepath.Join(filepath.Dir(l.dir), name)
	for _, d := range []string{"upper", "work"} {
		l.ok(os.MkdirAll(filepath.Join(base, d), 0o755))
	}
	return l.begin(exec.Command("sh", "-c", `mount --make-rprivate / && mount -t overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" none "$3" && echo ready && exec sleep 1000`,
		"sh", image, base, l.dir), syscall.CLONE_NEWNS)
}

func (l *lab) begin(cmd *exec.Cmd, flags uintptr) *contained {
	l.Helper()
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: flags}
	out, err := cmd.StdoutPipe()
	l.ok(err)
	if err := cmd.Start(); err != nil {
		l.Skip("needs a mount namespace: ", err)
	}
	c := &contained{l, cmd.Process.Pid, cmd}
	l.Cleanup(c.end)
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "ready\n" {
		l.Skipf("overlay: %q, %v", line, err)
	}
	return c
}

func (c *contained) end() { c.cmd.Process.Kill(); c.cmd.Wait() }

// path is that of the library in the container, as it is named here.
func (c *contained) path() string { return fmt.Sprintf("/proc/%d/root%s", c.pid, c.l.path()) }

// attached is an Attached of the container.
func (c *contained) attached(e supervise.Event) bool {
	a, ok := e.(supervise.Attached)
	return ok && a.Path == c.path()
}

// enter gives a command in the container.
func (c *contained) enter(args ...string) *exec.Cmd {
	return exec.Command("nsenter", append([]string{"-t", strconv.Itoa(c.pid), "-m"}, args...)...)
}

func (c *contained) once() {
	c.l.Helper()
	if out, err := c.enter(c.l.kit.Caller, c.l.path(), c.l.truth.Path, "once", "2").CombinedOutput(); err != nil {
		c.l.Fatalf("%v: %s", err, out)
	}
}

// AddInContainers finds what comes and goes.
func TestContainers(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		image := t.TempDir()
		l.copy(l.library(0, 1), image+"/libx.so")
		one := l.run(image, "one")
		l.addInside()
		one.once()
		l.exact()
		l.containers(1, 1)

		n := len(l.all())
		two := l.run(image, "two") // of the same image
		l.awaitFrom(n, "the second", two.attached)
		two.once()
		l.exact()
		l.containers(2, 1)

		l.change(noGap, two.attached, func() { l.put(two.path(), 1, 2) })
		one.once()
		two.once()
		l.put(l.path(), 2, 3) // here, too
		l.await("here", func(e supervise.Event) bool { a, ok := e.(supervise.Attached); return ok && a.Path == l.path() })
		l.once(l.path())
		l.exact()
		l.containers(2, 3)

		// The process that it was found by ends; another one goes on.
		other := l.begin(one.enter("sh", "-c", "echo ready && exec sleep 1000"), 0)
		n = len(l.all())
		one.end()
		l.put(other.path(), 3, 1)
		l.awaitFrom(n, "through another process", other.attached)
		other.once()
		two.once()
		l.exact()

		two.end()
		for end := time.Now().Add(30 * time.Second); ; time.Sleep(10 * time.Millisecond) {
			st, err := l.s.State()
			l.ok(err)
			if st.Hooks[0].Containers == 1 {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("a container that has ended is still there: %+v", st.Hooks[0])
			}
		}
		l.exact()
	})
}

// Containers that have ended leave nothing behind.
func TestContainersLeave(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		image := t.TempDir()
		l.copy(l.library(0, 1), image+"/libx.so")
		l.addInside()
		held := func(n int) (string, bool) {
			st, err := l.s.State()
			l.ok(err)
			return l.held(), st.Hooks[0].Containers == n
		}
		var before string
		for i := range 4 {
			n := len(l.all())
			c := l.run(image, fmt.Sprint(i))
			l.awaitFrom(n, "a container", c.attached)
			c.once()
			c.end()
			var last string
			for end := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
				now, gone := held(0)
				if gone && (i == 0 || now == before) {
					before = now
					break
				}
				if last = now; time.Now().After(end) {
					t.Fatalf("after %d containers %s, before %s", i+1, last, before)
				}
			}
		}
		l.exact()
	})
}

// held are the files and marks that this process has.
func (l *lab) held() string {
	l.Helper()
	list, err := filepath.Glob("/proc/self/fdinfo/*")
	l.ok(err)
	marks := 0
	for _, f := range list {
		text, _ := os.ReadFile(f)
		marks += strings.Count(string(text), "inotify wd:") + strings.Count(string(text), "fanotify ino:")
	}
	return fmt.Sprintf("%d files, %d marks", len(list), marks)
}

// addInside supervises all functions of the library in containers too.
func (l *lab) addInside() {
	l.Helper()
	for _, f := range soak.Functions() {
		h, err := hook.Parse("uprobe:" + l.path() + ":" + f)
		l.ok(err)
		_, err = l.s.AddInContainers(h)
		l.ok(err)
	}
}

// What is kept of containers goes on with them, and what is new in them since is
// told as a gap.
func TestContainersKept(t *testing.T) {
	l := newLab(t, supervise.Options{})
	k := kept(t)
	image := t.TempDir()
	l.copy(l.library(0, 1), image+"/libx.so")
	one := l.run(image, "one")
	again := func() {
		t.Helper()
		l.ok(l.s.Close())
		s, err := supervise.New(supervise.Options{NoGap: true, Keep: k, Notify: l.note})
		if err != nil && strings.Contains(err.Error(), unsupported) {
			t.Skip(err)
		}
		l.ok(err)
		l.s = s
		l.addInside()
	}
	again()
	one.once()
	l.exact()
	again()
	one.once()
	l.exact()
	l.containers(1, 1)
	l.put(one.path(), 1, 2)
	one.once()
	l.exact()

	l.ok(l.s.Close())
	before := l.truth.Calls()
	l.put(one.path(), 2, 3)
	one.once()
	n := len(l.all())
	again()
	l.awaitFrom(n, "gap", func(e supervise.Event) bool {
		g, ok := e.(supervise.Gap)
		return ok && g.Path == one.path() && g.Target == l.path()
	})
	if got := l.counted(); got != before {
		t.Errorf("counted %v, called %v before the gap", got, before)
	}
}

// A hook that is here only counts nothing of containers, also when it is taken over
// and they run a file of the same name.
func TestContainersKeptApart(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{})
		l.ok(l.s.Close())
		k := kept(t)
		image := t.TempDir()
		l.copy(l.library(1, 2), image+"/libx.so")
		one := l.run(image, "one")
		l.put(l.path(), 0, 1)
		again := func() (here supervise.ID) {
			t.Helper()
			s, err := supervise.New(supervise.Options{NoGap: noGap, Keep: k, Notify: l.note})
			if err != nil && strings.Contains(err.Error(), unsupported) {
				t.Skip(err)
			}
			l.ok(err)
			l.s = s
			l.addInside()
			return l.add(l.path())[0]
		}
		want := func(when string, inside, here uint64) {
			t.Helper()
			st, err := l.s.State()
			l.ok(err)
			if got := [2]uint64{st.Hooks[0].Executions, st.Hooks[len(soak.Functions())].Executions}; got != [2]uint64{inside, here} {
				t.Errorf("%s: counted %d in containers too and %d here, want %d and %d", when, got[0], got[1], inside, here)
			}
		}
		again()
		one.once()
		l.once(l.path())
		want("at first", 4, 2)
		l.ok(l.s.Close())

		again()
		one.once()
		l.once(l.path())
		want("taken over", 8, 4)
		l.ok(l.s.Close())

		two := l.run(image+"/..", "two") // in which there is none
		l.copy(l.library(2, 3), two.path())
		runs := l.steps(two.enter(l.kit.Caller, l.path(), l.truth.Path, "step", "0"))
		runs.step("")
		again()
		st, err := l.s.State()
		l.ok(err)
		inside := st.Hooks[0].Executions
		runs.step("")
		st, err = l.s.State()
		l.ok(err)
		got := st.Hooks[0].Executions - inside
		want("with another one", inside+got, 4)
		if got != 1 {
			t.Errorf("%d counted in the other container, want 1", got)
		}
	})
}

// containers wants that many roots and builds.
func (l *lab) containers(roots, builds int) {
	l.Helper()
	st, err := l.s.State()
	l.ok(err)
	for _, h := range st.Hooks {
		if h.Containers != roots || len(h.Builds) != builds || h.Waiting != nil {
			l.Errorf("%s: %d roots, want %d; %d builds, want %d; waiting for %v", h.Hook, h.Containers, roots, len(h.Builds), builds, h.Waiting)
		}
	}
}
