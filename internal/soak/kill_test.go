//go:build linux && (amd64 || arm64)

package soak

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/surehook/surehook/supervise"
)

const (
	childVar = "SUREHOOK_SOAK_CHILD"
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(childVar); dir != "" {
		loadUntilKilled(dir)
	}
	os.Exit(m.Run())
}

func needsCompiler(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("gcc"); err != nil {
		t.Skip("no gcc")
	}
}

// TestKill kills the daemon six times, at all kinds of moments.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("takes some 10 s")
	}
	needsCompiler(t)
	s, err := supervise.New(supervise.Options{NoGap: true})
	if err != nil {
		t.Skip(err)
	}
	s.Close()
	dir := t.TempDir()
	program, err := BuildDaemon(dir)
	if err != nil {
		t.Fatal(err)
	}
	k, err := Kill(Options{Dir: dir, N: 45, Seed: 1, Pause: 80 * time.Millisecond}, program, 6)
	if err != nil {
		t.Fatal(err)
	}
	t.Log(k)
	for _, f := range k.Faults() {
		t.Error(f)
	}
	if k.Kills < 3 || k.Counted[0] == 0 {
		t.Errorf("%d kills, %d counted: the test tests nothing", k.Kills, k.Counted[0])
	}
	if t.Failed() {
		log, _ := os.ReadFile(filepath.Join(dir, "daemon/log"))
		t.Logf("%s", log)
	}
}

// TestKilledItself: callers do not outlive who has started them.
func TestKilledItself(t *testing.T) {
	needsCompiler(t)
	dir := t.TempDir()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), childVar+"="+dir)
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	// Those that go on call a child of theirs to do it.
	callers := func(wanted func(int) bool) {
		t.Helper()
		for end := time.Now().Add(20 * time.Second); !wanted(runs(t, filepath.Join(dir, "caller"))); time.Sleep(10 * time.Millisecond) {
			if time.Now().After(end) {
				t.Fatalf("%d callers run", runs(t, filepath.Join(dir, "caller")))
			}
		}
	}
	callers(func(n int) bool { return n >= 6 })
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // "signal: killed"
	callers(func(n int) bool { return n == 0 })
}

func runs(t *testing.T, program string) (n int) {
	t.Helper()
	programs, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range programs {
		if exe, err := os.Readlink(p); err == nil && exe == program {
			n++
		}
	}
	return n
}

// nobody counts.
type nobody struct{}

func (nobody) Calls() (Calls, error) { return Calls{}, nil }
func (nobody) Close() error          { return nil }

func loadUntilKilled(dir string) {
	_, err := Run(Options{Dir: dir, N: 1, Ways: []Way{Rename}, Pause: time.Hour, Count: func(string) (Counter, error) { return nobody{}, nil }})
	panic(err) // an hour is enough
}
