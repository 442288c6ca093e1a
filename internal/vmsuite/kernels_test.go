package vmsuite

import (
	"context"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/surehook/surehook/internal/vmtest"
)

func TestMain(m *testing.M) {
	flag.Bool("update", false, "rewrite docs/vmtest.md")
	flag.Parse()
	os.Exit(m.Run())
}

// column is what came of one kernel.
type column struct {
	kernel  vmtest.Kernel
	release string
	results map[string][]vmtest.TestResult // by suite
}

// TestKernels runs the suites on the kernels.
func TestKernels(t *testing.T) {
	asked := os.Getenv("SUREHOOK_VM")
	if asked == "" {
		t.Skip("virtual machines: emulation is slow; SUREHOOK_VM=1 or make test")
	}
	contents, missing := map[string][]vmtest.File{}, map[string]error{}
	var kernels []vmtest.Kernel
	for _, k := range vmtest.Kernels() {
		if !wanted(k, asked) {
			continue
		}
		kernels = append(kernels, k)
		if contents[k.Arch] != nil || missing[k.Arch] != nil {
			continue
		}
		list, err := files(context.Background(), t, k.Arch, suitesFor(asked))
		if err != nil && !errors.Is(err, vmtest.ErrMissing) {
			t.Fatal(err)
		}
		contents[k.Arch], missing[k.Arch] = list, err
	}
	columns := make([]*column, len(kernels))
	// The group ends when all have run.
	t.Run("on", func(t *testing.T) {
		for i, k := range kernels {
			t.Run(k.Name(), func(t *testing.T) {
				t.Parallel()
				if err := missing[k.Arch]; err != nil {
					t.Skip(err)
				}
				columns[i] = runOn(t, k, suitesFor(asked), contents[k.Arch])
			})
		}
	})
	check(t, columns)
}

// wanted tells whether SUREHOOK_VM asks for a kernel: 1, all, or its name.
func wanted(k vmtest.Kernel, asked string) bool {
	return asked == "all" || asked == k.Name() || asked == "1" && !k.Extra
}

// runOn runs suites on one kernel.
func runOn(t *testing.T, k vmtest.Kernel, list []suite, contents []vmtest.File) *column {
	ctx := context.Background()
	cache, err := vmtest.CacheDir()
	if err != nil {
		t.Fatal(err)
	}
	image, err := k.Fetch(ctx, cache)
	if errors.Is(err, vmtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	job := vmtest.Job{Files: contents, Cmdline: []string{"surehook.unused=1"}, Collect: machineFiles()}
	if image.HasModules() {
		job.Modules = []string{"xfs", "overlay"}
	}
	for _, s := range list {
		job.Steps = append(job.Steps, s.step())
	}
	out, err := image.Run(ctx, job)
	if errors.Is(err, vmtest.ErrMissing) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	checkMachine(t, image, out)
	c := &column{kernel: k, release: out.Kernel, results: map[string][]vmtest.TestResult{}}
	passed := 0
	for i, s := range list {
		c.results[s.pkg] = vmtest.ParseTests(out.Steps[i].Stdout)
		passed += report(t, s, c.results[s.pkg], out.Steps[i])
	}
	if passed == 0 {
		t.Error("nothing ran: all tests were skipped")
	}
	return c
}

// report makes subtests of the tests that ran in the machine and gives the
// number of those that passed. What has subtests counts by them.
func report(t *testing.T, s suite, results []vmtest.TestResult, d vmtest.Done) (passed int) {
	failed := false
	for _, r := range leaves(results) {
		t.Run(s.pkg+"/"+r.Name, func(t *testing.T) {
			switch r.Status {
			case vmtest.Pass:
				passed++
			case vmtest.Skip:
				t.Skip(r.Reason())
			default:
				failed = true
				t.Error(r.Output)
			}
		})
	}
	if d.Exit != 0 && !failed || len(results) == 0 {
		t.Errorf("%s: %d tests, exit %d %s\n%s\n%s", s.pkg, len(results), d.Exit, d.Error, tail(d.Stdout), tail(d.Stderr))
	}
	return passed
}

// leaves are the results that stand for others: of tests without subtests,
// and of tests that failed by themselves.
func leaves(results []vmtest.TestResult) []vmtest.TestResult {
	children, failed := map[string]int{}, map[string]bool{}
	for _, r := range results {
		for i, c := range r.Name {
			if c == '/' {
				children[r.Name[:i]]++
				failed[r.Name[:i]] = failed[r.Name[:i]] || r.Status == vmtest.Fail
			}
		}
	}
	var out []vmtest.TestResult
	for _, r := range results {
		if children[r.Name] == 0 || r.Status == vmtest.Fail && !failed[r.Name] {
			out = append(out, r)
		}
	}
	return out
}

// tail keeps messages short.
func tail(b []byte) string {
	const most = 4000
	if len(b) > most {
		return "... " + string(b[len(b)-most:])
	}
	return string(b)
}

// machineFiles are what checkMachine looks at.
func machineFiles() []string {
	return []string{"/proc/cmdline", "/proc/filesystems", "/proc/mounts"}
}

// checkMachine checks that a machine has what tests expect of it.
func checkMachine(t *testing.T, i *vmtest.Image, out *vmtest.Outcome) {
	want := map[string][]string{
		"/proc/cmdline": {"surehook.unused=1"},
		"/proc/mounts":  {"/sys/kernel/tracing ", "/sys/kernel/debug ", "/sys/fs/bpf ", "/sys/kernel/security ", "/sys/fs/cgroup cgroup2"},
	}
	if i.HasModules() {
		want["/proc/filesystems"] = []string{"\txfs\n", "\toverlay\n"}
	}
	for file, words := range want {
		for _, w := range words {
			if !strings.Contains(string(out.Files[file]), w) {
				t.Errorf("no %q in %s: %s", w, file, out.Files[file])
			}
		}
	}
}

// check compares the columns with the page, or writes it.
func check(t *testing.T, columns []*column) {
	var ran []*column
	for _, c := range columns {
		if c != nil {
			ran = append(ran, c)
		}
	}
	if len(ran) == 0 {
		// An offline machine may skip; where changes are accepted, something
		// must have run.
		if os.Getenv("CI") != "" {
			t.Fatal("no kernel ran: see the skips above")
		}
		t.Skip("no kernel ran: see the skips above")
	}
	checkClaims(t, ran)
	fresh := render(ran)
	if flag.Lookup("update").Value.String() == "true" {
		if len(ran) < len(vmtest.Kernels()) {
			t.Fatalf("-update needs all %d kernels, %d ran: make vmtest", len(vmtest.Kernels()), len(ran))
		}
		if err := os.WriteFile(pagePath, []byte(fresh), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	old := readPage(t)
	for _, c := range ran {
		for row, cell := range c.cells() {
			if have := old.cells[c.kernel.Name()][row]; have != cell && cell != notBuilt {
				t.Errorf("%s: %s on %s is now %q, the page has %q; make vmtest", pagePath, row, c.release, cell, have)
			}
		}
	}
}
