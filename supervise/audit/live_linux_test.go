package audit

import (
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/running"
)

// victim is a library with a function f and a program that calls it for ever.
type victim struct{ dir, library, program string }

func in(dir string) victim {
	return victim{dir, filepath.Join(dir, "libf.so"), filepath.Join(dir, "loop")}
}

func option(name string) string { return flag.Lookup(name).Value.String() }

// Package vmsuite has the programs built on one machine (-keep) and takes them
// on another (-built).
func TestMain(m *testing.M) {
	flag.String("keep", "", "build the programs in this directory and do no more")
	flag.String("built", "", "take the programs from there: where no compilers are")
	cc := flag.String("cc", "gcc", "the compiler for -keep")
	flag.Parse()
	if dir := option("keep"); dir != "" {
		if err := errors.Join(os.MkdirAll(dir, 0o755), in(dir).compile(*cc)); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	os.Exit(m.Run())
}

func build(t *testing.T) victim {
	t.Helper()
	x := in(t.TempDir())
	if built := option("built"); built != "" {
		if _, err := os.Stat(built); err != nil {
			t.Skip("its programs were not built: no compiler")
		}
		if err := os.CopyFS(x.dir, os.DirFS(built)); err != nil {
			t.Fatal(err)
		}
		return x
	}
	gcc, err := exec.LookPath("gcc")
	if err != nil {
		t.Skip("gcc is not here")
	}
	if err := x.compile(gcc); err != nil {
		t.Fatal(err)
	}
	return x
}

func (x victim) compile(cc string) error {
	for name, text := range map[string]string{
		"f.c":    "int f(int x) { return 3 * x; }\n",
		"loop.c": "#include <stdio.h>\n#include <unistd.h>\nint f(int);\nint main(void) { f(1); puts(\"on\"); fflush(stdout); for (;;) { f(1); usleep(1000); } }\n",
	} {
		if err := os.WriteFile(filepath.Join(x.dir, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"-O1", "-g", "-shared", "-fPIC", "-o", x.library, filepath.Join(x.dir, "f.c")},
		{"-O1", "-Wl,-rpath,$ORIGIN", "-o", x.program, filepath.Join(x.dir, "loop.c"), "-L" + x.dir, "-l:libf.so"},
	} {
		if out, err := exec.Command(cc, args...).CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w\n%s", cc, err, out)
		}
	}
	return nil
}

// start runs the program until the test ends, and gives its number once it has
// called f.
func (x victim) start(t *testing.T) int {
	t.Helper()
	cmd := exec.Command(x.program)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	if _, err := out.Read(make([]byte, 3)); err != nil {
		t.Fatal(err)
	}
	return cmd.Process.Pid
}

// replace puts another file with the same content in the library's place.
func (x victim) replace(t *testing.T) {
	t.Helper()
	data, err := os.ReadFile(x.library)
	if err == nil {
		err = os.WriteFile(x.library+".new", data, 0o755)
	}
	if err = errors.Join(err, os.Rename(x.library+".new", x.library)); err != nil {
		t.Fatal(err)
	}
}

// probesOf gives the probes of an owner on the library.
func (x victim) probesOf(t *testing.T, pid int) []Probe {
	t.Helper()
	inv, err := running.Read(running.Options{})
	if errors.Is(err, running.ErrNotPermitted) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	all, _, err := Probes(inv)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(p Probe) bool {
		return !slices.ContainsFunc(p.Attachment.Owners, func(o running.Owner) bool { return o.PID == pid })
	})
	here := slices.DeleteFunc(slices.Clone(all), func(p Probe) bool { return p.File.Path != x.library })
	if len(here) == 0 && len(all) > 0 && all[0].State == NotKnown { // a perf event
		t.Skip(all[0].Why)
	}
	return here
}

func pids(ps []Process) (out []int) {
	for _, p := range ps {
		out = append(out, p.PID)
	}
	return out
}

// expect compares what is told of the only probe of an owner.
func (x victim) expect(t *testing.T, owner int, state State, without, old []int, rule check.Code) {
	t.Helper()
	ps := x.probesOf(t, owner)
	if len(ps) != 1 {
		t.Fatalf("%d probes: %+v", len(ps), ps)
	}
	p := ps[0]
	f, _ := p.Finding()
	if p.State != state || !slices.Equal(pids(p.Without), without) || !slices.Equal(pids(p.Old), old) || f.Rule != rule {
		t.Errorf("%s (%s), without %v, old %v, %s\nwant %s, %v, %v, %s", p.State, p.Why, p.Without, p.Old, f.Rule, state, without, old, rule)
	}
}

func TestReplaced(t *testing.T) {
	x := build(t)
	x.probesOf(t, os.Getpid()) // skips where that is not permitted
	files := target.NewAnalyzer(target.Options{Root: os.DirFS("/")})
	defer files.Close()
	found, err := files.Resolve("uprobe:" + x.library + ":f")
	if err != nil {
		t.Fatal(err)
	}
	session, err := live.Open(found.Results, live.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer session.Close()
	first := x.start(t)
	x.expect(t, os.Getpid(), Current, nil, nil, mountRule(t, x))
	x.replace(t)
	second := x.start(t)
	x.expect(t, os.Getpid(), Gone, []int{second}, []int{first}, check.SH310)
}

// mountRule is what a probe on a file that is not on the root's mount has.
func mountRule(t *testing.T, x victim) check.Code {
	t.Helper()
	mounts, err := readMounts()
	if err != nil {
		t.Fatal(err)
	}
	a := auditor{mounts: mounts, at: map[place]int{}}
	f := a.open(&Probe{File: running.File{Path: x.library}})
	defer f.close()
	if a.mountOf(f) != "" {
		return check.SH312
	}
	return ""
}

// The kernel tells only the path that bpftrace gave: what is said of its probe
// comes from looking into the file.
func TestReplacedUnderBpftrace(t *testing.T) {
	bpftrace, err := exec.LookPath("bpftrace")
	if err != nil {
		t.Skip("bpftrace is not here")
	}
	x := build(t)
	cmd := exec.Command(bpftrace, "-e", "uprobe:"+x.library+":f { @ = count(); }")
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }) // an interrupt is not heard while it starts
	// bpftrace says that it is about to attach, not that it has.
	for until := time.Now().Add(20 * time.Second); len(x.probesOf(t, cmd.Process.Pid)) == 0; {
		if time.Now().After(until) {
			t.Skip("bpftrace does not attach here")
		}
		time.Sleep(20 * time.Millisecond)
	}
	first := x.start(t)
	x.expect(t, cmd.Process.Pid, Current, nil, nil, mountRule(t, x))
	x.replace(t)
	second := x.start(t)
	x.expect(t, cmd.Process.Pid, Gone, []int{second}, []int{first}, check.SH310)
}
