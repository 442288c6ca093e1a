package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/kernel"
)

// calls: the program calls helpers or kfuncs, or has instructions or maps of a
// type, that the kernel does not have (SH120).
func calls(c *kcontext) ([]kfinding, error) {
	t, err := c.trace(c.program)
	if err != nil {
		return nil, err
	}
	var out []kfinding
	for _, part := range []func(*bpfobj.Trace) ([]kfinding, error){c.helpers, c.otherKinds, c.kfuncs, c.mapTypes, c.attachTypes, c.instructions} {
		found, err := part(t)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

// numbers gives the names of an enum's values; nil where the kernel's types do
// not have it.
func (m *member) numbers(enum string) (map[int64]string, error) {
	if m.Missing(kernel.Types) != "" {
		return nil, nil
	}
	if known, ok := m.enums[enum]; ok {
		return known, nil
	}
	defs, err := m.Definitions(enum)
	if err != nil {
		return nil, err
	}
	var out map[int64]string
	for _, d := range defs {
		if d.Kind != kernel.Enum {
			continue
		}
		out = map[int64]string{}
		for _, v := range d.Values {
			if !strings.HasPrefix(v.Name, "__MAX") && !strings.HasPrefix(v.Name, "__BPF_FUNC_MAX") {
				out[v.Value] = v.Name
			}
		}
	}
	m.enums[enum] = out
	return out, nil
}

// lacking makes the finding that the kernel does not have number n of an enum.
func (c *kcontext) lacking(enum string, n int64, what, where string) (f kfinding, is bool, err error) {
	have, err := c.numbers(enum)
	if err != nil || have == nil {
		return f, false, err
	}
	if _, ok := have[n]; ok {
		return f, false, nil
	}
	name := fmt.Sprintf("%s %d", what, n)
	for _, m := range slices.Concat(c.fleet.asked, c.fleet.others) {
		list, err := m.numbers(enum)
		if err != nil {
			return f, false, err
		}
		if s, ok := list[n]; ok {
			name = what + " " + strings.TrimPrefix(strings.TrimPrefix(s, "BPF_FUNC_"), "BPF_MAP_TYPE_")
			break
		}
	}
	f = kfinding{reason: reasonRefusedProgram, plain: blocks}
	f.Function = name
	f.Message = fmt.Sprintf("the program needs the %s, which this kernel does not have", name)
	f.Evidence = []string{fmt.Sprintf("its enum %s has no %d", enum, n), where}
	f.Remedy = "guard it with bpf_core_enum_value_exists, or take another one there"
	others, err := c.elsewhere(func(m *member) (bool, error) {
		list, err := m.numbers(enum)
		_, ok := list[n]
		return ok, err
	})
	f.Evidence = append(f.Evidence, others...)
	return f, true, err
}

func (c *kcontext) helpers(t *bpfobj.Trace) (out []kfinding, err error) {
	seen := map[int32]bool{}
	for _, y := range t.Helpers {
		if seen[y.Helper] || y.Helper >= 112 && y.Helper <= 115 { // loaders take probe_read for those
			continue
		}
		seen[y.Helper] = true
		f, is, err := c.lacking("bpf_func_id", int64(y.Helper), "helper", at(y.Where, y.Line))
		if err != nil {
			return nil, err
		}
		if is {
			unless(&f, y.Unless)
			out = append(out, f)
		}
	}
	return out, nil
}

func (c *kcontext) mapTypes(t *bpfobj.Trace) (out []kfinding, err error) {
	for _, m := range t.Maps {
		if m.Type == 0 {
			continue
		}
		f, is, err := c.lacking("bpf_map_type", int64(m.Type), "map type", "map "+m.Name+", "+at(m.Where, ""))
		if err != nil {
			return nil, err
		}
		if is {
			f.Remedy = "leave the map out there (bpf_map__set_autocreate)"
			out = append(out, f)
		}
	}
	return out, nil
}

func (c *kcontext) kfuncs(t *bpfobj.Trace) (out []kfinding, err error) {
	if len(t.Kfuncs) == 0 {
		return nil, nil
	}
	if c.Missing(kernel.Kfuncs) != "" {
		f := c.missing(kernel.Kfuncs, "whether the kernel has the functions that the program calls")
		f.plan = harmless
		return []kfinding{f}, nil
	}
	for _, y := range t.Kfuncs {
		there, _, err := asked{c.member}.Symbol(y.Kfunc)
		if err != nil {
			return nil, err
		}
		if there {
			continue
		}
		f := kfinding{reason: reasonRefusedProgram, plain: blocks}
		f.Function = y.Kfunc
		f.Message = fmt.Sprintf("the program calls %s, which is no function for BPF programs in this kernel", y.Kfunc)
		f.Evidence = []string{at(y.Where, y.Line)}
		f.Remedy = "declare it __ksym __weak and guard it with bpf_ksym_exists"
		c.orInModule(&f)
		unless(&f, y.Unless)
		out = append(out, f)
	}
	return out, nil
}

// attachTypes: what a section's name needs of enum bpf_attach_type.
func (c *kcontext) attachTypes(*bpfobj.Trace) ([]kfinding, error) {
	kind, _, _ := strings.Cut(strings.TrimPrefix(c.program.Section, "?"), "/")
	kind = strings.TrimSuffix(kind, ".s")
	need, ok := map[string]string{
		"uprobe.multi": "BPF_TRACE_UPROBE_MULTI", "uretprobe.multi": "BPF_TRACE_UPROBE_MULTI", "uprobe.session": "BPF_TRACE_UPROBE_SESSION",
		"kprobe.session": "BPF_TRACE_KPROBE_SESSION", "fsession": "BPF_TRACE_FSESSION", "lsm_cgroup": "BPF_LSM_CGROUP",
	}[kind]
	if !ok {
		return nil, nil
	}
	has := func(m *member) (bool, error) {
		list, err := m.numbers("bpf_attach_type")
		for _, name := range list {
			if name == need {
				return true, err
			}
		}
		return false, err
	}
	list, err := c.numbers("bpf_attach_type")
	if err != nil || list == nil {
		return nil, err
	}
	there, err := has(c.member)
	if there || err != nil {
		return nil, err
	}
	f := kfinding{reason: reasonRefusedProgram, plain: blocks}
	f.Function = kind
	f.Message = fmt.Sprintf("this kernel does not know programs of kind %s", kind)
	f.Evidence = []string{"its enum bpf_attach_type has no " + need}
	where, err := c.elsewhere(has)
	f.Evidence = append(f.Evidence, where...)
	return []kfinding{f}, err
}
