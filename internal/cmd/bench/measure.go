package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/sites"
)

// The targets.
const (
	maxIndexRatio  = 1.2         // whole index, by perf's time for one symbol
	maxIndexMemory = 500_000_000 // bytes of the same process at its peak
	minLookupRatio = 20.0        // perf's time by that of one function from the remembered index
	maxAttach      = 500 * time.Millisecond
	maxFleet       = time.Second // 50 hooks on all kernels of the atlas
	maxFleetMemory = 300_000_000 // bytes of that process at its peak
)

// index reads the whole inline index of a file, as the first question about it
// does, without a cache.
func index(path string) error {
	f, err := elfbin.Open(path)
	if err != nil {
		return err
	}
	b, err := sites.New(f, sites.Options{})
	if err != nil {
		return err
	}
	return b.Close()
}

// command is one that is measured.
type command struct {
	name string
	args []string
	env  []string

	times  []time.Duration
	cpu    []time.Duration // user and system
	memory int64           // bytes, of the largest run
}

// run runs the command once.
func (c *command) run(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, c.args[0], c.args[1:]...)
	// No debuginfod: it would measure the network.
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=/nonexistent", "LC_ALL=C", "DEBUGINFOD_URLS="}, c.env...)
	begin := time.Now()
	out, err := cmd.CombinedOutput()
	took := time.Since(begin)
	if err != nil {
		return fmt.Errorf("%s: %w: %s", strings.Join(c.args, " "), err, strings.TrimSpace(string(out)))
	}
	c.times = append(c.times, took)
	if u, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		c.memory = max(c.memory, int64(u.Maxrss)<<10) // KiB on Linux
		c.cpu = append(c.cpu, time.Duration(u.Utime.Nano()+u.Stime.Nano()))
	}
	return nil
}

// median is the middle time of all runs.
func (c *command) median() time.Duration { return middle(c.times) }

func middle(times []time.Duration) time.Duration {
	if len(times) == 0 {
		return 0
	}
	return slices.Sorted(slices.Values(times))[len(times)/2]
}

func (c *command) fastest() time.Duration { return slices.Min(c.times) }

// kernel measures the commands that read the kernel, in turns.
func (r *report) kernel(ctx context.Context, vmlinux, work string, rounds int) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	surehook, err := build(ctx, work)
	if err != nil {
		return err
	}
	perf := &command{name: "perf probe, one symbol", args: []string{"perf", "probe", "-k", vmlinux, "-D", function}}
	whole := &command{name: "surehook, whole index", args: []string{self, "-index", vmlinux}}
	one := &command{
		name: "surehook sites, one function, remembered", args: []string{surehook, "sites", "uprobe:" + vmlinux + ":" + function},
		env: []string{"XDG_CACHE_HOME=" + filepath.Join(work, "cache")},
	}
	commands := []*command{perf, whole, one}
	if _, err := exec.LookPath("perf"); errors.Is(err, exec.ErrNotFound) {
		r.missing = append(r.missing, "ratios: perf is not installed (apt-get install linux-perf)")
		perf, commands = nil, commands[1:]
	}
	if err := r.turns(ctx, rounds, commands); err != nil {
		return err
	}
	r.judge(perf, whole, one)
	return nil
}

// build builds the command.
func build(ctx context.Context, work string) (string, error) {
	surehook := filepath.Join(work, "surehook")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", surehook, "./cmd/surehook").CombinedOutput(); err != nil {
		return "", fmt.Errorf("building surehook: %w: %s", err, out)
	}
	return surehook, nil
}

// turns runs commands one after the other, again and again.
func (r *report) turns(ctx context.Context, rounds int, commands []*command) error {
	for i := range rounds + 1 {
		for _, c := range commands {
			if err := c.run(ctx); err != nil {
				return err
			}
			if i == 0 { // fills the page cache and the index's
				c.times, c.cpu, c.memory = nil, nil, 0
			}
		}
	}
	r.commands = append(r.commands, commands...)
	return nil
}

// judge compares with the targets.
func (r *report) judge(perf, whole, one *command) {
	if perf != nil {
		ratio := whole.median().Seconds() / perf.median().Seconds()
		r.add(ratio <= maxIndexRatio, "whole index: %.2f times perf's time for one symbol (target: at most %.1f)", ratio, maxIndexRatio)
		ratio = perf.median().Seconds() / one.median().Seconds()
		r.add(ratio >= minLookupRatio, "one function, remembered: %.1f times faster than perf (target: at least %.0f)", ratio, minLookupRatio)
	}
	r.add(whole.memory < maxIndexMemory, "whole index: %d MB of memory at its peak (target: below %d)", whole.memory/1e6, maxIndexMemory/int64(1e6))
}

// report is everything measured.
type report struct {
	commands []*command
	missing  []string // what was not measured, and why
	results  []result
}

type result struct {
	met  bool
	text string
}

func (r *report) add(met bool, format string, args ...any) {
	r.results = append(r.results, result{met, fmt.Sprintf(format, args...)})
}

// print writes the report and tells whether a target is missed.
func (r *report) print(w io.Writer) (missed bool) {
	fmt.Fprintf(w, "%-42s %10s %10s %10s %10s\n", "", "median", "fastest", "processor", "memory")
	for _, c := range r.commands {
		fmt.Fprintf(w, "%-42s %7.0f ms %7.0f ms %7.0f ms %7d MB\n",
			c.name, c.median().Seconds()*1e3, c.fastest().Seconds()*1e3, middle(c.cpu).Seconds()*1e3, c.memory/1e6)
	}
	for _, text := range r.missing {
		fmt.Fprintln(w, "NOT MEASURED", text)
	}
	for _, result := range r.results {
		word := "ok          "
		if !result.met {
			word, missed = "BELOW TARGET", true
		}
		fmt.Fprintln(w, word, result.text)
	}
	return missed
}
