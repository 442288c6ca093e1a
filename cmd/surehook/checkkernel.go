package main

import (
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/internal/memory"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
)

// firstCollection is at how many bytes garbage is collected when many kernels
// are asked: what stays of each is some 15 MB, what reading them leaves 40.
const firstCollection = 160 << 20

// kernelFlags say on which kernels hooks are checked.
type kernelFlags struct {
	atlasFlags
	names    []string
	together togetherFlags
}

func (k *kernelFlags) register(cmd *cobra.Command) {
	k.atlasFlags.register(cmd)
	cmd.Flags().StringSliceVar(&k.names, "kernel", nil, "check hooks of the kernel on these `KERNELS`: live, all, a name or glob of \"surehook kernel list\", a vmlinux or atlas file\n"+
		"(may be repeated or a list; default: live, or all where there is none)")
}

// check runs the rules on every hook and kernel. What could not be read is in
// the error; the rest is answered.
func (k *kernelFlags) check(d *report.Document, hooks []hook.Hook) error {
	fleet, done, failed := k.fleet(hooks)
	if fleet == nil {
		return failed
	}
	defer done()
	d.Kernels = fleet.Kernels()
	for _, h := range hooks {
		o := report.OnKernels{Hook: h}
		o.Results, o.Alternatives = fleet.Check(h)
		for _, r := range o.Results {
			if r.Err != nil {
				failed = errors.Join(failed, fmt.Errorf("%s: %w", h, r.Err))
			}
		}
		d.Fleet = append(d.Fleet, o)
	}
	return errors.Join(failed, k.together.check(d, fleet, hooks))
}

// fleet opens the kernels that hooks are checked on; nil if there are none.
// Those that could not be read are in the error.
func (k *kernelFlags) fleet(hooks []hook.Hook) (f *check.Fleet, done func() error, failed error) {
	c, unread := k.catalogue(named(hooks)...)
	if c == nil {
		return nil, nil, unread
	}
	asked, failed := k.find(c)
	failed = errors.Join(unread, failed, unreadable(asked, hooks))
	if len(asked) == 0 {
		return nil, nil, errors.Join(failed, c.Close())
	}
	others := slices.DeleteFunc(slices.Clone(c.All()), func(o kernel.Kernel) bool { return slices.Contains(asked, o) })
	f = check.NewFleet(asked, others)
	memory.CollectFrom(firstCollection)
	f.Warm(hooks)
	return f, c.Close, failed
}

// unreadable names the kernels of which the facts are missing that the hooks
// are about: what is answered of them is not known or less than could be.
func unreadable(asked []kernel.Kernel, hooks []hook.Hook) error {
	function, typed := false, false
	for _, h := range hooks {
		switch h.Kind {
		case hook.LSM, hook.RawTracepoint:
			typed = true
		case hook.Fentry, hook.Fexit:
			function, typed = true, true
		case hook.Tracepoint:
		default:
			function = true
		}
	}
	var failed []error
	for _, k := range asked {
		name := k.Identity().Name
		if why := k.Missing(kernel.Symbols); why != "" && function {
			failed = append(failed, fmt.Errorf("kernel %s: its symbols are not known: %s", name, why))
		}
		value, set, err := k.Config("CONFIG_DEBUG_INFO_BTF")
		if why := k.Missing(kernel.Types); why != "" && typed && err == nil && set != kernel.No {
			failed = append(failed, fmt.Errorf("kernel %s: its types are not known%s: %s", name, map[bool]string{true: ", though it is built with BTF"}[value == "y"], why))
		}
	}
	return errors.Join(failed...)
}

// find gives the kernels that --kernel names, each once.
func (k *kernelFlags) find(c *kernels.Catalogue) (asked []kernel.Kernel, failed error) {
	names := k.names
	if len(names) == 0 {
		if list, err := c.Find(kernels.Live); len(list) > 0 {
			return list, err
		}
		names = []string{kernels.All}
	}
	for _, name := range names {
		list, err := c.Find(name)
		failed = errors.Join(failed, err)
		for _, found := range list {
			if !slices.Contains(asked, found) {
				asked = append(asked, found)
			}
		}
	}
	return asked, failed
}

// named gives the functions that hooks name; nil if one may name any.
func named(hooks []hook.Hook) []string {
	var names []string
	for _, h := range hooks {
		if h.Glob() || h.Kind == hook.Ksyscall || h.Kind == hook.Kretsyscall {
			return nil
		}
		names = append(names, h.Function)
	}
	return names
}
