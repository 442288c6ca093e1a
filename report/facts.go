package report

import (
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
)

// Collect gathers what a kernel has under a name. That of a tracepoint may
// have its category in front, "sched:sched_switch".
func Collect(k kernel.Kernel, name string) (Facts, error) {
	f := Facts{Kernel: k, Name: name}
	steps := []func() error{f.collectFunction, f.collectEvents, f.collectHooks}
	for _, step := range steps {
		if err := step(); err != nil {
			return f, err
		}
	}
	var err error
	f.Definitions, err = k.Definitions(name)
	return f, err
}

// collectFunction looks the name up as a function's, then as a symbol's.
func (f *Facts) collectFunction() error {
	fn, ok, err := f.Kernel.Function(f.Name)
	if err != nil {
		return err
	}
	if !ok {
		source, found, err := f.Kernel.Symbol(f.Name)
		if err != nil || !found {
			return err
		}
		if fn, ok, err = f.Kernel.Function(source); err != nil || !ok {
			return err
		}
	}
	f.Function = &fn
	for _, s := range fn.Symbols {
		calls, err := f.Kernel.Callers(s.Name)
		if err != nil {
			return err
		}
		f.Callers = append(f.Callers, calls...)
	}
	return nil
}

func (f *Facts) collectEvents() error {
	events, err := f.Kernel.Tracepoints()
	if err != nil {
		return err
	}
	system, name, both := strings.Cut(f.Name, ":")
	for _, t := range events {
		if t.Name == f.Name || both && t.System == system && t.Name == name {
			f.Tracepoints = append(f.Tracepoints, t)
		}
	}
	raws, err := f.Kernel.RawTracepoints()
	if err != nil {
		return err
	}
	for _, r := range raws {
		if r.Name == f.Name {
			f.Raw = append(f.Raw, r)
		}
	}
	return nil
}

func (f *Facts) collectHooks() error {
	hooks, err := f.Kernel.LSMHooks()
	if err != nil {
		return err
	}
	for _, h := range hooks {
		if h.Name == f.Name {
			f.Hooks = append(f.Hooks, h)
		}
	}
	kfuncs, err := f.Kernel.Kfuncs()
	_, f.Kfunc = slices.BinarySearch(kfuncs, f.Name)
	return err
}
