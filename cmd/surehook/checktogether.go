package main

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/report"
)

// togetherFlags say that hooks are attached together.
type togetherFlags struct {
	on    bool
	calls []string
}

func (t *togetherFlags) register(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&t.on, "together", false, "also say which of the kernel hooks starve each other when all are attached")
	cmd.Flags().StringSliceVar(&t.calls, "calls", nil, "with --together: the `HELPERS` that the programs call, as bpf_trace_printk (may be repeated or a list; default: not known)")
}

// helperName is a helper, with or without its prefix, or a kernel function.
var helperName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// check adds what is found about each two of the hooks to their answers.
func (t *togetherFlags) check(d *report.Document, fleet *check.Fleet, hooks []hook.Hook) error {
	if !t.on {
		return nil
	}
	var calls []string
	for _, name := range t.calls {
		if !helperName.MatchString(name) {
			return fmt.Errorf("--calls %q: name helpers, as bpf_trace_printk", name)
		}
		if !strings.HasPrefix(name, "bpf_") && !strings.Contains(name, "_map_") {
			name = "bpf_" + name
		}
		calls = append(calls, name)
	}
	var parts []check.Part
	for _, h := range hooks {
		parts = append(parts, check.Part{Hook: h, Calls: calls})
	}
	found, err := fleet.Starving(parts)
	if err != nil {
		return err
	}
	for _, f := range found {
		put(d.Fleet, f)
	}
	return nil
}

// checkFiles adds what is found about the programs of all files, when all are
// attached.
func (t *togetherFlags) checkFiles(d *report.Document, fleet *check.Fleet) error {
	if !t.on || fleet == nil {
		return nil
	}
	var parts []check.Part
	var of []*report.CheckedProgram // of each part
	for i := range d.Files {
		for j := range d.Files[i].Programs {
			p := &d.Files[i].Programs[j]
			calls, err := fleet.HelpersOf(p.Program)
			if err != nil {
				return err
			}
			for _, o := range p.OnKernel {
				if o.Hook.Function != "" && !o.Hook.Glob() {
					parts, of = append(parts, check.Part{Hook: o.Hook, Calls: calls}), append(of, p)
				}
			}
		}
	}
	for i, inner := range parts {
		var outers []check.Part
		for j, outer := range parts {
			if of[i] != of[j] {
				outers = append(outers, outer)
			}
		}
		found, err := fleet.Inside(inner, outers)
		if err != nil {
			return err
		}
		for _, f := range found {
			put(of[i].OnKernel, f)
		}
	}
	return nil
}

// put adds a finding to the answer that it belongs to.
func put(list []report.OnKernels, f check.Finding) {
	for i := range list {
		for j := range list[i].Results {
			r := &list[i].Results[j]
			if list[i].Hook != f.Hook || r.Verdict.Kernel != f.Kernel {
				continue
			}
			f.Origin = r.Verdict.Origin
			r.Findings = append(r.Findings, f)
		}
	}
}
