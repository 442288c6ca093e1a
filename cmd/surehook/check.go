package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/report"
)

func newCheck(s streams) *cobra.Command {
	var c common
	var k kernelFlags
	var failOn, buildID string
	var full bool
	cmd := &cobra.Command{
		Use:     "check HOOK...",
		Short:   "Say what a probe misses, why, and what to attach instead",
		Example: "  surehook check uprobe:./prog:add\n  surehook check --kernel all kprobe:vfs_read fentry:do_sys_open\n  surehook check --build-id 4f1c22e0 uprobe:./prog:0x1149",
		Args:    hooks,
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := c.parseFormat()
			if err != nil {
				return err
			}
			limit, err := check.ParseSeverity(failOn)
			if err != nil {
				return fmt.Errorf("--fail-on: %w", err)
			}
			if _, err := hex.DecodeString(buildID); err != nil {
				return fmt.Errorf("--build-id %q: write it in hex, as \"file\" or \"readelf -n\" shows it", buildID)
			}
			files, onKernel, failed := split(args)
			checked, err := c.check(files, strings.ToLower(buildID))
			failed = errors.Join(failed, err)
			if len(checked) > 0 {
				if err := report.Findings(s.out, format, checked, full); err != nil {
					return err
				}
			}
			worst := check.Severity("")
			for _, h := range checked {
				worst = check.Worse(worst, check.Worst(h.Findings))
			}
			if len(onKernel) > 0 {
				found, err := k.check(s.out, format, onKernel, full, len(checked) > 0)
				failed, worst = errors.Join(failed, err), check.Worse(worst, found)
			}
			switch {
			case failed != nil:
				return failed
			case worst != "" && worst.AtLeast(limit):
				return &exitError{code: exitFindings}
			}
			return nil
		},
	}
	c.register(cmd)
	k.register(cmd)
	cmd.Flags().StringVar(&failOn, "fail-on", "warning", "exit 1 from this `SEVERITY` on: error, warning, info or none")
	cmd.Flags().StringVar(&buildID, "build-id", "", "the build (`HEX`) that offsets and addresses were computed for")
	cmd.Flags().BoolVar(&full, "full", false, "every finding in full, however many there are")
	return cmd
}

// split takes hooks of the kernel apart from those of files. What is no hook
// is in the error; the others are answered all the same.
func split(args []string) (files []string, onKernel []hook.Hook, failed error) {
	for _, arg := range args {
		h, err := hook.Parse(arg)
		switch {
		case err != nil:
			failed = errors.Join(failed, err)
		case h.Kind.User():
			files = append(files, arg)
		default:
			onKernel = append(onKernel, h)
		}
	}
	return files, onKernel, failed
}

// check runs the rules on every hook of a file. Those that fail are in the
// error, the others are answered.
func (c *common) check(args []string, buildID string) ([]report.Checked, error) {
	a := c.analyzer()
	defer a.Close()
	var out []report.Checked
	var failed error
	for _, arg := range args {
		r, err := a.Resolve(arg)
		if err != nil {
			failed = errors.Join(failed, err)
			continue
		}
		findings := check.Check(r.Results, a.CheckInput(r, buildID))
		out = append(out, report.Checked{Verdict: check.Judge(r.Results), Findings: findings})
	}
	return out, failed
}
