package main

import (
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

func newSites(s streams) *cobra.Command {
	c := common{judge: true}
	var full bool
	cmd := &cobra.Command{
		Use:     "sites HOOK...",
		Short:   "List every place where an execution of the hooked function begins",
		Example: "  surehook sites uprobe:./prog:add\n  surehook sites --format json 'uprobe:./prog:*'",
		Args:    hooks,
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := c.parseFormat()
			if err != nil {
				return err
			}
			results, err := c.resolve(args)
			if err != nil {
				return err
			}
			return report.Sites(s.out, format, results, full)
		},
	}
	c.register(cmd)
	c.atlas.register(cmd)
	cmd.Flags().StringVar(&c.kernel, "kernel", kernels.Live, "places of kernel hooks in this `KERNEL`: live, a name or glob of \"kernel list\", all, a vmlinux")
	cmd.Flags().BoolVar(&full, "full", false, "every place of every function, however many match")
	return cmd
}

// resolve gives the results of all hooks together.
func (c *common) resolve(args []string) ([]sites.Result, error) {
	all, err := c.resolveEach(args)
	return slices.Concat(all...), err
}

// resolveEach gives the results of each hook.
func (c *common) resolveEach(args []string) ([][]sites.Result, error) {
	a := c.analyzer()
	defer a.Close()
	var all [][]sites.Result
	for _, arg := range args {
		if h, err := hook.Parse(arg); err == nil && !h.Kind.User() {
			results, err := c.inKernel(h)
			if err != nil {
				return nil, err
			}
			all = append(all, results)
			continue
		}
		r, err := a.Resolve(arg)
		if err != nil {
			return nil, err
		}
		all = append(all, r.Results)
	}
	return all, nil
}

// absolute makes directories independent of the file system they are looked
// up in.
func absolute(dirs []string) []string {
	var out []string
	for _, d := range dirs {
		if abs, err := filepath.Abs(d); err == nil {
			d = abs
		}
		out = append(out, d)
	}
	return out
}
