package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/sites"
)

// demos are the examples that can be shown.
var demos = []string{"inline", "partial", "relink"}

func demoArgs(cmd *cobra.Command, args []string) error {
	switch {
	case len(args) > 1:
		return fmt.Errorf("one demo at a time: %s", strings.Join(demos, ", "))
	case len(args) == 1 && !slices.Contains(demos, args[0]):
		return fmt.Errorf("no demo is called %q; there are %s, and without a name all run", args[0], strings.Join(demos, ", "))
	}
	return nil
}

func newDemo(s streams) *cobra.Command {
	var opts demo.Options
	cmd := &cobra.Command{
		Use:       "demo [inline|partial|relink]",
		Short:     "Show what a plain probe misses, live on example programs",
		Args:      demoArgs,
		ValidArgs: demos,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) > 0 {
				name = args[0]
			}
			var c common
			return demo.Run(cmd.Context(), s.out, name, opts, demo.Deps{
				Sites:  func(hook string) ([]sites.Result, error) { return c.resolve([]string{hook}) },
				Attach: attachDemo,
				Paste:  check.Command,
			})
		},
	}
	cmd.Flags().StringVar(&opts.Dir, "dir", "", "put the programs into this `DIR` (default: a new temporary one)")
	return cmd
}

func attachDemo(_ context.Context, results []sites.Result) (demo.Session, error) {
	session, err := live.Open(results, live.Options{})
	if err != nil {
		return nil, err
	}
	return session, nil
}
