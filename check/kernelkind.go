package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// option is a configuration option, with a function that is in the kernel
// exactly if it is set: where the configuration is not known, that tells.
type option struct{ name, function string }

// needs are the options that a kind of hook needs.
func (c *kcontext) needs() []option {
	var (
		bpf     = option{"CONFIG_BPF_EVENTS", "trace_call_bpf"}
		kprobes = option{"CONFIG_KPROBE_EVENTS", "create_local_trace_kprobe"}
		returns = option{"CONFIG_KRETPROBES", "register_kretprobe"}
		fprobe  = option{"CONFIG_FPROBE", "register_fprobe"}
		direct  = option{"CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS", "register_ftrace_direct"}
		btf     = option{"CONFIG_DEBUG_INFO_BTF", "btf_vmlinux_read"}
		jit     = option{"CONFIG_BPF_JIT", "bpf_jit_alloc_exec"}
		lsm     = option{"CONFIG_BPF_LSM", "bpf_lsm_file_open"}
	)
	switch c.kind {
	case hook.Kprobe:
		return []option{bpf, kprobes}
	case hook.Kretprobe:
		return []option{bpf, kprobes, returns}
	case hook.KprobeMulti, hook.KretprobeMulti:
		return []option{bpf, fprobe}
	case hook.Fentry, hook.Fexit:
		return []option{btf, jit, direct}
	case hook.LSM:
		return []option{lsm, btf, jit, direct}
	}
	return []option{bpf}
}

// once remembers an answer about the whole kernel.
func (m *member) once(question string, ask func() (kernel.Answer, error)) (kernel.Answer, error) {
	if a, ok := m.support[question]; ok {
		return a, nil
	}
	a, err := ask()
	if err == nil {
		m.support[question] = a
	}
	return a, err
}

// hasMember tells whether a struct of the kernel has a member.
func (m *member) hasMember(in, name string) (kernel.Answer, error) {
	return m.once("struct "+in+"."+name, func() (kernel.Answer, error) {
		defs, err := m.Definitions(in)
		if err != nil || len(defs) == 0 {
			return kernel.NotKnown, err
		}
		return kernel.Is(slices.ContainsFunc(defs[0].Members, func(f kernel.Member) bool { return f.Name == name })), nil
	})
}

// set tells whether an option is set.
func (m *member) set(o option) (kernel.Answer, error) {
	if a, ok := m.support[o.name]; ok {
		return a, nil
	}
	value, a, err := m.Config(o.name)
	if err != nil {
		return kernel.NotKnown, err
	}
	if a == kernel.Yes {
		a = kernel.Is(value == "y" || value == "m")
	}
	if a == kernel.NotKnown && m.Missing(kernel.Symbols) == "" {
		f, ok, err := m.Function(o.function)
		if err != nil {
			return kernel.NotKnown, err
		}
		if ok && len(f.Symbols) > 0 { // a stub in a header has no symbol
			a = kernel.Yes
		}
	}
	m.support[o.name] = a
	return a, nil
}

// unsupported: the kernel was built without the kind of hook (SH104, and SH201
// where it is the architecture that lacks it).
func unsupported(c *kcontext) ([]kfinding, error) {
	missing, unsure, err := c.lacks()
	if err != nil {
		return nil, err
	}
	switch {
	case len(missing) > 0 && c.archLacks(missing):
		return nil, nil
	case len(missing) > 0:
		f := kfinding{Finding: Finding{
			Message:  fmt.Sprintf("this kernel has no %s hooks", kindName(c.kind)),
			Evidence: notSet(missing),
			Remedy:   c.otherKind(),
		}, reason: reasonKind, plain: blocks}
		f.plan, err = c.otherwise()
		return []kfinding{f}, err
	case len(unsure) > 0:
		f := c.missing(kernel.Config, "whether this kernel has "+kindName(c.kind)+" hooks")
		for _, o := range unsure {
			f.Evidence = append(f.Evidence, "needs "+o.name)
		}
		return []kfinding{f}, nil
	}
	return nil, nil
}

// onArch: direct calls of ftrace came to arm64 long after x86 (SH201).
func onArch(c *kcontext) ([]kfinding, error) {
	missing, _, err := c.lacks()
	if err != nil || !c.archLacks(missing) {
		return nil, err
	}
	plan, err := c.otherwise()
	return []kfinding{{Finding: Finding{
		Message:  fmt.Sprintf("%s hooks do not work on %s in this kernel, which they do on amd64", kindName(c.kind), c.id.Arch),
		Evidence: append(notSet(missing), "arm64 has it since Linux 6.4"),
		Remedy:   c.otherKind(),
	}, reason: reasonKind, plain: blocks, plan: plan}}, err
}

// lacks gives the options that the kind needs and the kernel does not have,
// and those of which it cannot be told.
func (c *kcontext) lacks() (missing, unsure []option, err error) {
	for _, o := range c.needs() {
		a, err := c.set(o)
		if err != nil {
			return nil, nil, err
		}
		if a == kernel.NotKnown && o.name == "CONFIG_DEBUG_INFO_BTF" && c.function.BTF == kernel.Yes {
			a = kernel.Yes
		}
		switch a {
		case kernel.No:
			missing = append(missing, o)
		case kernel.NotKnown:
			unsure = append(unsure, o)
		}
	}
	return missing, unsure, nil
}

func (c *kcontext) archLacks(missing []option) bool {
	return c.id.Arch == elfbin.ARM64 && len(missing) == 1 && missing[0].name == "CONFIG_DYNAMIC_FTRACE_WITH_DIRECT_CALLS"
}

func notSet(options []option) []string {
	var out []string
	for _, o := range options {
		out = append(out, o.name+" is not set")
	}
	return out
}

// otherKind says which kind to take instead.
func (c *kcontext) otherKind() string {
	if c.kind == hook.LSM {
		return "hook the function that the security module calls, security_" + c.name + ", with a kprobe"
	}
	if c.kprobe() {
		return "take a tracepoint, or fentry where the kernel has it:\nsurehook check " + shellQuote("fentry:"+c.name)
	}
	return "take a kprobe, which needs less of the kernel:\nsurehook check " + shellQuote("kprobe:"+c.name)
}

// kindName writes a kind for people.
func kindName(k hook.Kind) string {
	if k == hook.LSM {
		return "BPF LSM"
	}
	return string(k)
}

// inactive: BPF is not among the security modules that run (SH113).
func inactive(c *kcontext) ([]kfinding, error) {
	if c.kind != hook.LSM {
		return nil, nil
	}
	value, a, err := c.Config("CONFIG_LSM")
	if err != nil || a == kernel.NotKnown {
		return nil, err // SH104 says that the configuration is not known
	}
	for name := range strings.SplitSeq(strings.Trim(value, `"`), ",") {
		if strings.TrimSpace(name) == "bpf" {
			return nil, nil
		}
	}
	return []kfinding{{Finding: Finding{
		Message:  "programs on LSM hooks attach and are never run: bpf is not among the security modules of this kernel",
		Evidence: []string{"CONFIG_LSM=" + value + ", unless the boot parameter lsm= says otherwise"},
		Remedy:   "boot with lsm=" + strings.Trim(value, `"`) + ",bpf",
	}, reason: reasonKind, plain: blocks, plan: blocks}}, nil
}
