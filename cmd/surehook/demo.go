package main

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/internal/demo"
	"github.com/surehook/surehook/internal/live"
	"github.com/surehook/surehook/sites"
)

func newDemo(s streams) *cobra.Command {
	var opts demo.Options
	cmd := &cobra.Command{
		Use:       "demo [inline|partial|relink]",
		Short:     "Show what a plain probe misses, live on example programs",
		Args:      cobra.MatchAll(cobra.MaximumNArgs(1), cobra.OnlyValidArgs),
		ValidArgs: []string{"inline", "partial", "relink"},
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
