package misses

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// Places are how many hooks of each sort the running kernel has, and how it
// does kprobes.
type Places struct {
	Functions   string // that ftrace can trace: "48211", or why it is not known
	Tracepoints string
	Raw         string
	LSM         string
	Kprobes     string // how a breakpoint is done here, in words
	LSMActive   string // "" if BPF is among the active security modules; else why not, in words
}

// point is a row of the overview.
type point struct {
	kinds     []hook.Kind
	scope     string
	stability string
	since     string
	how       func(p *Places) string
	count     func(p *Places) string
}

// points are the kinds of hookpoints. What is the same on every kernel is
// written here; what is not is asked.
func points() []point {
	functions := func(p *Places) string { return p.Functions }
	none := func(*Places) string { return "-" }
	as := func(text string) func(*Places) string { return func(*Places) string { return text } }
	return []point{
		{[]hook.Kind{hook.Kprobe, hook.Kretprobe}, "any kernel function, entry, exit, offset", "none", "2.6.9", func(p *Places) string { return p.Kprobes }, none},
		{[]hook.Kind{hook.KprobeMulti, hook.KretprobeMulti}, "many kernel functions at once", "none", "5.18", as("ftrace (fprobe)"), functions},
		{[]hook.Kind{hook.Uprobe}, "user function, entry, exit, offset", "none", "3.5", as("breakpoint, trap into the kernel"), none},
		{[]hook.Kind{hook.Fentry, hook.Fexit}, "kernel function, entry, exit", "none", "5.5", as("ftrace nop, BPF trampoline"), functions},
		{[]hook.Kind{hook.Tracepoint}, "static points", "meant to last", "2.6.28", as("nop patched, perf event"), func(p *Places) string { return p.Tracepoints }},
		{[]hook.Kind{hook.RawTracepoint}, "static points", "meant to last", "4.17", as("nop patched"), func(p *Places) string { return p.Raw }},
		{[]hook.Kind{hook.LSM}, "security decisions", "stable in practice", "5.7", as("BPF trampoline"), func(p *Places) string { return p.LSM }},
	}
}

// WriteHookpoints writes the overview of hookpoints and when each is missed,
// for the kernel of the self-test.
func WriteHookpoints(w io.Writer, a *Abilities, p Places) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "Hookpoints of %s\n\n", a.Release)
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "HOOKPOINT\tHERE\tPLACES\tSCOPE\tSTABILITY\tSINCE\tMECHANISM")
	for _, x := range points() {
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%s\t%s\t%s\n", names(x.kinds), a.here(x.kinds[0], &p), x.count(&p), x.scope, x.stability, x.since, x.how(&p))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(b, "\nWhen misses occur (self-test on this kernel)\n\n")
	t = tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "HOOKPOINT\tIS SKIPPED INSIDE PROGRAMS OF\tIS RUN INSIDE PROGRAMS OF\tCOUNTED BY")
	for _, k := range a.Kinds {
		if k.Reason != "" {
			fmt.Fprintf(t, "%s\tnot known: %s\n", k.Kind, k.Reason)
			continue
		}
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\n", k.Kind, k.inside(func(n Trial) bool { return n.Lost() > 0 }), k.inside(func(n Trial) bool { return n.Lost() == 0 }), k.countedBy())
	}
	fmt.Fprintln(t, "uprobe\tnot by nesting: it fires in user space; a uretprobe is dropped more than 64 calls deep\t-\tnothing")
	if err := t.Flush(); err != nil {
		return err
	}
	return b.Flush()
}

// here says whether hooks of a kind can be attached.
func (a *Abilities) here(kind hook.Kind, p *Places) string {
	reason, tried := "", false
	if k, ok := a.Find(kind); ok && kind != hook.LSM {
		reason, tried = k.Reason, true
	}
	if !tried || reason != "" {
		for _, o := range a.Outer {
			if o.Kind == kind {
				reason, tried = o.Reason, true
			}
		}
	}
	switch {
	case !tried:
		return "not tried"
	case reason == "" && kind == hook.LSM && p.LSMActive != "":
		return "attaches, never fires: " + p.LSMActive
	case reason == "":
		return "yes"
	}
	return "no: " + reason
}

// inside lists the kinds of the trials for which is holds.
func (a Ability) inside(is func(Trial) bool) string {
	var in []string
	for _, t := range a.Trials {
		name := t.Kind
		if system := strings.Contains(t.In, ":syscalls:"); system {
			name = "tracepoint of a system call"
		}
		if is(t) && !slices.Contains(in, name) {
			in = append(in, name)
		}
	}
	if in == nil {
		return "-"
	}
	return strings.Join(in, ", ")
}

// countedBy names the counters that were seen to move.
func (a Ability) countedBy() string {
	var by []string
	if a.ByLink() == kernel.Yes {
		by = append(by, "link")
	}
	if a.ByProgram() == kernel.Yes {
		by = append(by, "program")
	}
	gaps := a.Gaps()
	switch {
	case a.Skipped() != kernel.Yes:
		return "-"
	case by == nil:
		return "NOTHING"
	case len(gaps) > 0:
		return strings.Join(by, " and ") + "; not inside " + Ability{Trials: gaps}.inside(func(Trial) bool { return true })
	}
	return strings.Join(by, " and ")
}

func names(kinds []hook.Kind) string {
	var out []string
	for _, k := range kinds {
		out = append(out, string(k))
	}
	return strings.Join(out, ", ")
}
