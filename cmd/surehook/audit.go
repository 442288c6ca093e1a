package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/running"
	"github.com/surehook/surehook/supervise/audit"
)

func newAudit(s streams) *cobra.Command {
	var format, failOn string
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "Every uprobe on this machine: is it still on the file that programs run?",
		Long: "audit looks at the uprobes of all BPF programs, whoever attached them: those on files\n" +
			"that were removed or replaced, the processes that run a newer file without them,\n" +
			"processes that run the probed file and have no breakpoint, and mounts that cannot be\n" +
			"unmounted. What a probe misses in the file it is on is told by check --running.",
		Example: "  sudo surehook audit\n  sudo surehook audit --format json --fail-on error",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			f, err := report.ParseFormat(format)
			if err != nil {
				return err
			}
			least, err := check.ParseSeverity(failOn)
			if err != nil {
				return err
			}
			return runAudit(s, f, least)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "text, or json: one object a line (docs/json.md)")
	cmd.Flags().StringVar(&failOn, "fail-on", "error", "exit 1 from this `SEVERITY` on: error, warning, info or none")
	return cmd
}

func runAudit(s streams, format report.Format, least check.Severity) error {
	inv, err := running.Read(running.Options{})
	if errors.Is(err, running.ErrNotPermitted) || errors.Is(err, running.ErrNotSupported) {
		return &exitError{exitPrivilege, err}
	}
	if err != nil {
		return err
	}
	probes, unread, err := audit.Probes(inv)
	if err != nil {
		return err
	}
	if err := audit.Write(s.out, format, probes); err != nil {
		return err
	}
	for _, u := range append(inv.Unread, unread...) {
		fmt.Fprintf(s.err, "not looked at: %s: %s\n", report.Visible(u.What), report.Visible(u.Reason))
	}
	for i := range probes {
		if f, ok := probes[i].Finding(); ok && f.Severity.AtLeast(least) {
			return &exitError{code: exitFindings}
		}
	}
	return nil
}
