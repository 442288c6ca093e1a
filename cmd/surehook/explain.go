package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
)

func newExplain(s streams) *cobra.Command {
	return &cobra.Command{
		Use:     "explain [CODE|hookpoints]",
		Short:   "Explain a rule with a worked example; without a code, list all rules; or the hookpoints of this kernel",
		Example: "  surehook explain SH401\n  sudo surehook explain hookpoints",
		Args:    cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				for _, r := range check.Rules() {
					if _, err := fmt.Fprintf(s.out, "%s  %-8s %s\n", r.Code, r.Severity, r.Title); err != nil {
						return err
					}
				}
				return nil
			}
			if args[0] == "hookpoints" {
				return explainHookpoints(s)
			}
			r, ok := check.Find(args[0])
			if !ok {
				return fmt.Errorf("no rule %q; \"surehook explain\" lists them", args[0])
			}
			_, err := fmt.Fprint(s.out, r.Explain())
			return err
		},
	}
}
