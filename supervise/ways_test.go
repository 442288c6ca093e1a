//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
	"github.com/surehook/surehook/supervise"
)

func isAttached(e supervise.Event) bool { _, ok := e.(supervise.Attached); return ok }

func isFinding(kind supervise.FindingKind) func(supervise.Event) bool {
	return func(e supervise.Event) bool { f, ok := e.(supervise.Finding); return ok && f.Kind == kind }
}

func (l *lab) copy(from, to string) {
	l.Helper()
	data, err := os.ReadFile(from)
	l.ok(err)
	l.ok(os.WriteFile(to, data, 0o644))
}

// change does something and, without NoGap, waits until it is noticed.
func (l *lab) change(noGap bool, is func(supervise.Event) bool, do func()) {
	l.Helper()
	n := len(l.all())
	do()
	if !noGap {
		l.awaitFrom(n, "noticed", is)
	}
}

// A file that is unlinked and made anew often has the number of the old one.
func TestInstall(t *testing.T) {
	install := []string{"install", "-m", "644"}
	if _, err := exec.LookPath(install[0]); err != nil { // busybox may lack it
		install = []string{"sh", "-c", "rm $1 && cat $0 >$1"}
	}
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path(), 0, 1)
		l.add(l.path())
		for v := 2; v < 6; v++ {
			l.change(noGap, isAttached, func() {
				if out, err := exec.Command(install[0], append(install[1:len(install):len(install)], l.library(v, 1+v%3), l.path())...).CombinedOutput(); err != nil {
					t.Fatalf("%v: %s", err, out)
				}
			})
			l.once(l.path())
		}
		l.exact()
	})
}

func TestSymlink(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path()+".1", 0, 1)
		l.put(l.path()+".2", 1, 2)
		l.ok(os.Mkdir(l.dir+"/sub", 0o755))
		l.put(l.dir+"/sub/libx.so.3", 2, 3)
		flip := func(to string) {
			l.ok(os.Symlink(to, l.path()+".tmp"))
			l.ok(os.Rename(l.path()+".tmp", l.path()))
		}
		flip("libx.so.1")
		l.add(l.path())
		for i, to := range []string{"libx.so.2", "sub/libx.so.3", "libx.so.1", "sub/libx.so.3", l.dir + "/libx.so.2"} {
			// A directory that no link led to before is found out only afterwards.
			l.change(noGap && i != 1, isAttached, func() { flip(to) })
			l.once(l.path())
		}
		l.exact()
	})
}

func TestGone(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path(), 0, 1)
		l.add(l.path())
		l.once(l.path())
		waits := func(e supervise.Event) bool { _, ok := e.(supervise.Waiting); return ok }
		l.change(false, waits, func() { l.ok(os.Remove(l.path())) })
		if st, _ := l.s.State(); st.Hooks[0].Waiting == nil || st.Hooks[0].Current != nil {
			t.Errorf("%+v", st.Hooks[0])
		}
		l.change(noGap, isAttached, func() { l.put(l.path(), 1, 2) })
		l.once(l.path())
		// away and back: the same file
		l.change(false, waits, func() { l.ok(os.Rename(l.path(), l.path()+".away")) })
		l.change(noGap, isAttached, func() { l.ok(os.Rename(l.path()+".away", l.path())) })
		l.once(l.path())
		l.exact()
	})
}

// The directories of a library may come later too.
func TestLater(t *testing.T) {
	l := newLab(t, supervise.Options{})
	path := l.dir + "/opt/app/lib/libx.so"
	l.add(path)
	st, err := l.s.State()
	l.ok(err)
	if why := st.Hooks[0].Waiting; why == nil || !strings.Contains(why.Error(), path) {
		t.Errorf("waiting for %v", why)
	}
	l.ok(os.MkdirAll(l.dir+"/opt/app", 0o755))
	l.ok(os.Mkdir(l.dir+"/opt/app/lib", 0o755))
	l.put(path, 0, 1)
	l.attached(1)
	late := l.stepper(path) // opens it when told to
	late.step("")
	l.once(path)
	l.exact()
}

// What cannot be read, or lacks the function, leaves the state as it was.
func TestBadBuild(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path(), 0, 1)
		l.add(l.path())
		old := l.stepper(l.path())
		old.step("")
		l.change(false, isFinding(supervise.Unreadable), func() {
			l.ok(os.WriteFile(l.path()+".new", []byte("\x7fELF, but no more"), 0o644))
			l.ok(os.Rename(l.path()+".new", l.path()))
		})
		old.step("")
		st, err := l.s.State()
		l.ok(err)
		if cur := st.Hooks[0].Current; cur == nil || cur.Number != 1 {
			t.Errorf("the state did not stay: %+v", st.Hooks[0])
		}
		l.change(noGap, isAttached, func() { l.put(l.path(), 1, 2) })
		l.once(l.path())
		l.exact()
		l.change(false, isFinding(supervise.FunctionGone), func() {
			l.copy(l.kit.Caller, l.path()+".new")
			l.ok(os.Rename(l.path()+".new", l.path()))
		})
		old.step("")
		l.exact()
	})
}

