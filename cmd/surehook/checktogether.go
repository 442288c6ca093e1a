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
		for i := range d.Fleet {
			for j := range d.Fleet[i].Results {
				r := &d.Fleet[i].Results[j]
				if d.Fleet[i].Hook == f.Hook && r.Verdict.Kernel == f.Kernel {
					r.Findings = append(r.Findings, f)
				}
			}
		}
	}
	return nil
}
