package misses_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/surehook/surehook/internal/vmtest"
)

// TestContendedKernels plays the scenes with a contended lock on kernels with
// four processors: a lock that spins passes its event when a third one waits.
func TestContendedKernels(t *testing.T) {
	asked := os.Getenv("SUREHOOK_VM")
	if asked == "" {
		t.Skip("virtual machines: emulation is slow; SUREHOOK_VM=1 or make test")
	}
	const (
		printk  = "the lock of bpf_trace_printk: /proc/kallsyms has no trace_printk_lock"
		signals = `: shown: tracepoint:task:task_rename: the lock of the process's signals.*: [1-9]\d* of [1-9]`
	)
	for _, c := range []struct {
		kernel string
		each   bool // with SUREHOOK_VM=1
		status vmtest.Status
		says   []string // expressions
	}{
		{"5.10 amd64", false, vmtest.Skip, []string{"lock:contention_begin: this kernel has no such hook"}},
		{"6.1 amd64", true, vmtest.Pass, []string{printk, signals}},
		{"6.12 amd64", false, vmtest.Pass, []string{printk, signals}},
		{"7.0 amd64", false, vmtest.Pass, []string{printk, signals}},
		{"7.3 amd64", true, vmtest.Pass, []string{printk, signals}},
		{"6.12 arm64", false, vmtest.Pass, []string{printk, signals}},
	} {
		if asked == "1" && !c.each || asked != "1" && asked != "all" && asked != c.kernel {
			continue
		}
		t.Run(c.kernel, func(t *testing.T) {
			r := play(t, c.kernel)
			t.Log(r.Output)
			if r.Status != c.status {
				t.Errorf("%s, want %s", r.Status, c.status)
			}
			for _, e := range c.says {
				if !regexp.MustCompile(e).MatchString(r.Output) {
					t.Errorf("no %q in the output", e)
				}
			}
		})
	}
}

// play runs TestContended on a kernel.
func play(t *testing.T, name string) vmtest.TestResult {
	t.Helper()
	ctx := context.Background()
	for _, k := range vmtest.Kernels() {
		if k.Name() != name {
			continue
		}
		bin := filepath.Join(t.TempDir(), "misses.test")
		if err := vmtest.BuildTest(ctx, k.Arch, "github.com/surehook/surehook/misses", bin); err != nil {
			t.Fatal(err)
		}
		out, err := k.Run(ctx, vmtest.Job{
			Files:   []vmtest.File{{Name: "/t/misses.test", From: bin}},
			Cmdline: []string{"no_timer_check"},
			CPUs:    4,
			Steps:   []vmtest.Step{{Args: append([]string{"/t/misses.test", "-test.run=^TestContended$"}, vmtest.TestArgs()...), Dir: "/t", Seconds: 240}},
		})
		if errors.Is(err, vmtest.ErrMissing) {
			t.Skip(err)
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range vmtest.ParseTests(out.Steps[0].Stdout) {
			if r.Name == "TestContended" {
				return r
			}
		}
		t.Fatalf("the test did not run: %s %s", out.Steps[0].Error, strings.TrimSpace(string(out.Steps[0].Stderr)))
	}
	t.Fatalf("no kernel %s", name)
	return vmtest.TestResult{}
}
