package main

import (
	"errors"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

func newSites(s streams) *cobra.Command {
	var c common
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
			results, failed := c.resolve(args)
			if len(results) == 0 {
				return failed
			}
			return errors.Join(report.Sites(s.out, format, results, full), failed)
		},
	}
	c.register(cmd)
	c.atlas.register(cmd)
	cmd.Flags().StringVar(&c.kernel, "kernel", kernels.Live, "places of kernel hooks in this `KERNEL`: live, a name or glob of \"kernel list\", all, a vmlinux")
	cmd.Flags().BoolVar(&full, "full", false, "every place of every function, however many match")
	return cmd
}

// resolve gives the results of all hooks together. What is wrong with some is
// in the error.
func (c *common) resolve(args []string) ([]sites.Result, error) {
	all, err := c.resolveEach(args)
	return slices.Concat(all...), err
}

// resolveEach gives the results of each hook that there are.
func (c *common) resolveEach(args []string) ([][]sites.Result, error) {
	a := c.analyzer()
	defer a.Close()
	var failed []error
	in := &asked{}
	var onKernel []hook.Hook
	for _, arg := range args {
		if h, err := hook.Parse(arg); err == nil && !h.Kind.User() {
			onKernel = append(onKernel, h)
		}
	}
	if len(onKernel) > 0 {
		var err error
		in, err = c.askKernels(onKernel)
		defer in.close()
		failed = append(failed, err)
	}
	var all [][]sites.Result
	for _, arg := range args {
		if h, err := hook.Parse(arg); err == nil && !h.Kind.User() {
			results, err := in.places(h)
			all, failed = append(all, results), append(failed, err)
			continue
		}
		r, err := a.Resolve(arg)
		all, failed = append(all, r.Results), append(failed, err)
	}
	return all, errors.Join(failed...)
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
