//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/soak"
	"github.com/surehook/surehook/supervise"
)

// lab is a directory with a library in it that is supervised.
type lab struct {
	*testing.T
	kit   *soak.Kit
	truth *soak.Truth
	dir   string // where the library is
	s     *supervise.Supervisor

	mu     sync.Mutex
	events []supervise.Event
	more   chan struct{}
}

// makeKit has the programs. Package vmsuite has them built on one machine
// (-keep) and takes them on another (-built).
var makeKit = sync.OnceValues(func() (*soak.Kit, error) {
	if built := option("built"); built != "" {
		return soak.OpenKit(built), nil
	}
	dir, err := os.MkdirTemp("", "surehook-supervise")
	if err != nil {
		return nil, err
	}
	return soak.NewKit(dir)
})

func option(name string) string { return flag.Lookup(name).Value.String() }

// versions is how many the tests need.
const versions = 6

// keep builds everything that the tests need.
func keep(dir, cc string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	kit, err := soak.CrossKit(dir, cc)
	for layout := range soak.Layouts {
		for v := range versions {
			if err == nil {
				_, err = kit.Library(layout, v+1)
			}
		}
	}
	return err
}

func TestMain(m *testing.M) {
	if os.Getenv(childVar) != "" {
		os.Exit(superviseUntilKilled())
	}
	if path := os.Getenv(sharedVar); path != "" {
		os.Exit(mapShared(path))
	}
	flag.String("keep", "", "build the programs in this directory and do no more")
	flag.String("built", "", "take the programs from there: where no compilers are")
	cc := flag.String("cc", "gcc", "the compiler for -keep")
	flag.Parse()
	if dir := option("keep"); dir != "" {
		if err := keep(dir, *cc); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if kit, err := makeKit(); err == nil && option("built") == "" {
		os.RemoveAll(kit.Dir)
	}
	os.Exit(code)
}

func newLab(t *testing.T, opts supervise.Options) *lab {
	t.Helper()
	if built := option("built"); built != "" {
		if _, err := os.Stat(built); err != nil {
			t.Skip("its programs were not built: no compiler")
		}
	} else if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
	kit, err := makeKit()
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{T: t, kit: kit, dir: t.TempDir(), more: make(chan struct{}, 1)}
	opts.Notify = l.note
	if l.truth, err = soak.NewTruth(filepath.Join(t.TempDir(), "truth")); err != nil {
		t.Fatal(err)
	}
	l.s, err = supervise.New(opts)
	if errors.Is(err, attach.ErrNotPermitted) || errors.Is(err, attach.ErrNotSupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := l.s.Close(); err != nil {
			t.Error(err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if t.Failed() {
			for _, e := range l.events {
				t.Logf("%s %T %v", e.At().Format("05.000000"), e, e)
			}
		}
	})
	return l
}

func (l *lab) note(e supervise.Event) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.events = append(l.events, e)
	select {
	case l.more <- struct{}{}:
	default:
	}
}

// both runs a test with and without gaps.
func both(t *testing.T, f func(t *testing.T, noGap bool)) {
	for _, noGap := range []bool{true, false} {
		name := "inotify"
		if noGap {
			name = "fanotify"
		}
		t.Run(name, func(t *testing.T) { f(t, noGap) })
	}
}

func (l *lab) ok(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *lab) path() string { return filepath.Join(l.dir, "libx.so") }

func (l *lab) library(layout, version int) string {
	l.Helper()
	path, err := l.kit.Library(layout, version)
	l.ok(err)
	return path
}

// put makes a copy of a library, which then is renamed to where it belongs.
func (l *lab) put(path string, layout, version int) {
	l.Helper()
	data, err := os.ReadFile(l.library(layout, version))
	l.ok(err)
	l.ok(os.WriteFile(path+".new", data, 0o644))
	l.ok(os.Rename(path+".new", path))
}

// add supervises all functions of the library at path.
func (l *lab) add(path string) []supervise.ID {
	l.Helper()
	var ids []supervise.ID
	for _, f := range soak.Functions() {
		h, err := hook.Parse("uprobe:" + path + ":" + f)
		l.ok(err)
		id, err := l.s.Add(h)
		l.ok(err)
		ids = append(ids, id)
	}
	return ids
}

// once lets a process call each function once; round 3 has small twice.
func (l *lab) once(path string) {
	l.Helper()
	out, err := exec.Command(l.kit.Caller, path, l.truth.Path, "once", "2").CombinedOutput()
	if err != nil {
		l.Fatalf("caller: %v\n%s", err, out)
	}
}

func (l *lab) counted() soak.Calls {
	l.Helper()
	st, err := l.s.State()
	l.ok(err)
	var c soak.Calls
	for i := range c {
		c[i] = st.Hooks[i].Executions
	}
	return c
}

// exact wants everything counted.
func (l *lab) exact() {
	l.Helper()
	if got, want := l.counted(), l.truth.Calls(); got != want {
		l.Errorf("counted %v, called %v", got, want)
	}
	if n := l.truth.Wrong(); n != 0 {
		l.Errorf("%d results are wrong", n)
	}
}

// await waits for an event.
func (l *lab) await(what string, is func(supervise.Event) bool) {
	l.Helper()
	timeout := time.After(30 * time.Second)
	for from := 0; ; {
		l.mu.Lock()
		list := l.events[from:]
		from = len(l.events)
		l.mu.Unlock()
		for _, e := range list {
			if is(e) {
				return
			}
		}
		select {
		case <-l.more:
		case <-timeout:
			l.Fatalf("%s: did not come", what)
		}
	}
}

// attached waits until n builds were attached.
func (l *lab) attached(n int) {
	l.Helper()
	seen := 0
	l.await(fmt.Sprintf("attached %d times", n), func(e supervise.Event) bool {
		if _, ok := e.(supervise.Attached); ok {
			seen++
		}
		return seen >= n
	})
}

// stepper is a process that runs until its end, a round when told to.
type stepper struct {
	l   *lab
	cmd *exec.Cmd
	in  *bufio.Writer
	out *bufio.Reader
}

func (l *lab) stepper(path string) *stepper {
	l.Helper()
	return l.steps(exec.Command(l.kit.Caller, path, l.truth.Path, "step", "0"))
}

func (l *lab) steps(cmd *exec.Cmd) *stepper {
	l.Helper()
	in, err := cmd.StdinPipe()
	l.ok(err)
	out, err := cmd.StdoutPipe()
	l.ok(err)
	l.ok(cmd.Start())
	l.Cleanup(func() { in.Close(); cmd.Wait() })
	return &stepper{l, cmd, bufio.NewWriter(in), bufio.NewReader(out)}
}

// step does a round and gives the version of the library; 0: it is none.
func (p *stepper) step(command string) int {
	p.l.Helper()
	fmt.Fprintln(p.in, command)
	p.in.Flush()
	line, err := p.out.ReadString('\n')
	if err != nil {
		p.l.Fatalf("the caller has ended: %v, %v", err, p.cmd.Wait())
	}
	v, _ := strconv.Atoi(strings.TrimSpace(line))
	return v
}

func TestReplace(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path(), 0, 1)
		l.add(l.path())
		old := l.stepper(l.path())
		old.step("")
		l.once(l.path())
		l.exact()
		for i := range 3 {
			l.put(l.path(), i+1, 2+i)
			if !noGap {
				l.attached(2 + i)
			}
			l.once(l.path())
			old.step("") // in the old file
		}
		l.exact()
		if st, _ := l.s.State(); len(st.Hooks[0].Builds) != 4 || st.Hooks[0].Replaced != 3 {
			t.Errorf("%+v", st.Hooks[0])
		}
	})
}

func TestInPlace(t *testing.T) {
	both(t, func(t *testing.T, noGap bool) {
		l := newLab(t, supervise.Options{NoGap: noGap})
		l.put(l.path(), 0, 1)
		l.add(l.path())
		old := l.stepper(l.path())
		old.step("")
		for v := 2; v < 5; v++ {
			n := len(l.all())
			if out, err := exec.Command("cp", l.library(0, v), l.path()).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if !noGap {
				l.awaitFrom(n, "attached again", func(e supervise.Event) bool { _, ok := e.(supervise.Attached); return ok })
			}
			l.once(l.path())
			if got := old.step(""); got != soak.Number(v) {
				t.Errorf("the process has version %d, want %d", got, v)
			}
		}
		l.exact()
	})
}

func (l *lab) all() []supervise.Event {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.events
}

func (l *lab) awaitFrom(from int, what string, is func(supervise.Event) bool) {
	l.Helper()
	skip := from
	l.await(what, func(e supervise.Event) bool {
		if skip > 0 {
			skip--
			return false
		}
		return is(e)
	})
}
