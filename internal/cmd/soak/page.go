//go:build linux && (amd64 || arm64)

package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"

	"github.com/surehook/surehook/internal/soak"
)

// The part of the page that is made here lies between these.
const (
	pageBegin = "<!-- make soak writes from here -->\n"
	pageEnd   = "<!-- to here -->\n"
)

// page does all runs and writes them down.
func (f flags) page() error {
	old, err := os.ReadFile(f.out)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(old), pageBegin)
	_, after, ok2 := strings.Cut(rest, pageEnd)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no part for this: %q and %q", f.out, pageBegin, pageEnd)
	}
	var b bytes.Buffer
	if err := f.write(&b); err != nil {
		return err
	}
	return os.WriteFile(f.out, []byte(before+pageBegin+b.String()+pageEnd+after), 0o644)
}

func (f flags) write(b *bytes.Buffer) error {
	runs := []struct {
		title string
		flags
	}{
		{"surehook, no gap", f.as("surehook", false)},
		{"surehook", f.as("surehook", true)},
		{"a naive re-attacher", f.as("naive", false).fewer()},
		{"bpftrace", f.as("bpftrace", false).fewer()},
	}
	fmt.Fprintf(b, "\n%s\n\n", machine())
	fmt.Fprintf(b, "| | replaced | called | counted | lost | gaps told | called in new builds meanwhile | results wrong | processes, crashed | attached after, p50 | p99 | max |\n")
	fmt.Fprintf(b, "|---|---|---|---|---|---|---|---|---|---|---|---|\n")
	var first *result
	for _, run := range runs {
		if run.by == "bpftrace" && !soak.HasBpftrace(context.Background()) {
			continue
		}
		r, err := run.one()
		if err != nil {
			return fmt.Errorf("%s: %w", run.title, err)
		}
		fmt.Fprintf(os.Stderr, "%s:\n", run.title)
		r.print(os.Stderr)
		if first == nil {
			first = r
		}
		b.WriteString(row(run.title, r))
	}
	b.WriteString("\n")
	for _, w := range soak.Ways() {
		fmt.Fprintf(b, "- %s: %d times in the first run\n", w, first.Replaced[w])
	}
	if err := f.writeKilled(b); err != nil {
		return err
	}
	for _, mode := range []struct {
		what string
		args []string
	}{
		{"no gap", nil}, {"with gaps", []string{"-gap"}}, {"no gap and in 20 containers", []string{"-containers", "20"}},
	} {
		// Alone in a process of its own.
		self, err := os.Executable()
		if err != nil {
			return err
		}
		out, err := exec.Command(self, append([]string{"-idle", "200"}, mode.args...)...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
		fmt.Fprintf(b, "\nAt rest, %s: %s", mode.what, out)
	}
	b.WriteString("\n")
	return nil
}

// The run in which the daemon is killed.
const (
	killedN = 300
	kills   = 50
)

// writeKilled does that run. What must not be is an error, so that the page never says it.
func (f flags) writeKilled(b *bytes.Buffer) error {
	f.n, f.kills = killedN, kills
	k, err := f.kill()
	if err != nil {
		return fmt.Errorf("the daemon killed: %w", err)
	}
	fmt.Fprintf(os.Stderr, "the daemon killed:\n%s", k)
	fmt.Fprintf(b, "\nThe daemon killed %d times within %d replacements, with no gap and with pins:\n\n%s", k.Kills, killedN, killedList(k))
	if faults := k.Faults(); len(faults) > 0 {
		return fmt.Errorf("the daemon killed: %s", strings.Join(faults, "; "))
	}
	return nil
}

func killedList(k *soak.Killed) string {
	var b strings.Builder
	var moments []string
	for _, m := range soak.Moments() {
		if n := k.While[m]; n > 0 {
			moments = append(moments, fmt.Sprintf("%d %s", n, m))
		}
	}
	fmt.Fprintf(&b, "- killed: %s\n", strings.Join(moments, ", "))
	fmt.Fprintf(&b, "- every caller went on within %d ms of a kill; the longest that one stood still was %d ms\n", k.GoesOn().Milliseconds(), k.Standstill().Milliseconds())
	fmt.Fprintf(&b, "- %d called, %d lost; %d were called in the %.1f s in which no daemon was ready\n", k.Called(), k.Lost(), k.In(k.Down), k.DownTime().Seconds())
	fmt.Fprintf(&b, "- results wrong: %d in that time, %d at others; processes crashed: %d in that time, %d at others\n",
		k.WrongMeanwhile(), k.Wrong-k.WrongMeanwhile(), k.CrashedMeanwhile(), k.Crashed-k.CrashedMeanwhile())
	fmt.Fprintf(&b, "- counters went down or exceeded the truth: %d times; left behind in the end: %d\n", len(k.Counters), len(k.Left))
	return b.String()
}

func (f flags) as(by string, gap bool) flags {
	f.by, f.gap, f.out = by, gap, ""
	return f
}

// fewer is enough to see what other tools lose.
func (f flags) fewer() flags {
	f.n /= 5
	return f
}

func row(title string, r *result) string {
	if r.s == nil {
		return fmt.Sprintf("| %s | %d | %d | %d | %d | - | - | %d | %d, %d | - | - | - |\n", title, r.flags.n, r.Called(),
			int64(r.Called())-r.Lost(), r.Lost(), r.Wrong, r.Processes, r.Crashed)
	}
	ms := func(d time.Duration) string { return fmt.Sprintf("%.1f ms", float64(d)/1e6) }
	return fmt.Sprintf("| %s | %d | %d | %d | %d | %d, %.1f s | %d | %d | %d, %d | %s | %s | %s |\n", title, r.flags.n, r.Called(),
		int64(r.Called())-r.Lost(), r.Lost(), r.state.Gaps, r.state.GapTime.Seconds(), r.Missed(r.spans()), r.Wrong, r.Processes, r.Crashed,
		ms(r.latency(0.5)), ms(r.latency(0.99)), ms(r.latency(1)))
}

// machine says what was measured on.
func machine() string {
	release, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	load, _ := os.ReadFile("/proc/loadavg")
	cpus, _ := exec.Command("nproc").Output()
	one, _, _ := strings.Cut(string(load), " ")
	return fmt.Sprintf("Linux %s, %s processors, of which others wanted %s when it began.",
		strings.TrimSpace(string(release)), strings.TrimSpace(string(cpus)), one)
}
