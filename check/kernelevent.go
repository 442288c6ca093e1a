package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// events gives the events or LSM hooks that the hook names: several of a glob.
func (c kcontext) events() ([]*kcontext, error) {
	if !c.hook.Glob() {
		return []*kcontext{&c}, nil
	}
	names, err := c.eventNames()
	if err != nil {
		return nil, err
	}
	var out []*kcontext
	match := matcher(c.hook.Function)
	for _, name := range names {
		if !match(name) {
			continue
		}
		one := c
		one.name = name
		if out = append(out, &one); len(out) > maxMatches {
			return nil, fmt.Errorf("%s matches more than %d; narrow it", c.hook.Function, maxMatches)
		}
	}
	if len(out) == 0 {
		return []*kcontext{&c}, nil
	}
	return out, nil
}

// eventNames are the names that a hook of this kind may have here.
func (c *kcontext) eventNames() (names []string, err error) {
	switch c.kind {
	case hook.Tracepoint:
		if err = c.readEvents(); err != nil {
			return nil, err
		}
		for _, e := range c.member.events {
			if e.System == c.hook.Module {
				names = append(names, e.Name)
			}
		}
	case hook.RawTracepoint:
		list, err := c.RawTracepoints()
		if err != nil {
			return nil, err
		}
		for _, r := range list {
			names = append(names, r.Name)
		}
	case hook.LSM:
		list, err := c.LSMHooks()
		if err != nil {
			return nil, err
		}
		for _, l := range list {
			names = append(names, l.Name)
		}
	}
	slices.Sort(names)
	return names, nil
}

// readEvents reads the kernel's events once.
func (m *member) readEvents() error {
	if m.events != nil {
		return nil
	}
	list, err := m.Kernel.Tracepoints()
	if err != nil {
		return err
	}
	m.events, m.byRaw = map[string]kernel.Tracepoint{}, map[string]string{}
	for _, e := range list {
		key := e.System + ":" + e.Name
		m.events[key] = e
		if e.Raw != "" && m.byRaw[e.Raw] == "" {
			m.byRaw[e.Raw] = key
		}
	}
	return nil
}

// eventReader is a kernel that finds one event faster than all.
type eventReader interface {
	Tracepoint(system, name string) (kernel.Tracepoint, bool)
}

// event finds an event.
func (m *member) event(system, name string) (kernel.Tracepoint, bool, error) {
	if r, ok := m.Kernel.(eventReader); ok && m.events == nil {
		if e, ok := r.Tracepoint(system, name); ok {
			return e, true, nil
		}
	}
	if err := m.readEvents(); err != nil {
		return kernel.Tracepoint{}, false, err
	}
	e, ok := m.events[system+":"+name]
	return e, ok, nil
}

// noEvent: there is no such tracepoint (SH109).
func noEvent(c *kcontext) ([]kfinding, error) {
	switch c.kind {
	case hook.Tracepoint:
		return c.noTracepoint()
	case hook.RawTracepoint:
		return c.noRaw()
	}
	return nil, nil
}

