package main

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/report"
)

func newCheck(s streams) *cobra.Command {
	var c common
	var failOn, buildID string
	var full bool
	cmd := &cobra.Command{
		Use:     "check HOOK...",
		Short:   "Say what a probe misses, why, and what to attach instead",
		Example: "  surehook check uprobe:./prog:add\n  surehook check --build-id 4f1c22e0 uprobe:./prog:0x1149",
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
			checked, err := c.check(args, strings.ToLower(buildID))
			if err != nil {
				return err
			}
			if err := report.Findings(s.out, format, checked, full); err != nil {
				return err
			}
			for _, h := range checked {
				if len(h.Findings) > 0 && check.Worst(h.Findings).AtLeast(limit) {
					return &exitError{code: exitFindings}
				}
			}
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().StringVar(&failOn, "fail-on", "warning", "exit 1 from this `SEVERITY` on: error, warning, info or none")
	cmd.Flags().StringVar(&buildID, "build-id", "", "the build (`HEX`) that offsets and addresses were computed for")
	cmd.Flags().BoolVar(&full, "full", false, "every finding in full, however many there are")
	return cmd
}

// check runs the rules on every hook.
func (c *common) check(args []string, buildID string) ([]report.Checked, error) {
	a := c.analyzer()
	defer a.Close()
	var out []report.Checked
	for _, arg := range args {
		r, err := a.Resolve(arg)
		if err != nil {
			return nil, err
		}
		findings := check.Check(r.Results, a.CheckInput(r, buildID))
		out = append(out, report.Checked{Verdict: check.Judge(r.Results), Findings: findings})
	}
	return out, nil
}
