package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/atlas/debian"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
)

// atlasVariable names further atlas files and directories, as a PATH does.
const atlasVariable = "SUREHOOK_ATLAS"

// atlasFlags are the flags of commands that know kernels.
type atlasFlags struct{ dirs []string }

func (a *atlasFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&a.dirs, "atlas", nil, "also know the kernels of this atlas file or `DIR` of *.atlas (may be repeated; also "+atlasVariable+")")
}

// catalogue opens all that is known of kernels. Of kernels' files only the
// inlining of the named functions is found out, if there are names. Atlas
// files that cannot be read are in the error, the others are known.
func (a *atlasFlags) catalogue(names ...string) (*kernels.Catalogue, error) {
	shipped, err := debian.Open()
	if err != nil {
		return nil, err
	}
	dirs := a.dirs
	if v := os.Getenv(atlasVariable); v != "" {
		dirs = append(filepath.SplitList(v), dirs...)
	}
	return kernels.Open(kernels.Options{Shipped: shipped, Dirs: dirs, Live: liveKernel, File: kernelFile(names...)})
}

// show are the flags and the beginning that show, diff and list share.
type show struct {
	atlasFlags
	format string
	full   bool
}

func (o *show) register(cmd *cobra.Command) {
	o.atlasFlags.register(cmd)
	cmd.Flags().StringVar(&o.format, "format", "text", "text or json")
}

// with runs do with the catalogue, of which the files that could not be read
// are said afterwards.
func (o *show) with(do func(report.Format, *kernels.Catalogue) error) error {
	f, err := report.ParseFormat(o.format)
	if err != nil {
		return err
	}
	c, failed := o.catalogue()
	if c == nil {
		return failed
	}
	defer c.Close()
	return errors.Join(failed, do(f, c))
}

func newKernel(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "kernel",
		Short: "What is known of kernel builds: list, show, diff, snapshot",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newKernelList(s), newKernelShow(s), newKernelDiff(s), newKernelSnapshot(s))
	return cmd
}

func newKernelList(s streams) *cobra.Command {
	var o show
	cmd := &cobra.Command{
		Use: "list", Short: "List the kernels that --kernel may name", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return o.with(func(f report.Format, c *kernels.Catalogue) error { return report.Kernels(s.out, f, c.All()) })
		},
	}
	o.register(cmd)
	return cmd
}

func newKernelShow(s streams) *cobra.Command {
	var o show
	cmd := &cobra.Command{
		Use: "show KERNEL [NAME...]", Short: "Show what a kernel has under a name: function, event, hook, type",
		Example: "  surehook kernel show all vfs_read\n  surehook kernel show 'debian-6.1*' task_struct",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			return o.with(func(f report.Format, c *kernels.Catalogue) error {
				list, err := c.Find(args[0])
				switch {
				case len(list) == 0:
					return err
				case len(args) == 1:
					return errors.Join(err, report.Kernels(s.out, f, list))
				}
				return errors.Join(err, showFacts(s, f, list, args[1:], o.full))
			})
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&o.full, "full", false, "all copies and callers, however many there are")
	return cmd
}

// showFacts shows each name in each kernel; a name that none has is an error.
func showFacts(s streams, f report.Format, list []kernel.Kernel, names []string, full bool) error {
	var unknown []error
	for _, name := range names {
		found := false
		for _, k := range list {
			facts, err := kernelFacts(k, name)
			if err != nil {
				return err
			}
			if facts.Empty() && f == report.Text {
				continue
			}
			found = found || !facts.Empty()
			if err := report.KernelFacts(s.out, f, facts, full); err != nil {
				return err
			}
		}
		if !found {
			unknown = append(unknown, fmt.Errorf("nothing is called %q in %s", name, kernelNames(list)))
		}
	}
	return errors.Join(unknown...)
}

func kernelNames(list []kernel.Kernel) string {
	var names []string
	for _, k := range list {
		names = append(names, k.Identity().Name)
	}
	return strings.Join(names, ", ")
}

// kernelFacts collects what a kernel has under a name; that of a tracepoint
// may have its category in front.
func kernelFacts(k kernel.Kernel, name string) (report.Facts, error) {
	facts, err := report.Collect(k, name)
	if err != nil {
		return facts, fmt.Errorf("%s: %w", k.Identity().Name, err)
	}
	return facts, nil
}

func newKernelDiff(s streams) *cobra.Command {
	var o show
	cmd := &cobra.Command{
		Use: "diff A B [NAME...]", Short: "Say what differs between two kernels; names may be globs",
		Example: "  surehook kernel diff debian-6.1.0-50-cloud-amd64 debian-6.12.117+deb13-cloud-amd64 'vfs_*'",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			for _, p := range args[2:] {
				if _, err := path.Match(p, ""); err != nil {
					return fmt.Errorf("%q: %w", p, err)
				}
			}
			return o.with(func(f report.Format, c *kernels.Catalogue) error {
				a, failed := single(c, args[0])
				b, err := single(c, args[1])
				if failed = errors.Join(failed, err); a == nil || b == nil {
					return failed
				}
				changes, err := kernel.Diff(a, b, wanted(args[2:]))
				if err != nil {
					return err
				}
				return errors.Join(failed, report.KernelDiff(s.out, f, a, b, changes, o.full))
			})
		},
	}
	o.register(cmd)
	cmd.Flags().BoolVar(&o.full, "full", false, "all changes, however many there are")
	return cmd
}

// single is the one kernel of a name; nil if there is none, or several.
func single(c *kernels.Catalogue, name string) (kernel.Kernel, error) {
	list, err := c.Find(name)
	switch len(list) {
	case 0:
		return nil, err
	case 1:
		return list[0], err
	}
	return nil, fmt.Errorf("%q is %d kernels: %s; name one", name, len(list), kernelNames(list))
}

// wanted accepts names that match one of the globs; nil without any.
func wanted(globs []string) func(kernel.Subject, string) bool {
	if len(globs) == 0 {
		return nil
	}
	return func(_ kernel.Subject, name string) bool {
		for _, g := range globs {
			if ok, _ := path.Match(g, name); ok { // checked before
				return true
			}
		}
		return false
	}
}

// fileName is the name of a snapshot's file if none is given.
func fileName(k kernel.Identity) string { return cmp.Or(k.Name, "kernel") + ".atlas" }
