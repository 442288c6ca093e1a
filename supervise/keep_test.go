//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/soak"
	"github.com/surehook/surehook/supervise"
)

const childVar = "SUREHOOK_SUPERVISE_CHILD"

// superviseUntilKilled supervises the library whose path it is given.
func superviseUntilKilled() int {
	path := os.Getenv(childVar)
	s, err := supervise.New(supervise.Options{NoGap: true, Keep: keepIn(os.Getenv("PINS"), os.Getenv("RECORDS"))})
	if err == nil {
		for _, f := range soak.Functions() {
			var h hook.Hook
			if h, err = hook.Parse("uprobe:" + path + ":" + f); err == nil {
				_, err = s.Add(h)
			}
			if err != nil {
				break
			}
		}
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("ready")
	s.Run(context.Background())
	return 0
}

func keepIn(pins, records string) *supervise.Keep {
	return &supervise.Keep{Pins: pins, Records: records}
}

// unsupported is what a child says where nothing can be kept.
const unsupported = "uprobe_multi links (Linux 6.6)"

// kept is a place for what outlives a process.
func kept(t *testing.T) *supervise.Keep {
	t.Helper()
	dir := t.TempDir()
	if err := syscall.Mount("bpf", dir, "bpf", 0, ""); err != nil {
		t.Skip("needs to mount a BPF file system: ", err)
	}
	t.Cleanup(func() { syscall.Unmount(dir, syscall.MNT_DETACH) })
	return keepIn(filepath.Join(dir, "surehook"), t.TempDir())
}

// child starts a process that supervises the lab's library.
func (l *lab) child(k *supervise.Keep) *exec.Cmd {
	l.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVar+"="+l.path(), "PINS="+k.Pins, "RECORDS="+k.Records)
	out, err := cmd.StdoutPipe()
	l.ok(err)
	l.ok(cmd.Start())
	l.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	line, err := bufio.NewReader(out).ReadString('\n')
	if strings.Contains(line, unsupported) {
		l.Skip(strings.TrimSpace(line))
	}
	if line != "ready\n" {
		l.Fatalf("the child says %q, %v", line, err)
	}
	return cmd
}

// again begins the supervision that a former one has left.
func (l *lab) again(k *supervise.Keep) {
	l.Helper()
	var err error
	l.s, err = supervise.New(supervise.Options{NoGap: true, Keep: k, Notify: l.note})
	l.ok(err)
	l.add(l.path())
}

// A daemon that is killed loses nothing, and leaves nothing behind.
func TestKilled(t *testing.T) {
	l := newLab(t, supervise.Options{})
	k := kept(t)
	l.put(l.path(), 0, 1)
	old := l.stepper(l.path())
	c := l.child(k)
	old.step("")
	l.once(l.path())
	l.put(l.path(), 1, 2)
	l.once(l.path())
	l.ok(c.Process.Kill())
	c.Wait()
	old.step("") // what is pinned counts, in the old build as well
	l.once(l.path())

	l.ok(l.s.Close())
	l.again(k)
	l.exact()
	old.step("")
	l.once(l.path())
	l.put(l.path(), 2, 3)
	l.once(l.path())
	l.exact()
	l.ok(l.s.Close())
	l.once(l.path())

	// What is new while nobody looks is told as a gap.
	l.put(l.path(), 3, 1)
	n, before := len(l.all()), l.truth.Calls()
	l.once(l.path())
	l.again(k)
	l.awaitFrom(n, "gap", func(e supervise.Event) bool { _, ok := e.(supervise.Gap); return ok })
	if got := l.counted(); got != before {
		t.Errorf("counted %v, called %v before the gap", got, before)
	}
	// What nobody wants any more goes.
	st, err := l.s.State()
	l.ok(err)
	for _, h := range st.Hooks {
		l.ok(l.s.Remove(h.ID))
	}
	l.ok(l.s.Close())
	for _, dir := range []string{k.Pins + "/*_*", k.Records + "/*.set.json"} {
		if files, _ := filepath.Glob(dir); len(files) > 0 {
			t.Errorf("left behind: %v", files)
		}
	}
}

