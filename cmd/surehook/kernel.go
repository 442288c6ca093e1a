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
// inlining of the named functions is found out, if there are names.
func (a *atlasFlags) catalogue(names ...string) (*kernels.Catalogue, error) {
	shipped, err := debian.Open()
	if err != nil {
		return nil, err
	}
	dirs := a.dirs
	if v := os.Getenv(atlasVariable); v != "" {
		dirs = append(filepath.SplitList(v), dirs...)
	}
	c, err := kernels.Open(kernels.Options{Shipped: shipped, Dirs: dirs, Live: liveKernel, File: kernelFile(names...)})
	if err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
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
	var a atlasFlags
	var format string
	cmd := &cobra.Command{
		Use: "list", Short: "List the kernels that --kernel may name", Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			f, err := report.ParseFormat(format)
			if err != nil {
				return err
			}
			c, err := a.catalogue()
			if err != nil {
				return err
			}
			defer c.Close()
			return report.Kernels(s.out, f, c.All())
		},
	}
	a.register(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	return cmd
}

func newKernelShow(s streams) *cobra.Command {
	var a atlasFlags
	var format string
	var full bool
	cmd := &cobra.Command{
		Use: "show KERNEL [NAME...]", Short: "Show what a kernel has under a name: function, event, hook, type",
		Example: "  surehook kernel show all vfs_read\n  surehook kernel show 'debian-6.1*' task_struct",
		Args:    cobra.MinimumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := report.ParseFormat(format)
			if err != nil {
				return err
			}
			c, err := a.catalogue()
			if err != nil {
				return err
			}
			defer c.Close()
			list, err := c.Find(args[0])
			if err != nil {
				return err
			}
			if len(args) == 1 {
				return report.Kernels(s.out, f, list)
			}
			return showFacts(s, f, list, args[1:], full)
		},
	}
	a.register(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().BoolVar(&full, "full", false, "all copies and callers, however many there are")
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
	var a atlasFlags
	var format string
	var full bool
	cmd := &cobra.Command{
		Use: "diff A B [NAME...]", Short: "Say what differs between two kernels; names may be globs",
		Example: "  surehook kernel diff debian-6.1.0-50-cloud-amd64 debian-6.12.117+deb13-cloud-amd64 'vfs_*'",
		Args:    cobra.MinimumNArgs(2),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := report.ParseFormat(format)
			if err != nil {
				return err
			}
			for _, p := range args[2:] {
				if _, err := path.Match(p, ""); err != nil {
					return fmt.Errorf("%q: %w", p, err)
				}
			}
			c, err := a.catalogue()
			if err != nil {
				return err
			}
			defer c.Close()
			var pair [2]kernel.Kernel
			for i, name := range args[:2] {
				list, err := c.Find(name)
				if err != nil {
					return err
				}
				if len(list) != 1 {
					return fmt.Errorf("%q is %d kernels: %s; name one", name, len(list), kernelNames(list))
				}
				pair[i] = list[0]
			}
			changes, err := kernel.Diff(pair[0], pair[1], wanted(args[2:]))
			if err != nil {
				return err
			}
			return report.KernelDiff(s.out, f, pair[0], pair[1], changes, full)
		},
	}
	a.register(cmd)
	cmd.Flags().StringVar(&format, "format", "text", "text or json")
	cmd.Flags().BoolVar(&full, "full", false, "all changes, however many there are")
	return cmd
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