func (c *kcontext) noTracepoint() ([]kfinding, error) {
	if c.Missing(kernel.Tracepoints) != "" {
		return []kfinding{c.missing(kernel.Tracepoints, "whether there is a tracepoint "+c.hook.Module+":"+c.name)}, nil
	}
	_, ok, err := c.event(c.hook.Module, c.name)
	if err != nil {
		return nil, err
	}
	if ok && c.hook.Module == "irq_vectors" && c.name == "irq_work_exit" {
		// TRACE_EVENT_PERF_PERM in arch/x86/include/asm/trace/irq_vectors.h.
		return []kfinding{{Finding: Finding{
			Message: "the kernel refuses perf events, and with them BPF programs, on irq_vectors:irq_work_exit: perf's own wake-ups would trigger it",
			Remedy:  "take a raw tracepoint:\nsurehook check 'rawtracepoint:irq_work_exit'",
		}, reason: reasonRefused, plain: blocks, plan: blocks}}, nil
	} else if ok {
		return nil, nil
	}
	f := kfinding{Finding: Finding{
		Message: fmt.Sprintf("there is no tracepoint %s:%s in this kernel", c.hook.Module, c.name),
	}, reason: reasonAbsent, plain: blocks, plan: blocks}
	if err := c.readEvents(); err != nil {
		return nil, err
	}
	var near []string
	for key, e := range c.member.events {
		if e.Name == c.name || e.System == c.hook.Module && hook.Distance(e.Name, c.name) <= 2 {
			near = append(near, "tracepoint:"+key)
		}
	}
	if slices.Sort(near); len(near) > 0 {
		f.Remedy = "did you mean " + strings.Join(near[:min(len(near), 3)], ", ") + "?"
	}
	// Modules add no system calls (SYSCALL_METADATA in include/linux/syscalls.h).
	if why := c.Missing(kernel.Modules); why != "" && c.hook.Module != "syscalls" {
		f.plain, f.plan, f.Severity = doubts, doubts, Warning
		f.Evidence = append(f.Evidence, "it may be in a module: "+why)
	}
	where, err := c.elsewhere(func(m *member) (bool, error) {
		_, ok, err := m.event(c.hook.Module, c.name)
		return ok, err
	})
	f.Evidence = append(f.Evidence, where...)
	return []kfinding{f}, err
}

func (c *kcontext) noRaw() ([]kfinding, error) {
	_, known, ok, err := c.member.raw(c.name)
	switch {
	case err != nil:
		return nil, err
	case ok:
		return nil, nil
	case !known:
		return []kfinding{c.missing(kernel.RawArgs, "whether there is a raw tracepoint "+c.name)}, nil
	}
	f := kfinding{Finding: Finding{
		Message: fmt.Sprintf("there is no raw tracepoint %s in this kernel", c.name),
	}, reason: reasonAbsent, plain: blocks, plan: blocks}
	names, err := c.eventNames()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if hook.Distance(name, c.name) <= 2 {
			f.Remedy = "did you mean rawtracepoint:" + name + "?"
		}
	}
	where, err := c.elsewhere(func(m *member) (bool, error) {
		_, _, ok, err := m.raw(c.name)
		return ok, err
	})
	f.Evidence = append(f.Evidence, where...)
	return []kfinding{f}, err
}

// raw finds a raw tracepoint. Without BTF the events tell of most that they
// are there; known is then false for the others.
func (m *member) raw(name string) (r kernel.RawTracepoint, known, ok bool, err error) {
	known = m.Missing(kernel.RawArgs) == ""
	if known {
		list, err := m.RawTracepoints()
		if err != nil {
			return r, known, false, err
		}
		i, ok := slices.BinarySearchFunc(list, name, func(r kernel.RawTracepoint, n string) int { return strings.Compare(r.Name, n) })
		if ok {
			r = list[i]
		}
		return r, known, ok, nil
	}
	if m.Missing(kernel.Tracepoints) != "" {
		return r, known, false, nil
	}
	if err := m.readEvents(); err != nil {
		return r, known, false, err
	}
	return r, known, m.byRaw[name] != "", nil
}

// eventInModule: the event is there while its module is loaded (SH108).
func eventInModule(c *kcontext) ([]kfinding, error) {
	module := ""
	switch c.kind {
	case hook.Tracepoint:
		if c.Missing(kernel.Tracepoints) == "" {
			e, _, err := c.event(c.hook.Module, c.name)
			if err != nil {
				return nil, err
			}
			module = e.Module
		}
	case hook.RawTracepoint:
		r, _, _, err := c.member.raw(c.name)
		if err != nil {
			return nil, err
		}
		module = r.Module
	}
	if module == "" {
		return nil, nil
	}
	return []kfinding{{Finding: Finding{
		Message: fmt.Sprintf("%s is in module %s: it can be hooked while that is loaded", c.name, module),
		Remedy:  "load it before attaching:\nmodprobe " + module,
	}, reason: reasonModule}}, nil
}