// Killed at any moment: nobody hangs, and nothing that was probed is lost or
// counted twice.
func TestKilledAnywhere(t *testing.T) {
	l := newLab(t, supervise.Options{})
	k := kept(t)
	l.put(l.path(), 0, 1)
	for i := range 8 {
		c := l.child(k)
		step, done := make(chan int, 4), make(chan error, 1)
		go func() { done <- l.replaceAndCall(i, step) }()
		for range i % 4 {
			<-step
		}
		time.Sleep(time.Duration(i) * time.Millisecond)
		l.ok(c.Process.Kill())
		c.Wait()
		select {
		case err := <-done:
			l.ok(err)
		case <-time.After(20 * time.Second):
			t.Fatal("somebody hangs")
		}
	}
	l.again(k)
	got, want := l.counted(), l.truth.Calls()
	for i := range got {
		if got[i] > want[i] {
			t.Errorf("counted %v, called %v: something is counted twice", got, want)
		}
	}
	if got[0] == 0 {
		t.Error("nothing was counted: the test tests nothing")
	}
	t.Logf("counted %v of %v: the others were called while nobody looked", got, want)
	before := l.truth.Calls()
	l.put(l.path(), 0, 1)
	l.once(l.path())
	if now := l.counted(); now[0]-got[0] != l.truth.Calls()[0]-before[0] {
		t.Errorf("counted %v, then %v", got, now)
	}
}

// replaceAndCall replaces the library four times, each time with a call after it.
func (l *lab) replaceAndCall(i int, step chan<- int) error {
	for v := range 4 {
		from, err := l.kit.Library(v, 1+(i+v)%3)
		if err != nil {
			return err
		}
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		if err := os.WriteFile(l.path()+".new", data, 0o644); err != nil {
			return err
		}
		if err := os.Rename(l.path()+".new", l.path()); err != nil {
			return err
		}
		if out, err := exec.Command(l.kit.Caller, l.path(), l.truth.Path, "once", "2").CombinedOutput(); err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		step <- v
	}
	return nil
}

// What came and went while nobody looked, and is run still, is found.
func TestCameAndWent(t *testing.T) {
	l := newLab(t, supervise.Options{})
	k := kept(t)
	l.put(l.path(), 0, 1)
	c := l.child(k)
	l.ok(c.Process.Kill())
	c.Wait()
	l.put(l.path(), 1, 2)
	between := l.stepper(l.path())
	between.step("")
	l.put(l.path(), 2, 3)

	l.ok(l.s.Close())
	before := l.truth.Calls()
	l.again(k)
	l.await("gap", func(e supervise.Event) bool {
		g, ok := e.(supervise.Gap)
		return ok && len(g.PIDs) == 1 && g.PIDs[0] == between.cmd.Process.Pid
	})
	between.step("")
	l.once(l.path())
	got, now := l.counted(), l.truth.Calls()
	for i := range got {
		if got[i] != now[i]-before[i] {
			t.Errorf("counted %v, called %v and before %v", got, now, before)
			break
		}
	}
}

// What was rewritten in place while nobody looked has its new content probed.
func TestRewrittenMeanwhile(t *testing.T) {
	l := newLab(t, supervise.Options{})
	k := kept(t)
	l.put(l.path(), 0, 1)
	c := l.child(k)
	l.once(l.path())
	counted := l.truth.Calls()
	l.ok(c.Process.Kill())
	c.Wait()
	if out, err := exec.Command("cp", l.library(0, 2), l.path()).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	l.ok(l.s.Close())
	l.again(k)
	l.await("gap", func(e supervise.Event) bool { _, ok := e.(supervise.Gap); return ok })
	if got := l.counted(); got != counted {
		t.Errorf("counted %v, called %v", got, counted)
	}
	l.once(l.path())
	l.exact()
}