// A build of which less is known raises a verdict.
func TestWorse(t *testing.T) {
	l := newLab(t, supervise.Options{})
	l.put(l.path(), 0, 1)
	ids := l.add(l.path())
	strip := l.path() + ".stripped"
	l.copy(l.library(1, 2), strip)
	if out, err := exec.Command("strip", "-g", strip).CombinedOutput(); err != nil {
		t.Skipf("strip: %v %s", err, out)
	}
	l.ok(os.Rename(strip, l.path()))
	l.await("worse", func(e supervise.Event) bool {
		v, ok := e.(supervise.Verdict)
		return ok && v.ID == ids[0] && v.Worse() && v.Was.Verdict == sites.Complete && v.Now.Verdict == sites.Unknown
	})
}

// Who opens a library while it is being written waits until it is complete.
func TestSlowWriter(t *testing.T) {
	l := newLab(t, supervise.Options{NoGap: true})
	l.slowWriter(l.path())
}

// slowWriter makes a library that is written slowly.
func (l *lab) slowWriter(path string) {
	l.Helper()
	l.put(path, 0, 1)
	l.add(path)
	data, err := os.ReadFile(l.library(1, 2))
	l.ok(err)
	l.ok(os.Remove(path))
	f, err := os.Create(path)
	l.ok(err)
	half := len(data) / 2
	_, err = f.Write(data[:half])
	l.ok(err)
	done := make(chan error)
	go func() {
		_, err := exec.Command(l.kit.Caller, path, l.truth.Path, "once", "2").CombinedOutput()
		done <- err
	}()
	l.waitHeld(1)
	_, err = f.Write(data[half:])
	l.ok(err)
	l.ok(f.Close())
	l.ok(<-done)
	l.exact()
	if l.truth.Rounds() != 2 {
		l.Errorf("%d rounds", l.truth.Rounds())
	}
	l.once(path)
	l.exact()
}

// waitHeld waits until so many opens have been made to wait.
func (l *lab) waitHeld(n int) {
	l.Helper()
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		st, err := l.s.State()
		l.ok(err)
		if st.Held >= n {
			return
		}
		if time.Now().After(end) {
			l.Fatalf("%d opens wait, want %d", st.Held, n)
		}
	}
}

// A file that is never completed does not hold anybody up for ever.
func TestStuckWriter(t *testing.T) {
	l := newLab(t, supervise.Options{NoGap: true, Hold: 300 * time.Millisecond})
	l.put(l.path(), 0, 1)
	l.add(l.path())
	data, err := os.ReadFile(l.library(1, 2))
	l.ok(err)
	l.ok(os.Remove(l.path()))
	f, err := os.Create(l.path())
	l.ok(err)
	_, err = f.Write(data)
	l.ok(err)
	l.once(l.path())
	l.ok(f.Close())
	l.await("gap", func(e supervise.Event) bool { _, ok := e.(supervise.Gap); return ok })
	n := l.truth.Calls()
	l.once(l.path())
	if got := l.counted(); got[0] != n[0] || got[0] != l.truth.Calls()[0]-2 { // two calls went by
		t.Errorf("counted %v, called %v, of which the first two are lost", got, l.truth.Calls())
	}
}

// This process opens what it supervises itself.
func TestOwnOpens(t *testing.T) {
	l := newLab(t, supervise.Options{NoGap: true})
	l.put(l.path(), 0, 1)
	l.add(l.path())
	for v := range 20 {
		l.put(l.path(), v, 1+v%3)
		_, err := os.ReadFile(l.path())
		l.ok(err)
	}
}

func TestRemove(t *testing.T) {
	l := newLab(t, supervise.Options{})
	l.put(l.path(), 0, 1)
	ids := l.add(l.path())
	l.once(l.path())
	l.exact()
	for _, id := range ids[1:] {
		l.ok(l.s.Remove(id))
	}
	l.once(l.path())
	st, err := l.s.State()
	l.ok(err)
	if len(st.Hooks) != 1 || st.Hooks[0].Executions != l.truth.Calls()[0] {
		t.Errorf("%+v", st.Hooks)
	}
	l.ok(l.s.Remove(ids[0]))
	if err := l.s.Remove(ids[0]); err == nil {
		t.Error("removed twice")
	}
}

func TestAddRefuses(t *testing.T) {
	l := newLab(t, supervise.Options{})
	for _, text := range []string{"kprobe:vfs_read", "uprobe:./libx.so:f", "uprobe:libc:malloc"} {
		h, err := hook.Parse(text)
		l.ok(err)
		if _, err := l.s.Add(h); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}