// elsewhere lists the kernels asked for that have what this one lacks.
func (c *kcontext) elsewhere(has func(*member) (bool, error)) ([]string, error) {
	var where []string
	for _, m := range c.fleet.asked {
		if m == c.member {
			continue
		}
		ok, err := has(m)
		if err != nil {
			return nil, err
		}
		if ok {
			where = append(where, m.id.Name)
		}
	}
	if len(where) == 0 {
		return nil, nil
	}
	return []string{"it is in " + strings.Join(where, ", ")}, nil
}

// fieldsChanged: the event's record is another than in the first kernel (SH110).
func fieldsChanged(c *kcontext) ([]kfinding, error) {
	if c.kind != hook.Tracepoint || c.hook.Glob() || c.Missing(kernel.Tracepoints) != "" {
		return nil, nil
	}
	here, ok, err := c.event(c.hook.Module, c.name)
	if err != nil || !ok {
		return nil, err
	}
	for _, m := range c.fleet.asked {
		if m == c.member {
			return nil, nil
		}
		if m.Missing(kernel.Tracepoints) != "" {
			continue
		}
		there, ok, err := m.event(c.hook.Module, c.name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		changes, moved := fieldChanges(there.Fields, here.Fields)
		f := kfinding{Finding: Finding{Remedy: "read the fields by name from the format file when attaching, as bpftrace does; not by a struct that was compiled in"}, reason: reasonChanged}
		switch {
		case len(changes) > 0:
			f.Message = fmt.Sprintf("%s has other fields than in %s: %s", c.name, m.id.Name, strings.Join(changes, "; "))
		case moved:
			f.Severity = Info
			f.Message = fmt.Sprintf("the fields of %s are at other offsets than in %s", c.name, m.id.Name)
		default:
			return nil, nil
		}
		return []kfinding{f}, nil
	}
	return nil, nil
}

// fieldChanges says what became of the fields; moved tells that the offsets of
// some are others.
func fieldChanges(a, b []kernel.Field) (changes []string, moved bool) {
	for _, f := range a {
		i := slices.IndexFunc(b, func(g kernel.Field) bool { return g.Name == f.Name })
		switch {
		case i < 0:
			changes = append(changes, f.Name+" is dropped")
		case b[i].Size != f.Size && !sameArray(f.Type, b[i].Type):
			changes = append(changes, fmt.Sprintf("%s is %s of %d bytes, was %s of %d", f.Name, b[i].Type, b[i].Size, f.Type, f.Size))
		case b[i].Type != f.Type:
			changes = append(changes, fmt.Sprintf("%s is %s, was %s", f.Name, b[i].Type, f.Type))
		case b[i].Offset != f.Offset:
			moved = true
		}
	}
	for _, f := range b {
		if !slices.ContainsFunc(a, func(g kernel.Field) bool { return g.Name == f.Name }) {
			changes = append(changes, f.Name+" is new")
		}
	}
	return changes, moved
}

func sameArray(a, b string) bool {
	return strings.HasPrefix(a, "__data_loc") && strings.HasPrefix(b, "__data_loc")
}

// rawChanged: a raw tracepoint passes other arguments (SH111).
func rawChanged(c *kcontext) ([]kfinding, error) {
	if c.kind != hook.RawTracepoint || c.hook.Glob() || c.Missing(kernel.RawArgs) != "" {
		return nil, nil
	}
	here, _, ok, err := c.member.raw(c.name)
	if err != nil || !ok {
		return nil, err
	}
	for _, m := range c.fleet.asked {
		if m == c.member {
			return nil, nil
		}
		if m.Missing(kernel.RawArgs) != "" {
			continue
		}
		there, _, ok, err := m.raw(c.name)
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		changes := paramChanges(there.Params, here.Params)
		if len(changes) == 0 {
			return nil, nil
		}
		return []kfinding{{Finding: Finding{
			Message: fmt.Sprintf("raw tracepoint %s passes other arguments than in %s: %s", c.name, m.id.Name, strings.Join(changes, "; ")),
			Remedy:  "read the arguments by kernel (a program for each, or CO-RE's bpf_core_* checks)",
		}, reason: reasonChanged}}, nil
	}
	return nil, nil
}
