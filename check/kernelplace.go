package check

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// mostArgs is how many register arguments a trampoline passes on every kernel
// that has them; more came later, at different times for each architecture.
var mostArgs = map[elfbin.Arch]int{elfbin.AMD64: 6, elfbin.ARM64: 8}

// untraceable: ftrace has no place in the function (SH105).
func untraceable(c *kcontext) ([]kfinding, error) {
	if !c.functions() || c.hook.HasOffset || !c.there() {
		return nil, nil
	}
	need := c.trampoline() || c.multi()
	if no, err := c.kprobesHere(); !need && (err != nil || no == kernel.No) {
		return nil, err // SH104
	}
	worst, some := kernel.Yes, false
	for _, s := range c.target {
		a, err := c.traced(s)
		if err != nil {
			return nil, err
		}
		some = some || a == kernel.Yes
		if a == kernel.No || a == kernel.NotKnown && worst == kernel.Yes {
			worst = a
		}
	}
	if worst == kernel.Yes || some && c.trampoline() { // of several, the loader's choice decides (SH107)
		return nil, nil
	}
	refused, err := c.notraceRefused()
	if err != nil || !need && refused == kernel.No {
		return nil, err
	}
	if worst == kernel.NotKnown {
		return []kfinding{c.missing(kernel.Ftrace, "whether "+kindName(c.kind)+" can be put on "+c.name)}, nil
	}
	if !need && refused == kernel.NotKnown {
		return []kfinding{c.missing(kernel.Config, "whether the kernel refuses a kprobe on "+c.name+", in which ftrace has no place,")}, nil
	}
	f := kfinding{Finding: Finding{
		Message:  fmt.Sprintf("the kernel refuses %s on %s: ftrace has no place in it (notrace, or code that runs before tracing may)", kindName(c.kind), c.name),
		Evidence: []string{"not in available_filter_functions"},
		Remedy:   "hook a function that it calls, or that calls it",
	}, reason: reasonRefused, plain: blocks, plan: blocks}
	if need {
		f.Evidence = append(f.Evidence, string(c.kind)+" is put where the compiler left room for a call to ftrace")
	} else {
		f.Evidence = append(f.Evidence, "CONFIG_KPROBE_EVENTS_ON_NOTRACE is not set")
	}
	f.plan, err = c.otherwise()
	return []kfinding{f}, err
}

// traced tells whether ftrace has a place in a symbol. The kernel lets a clone
// pass if the function that it is of has one (within_notrace_func).
func (c *kcontext) traced(s kernel.Symbol) (kernel.Answer, error) {
	if s.Traceable != kernel.No || !c.kprobe() || !strings.Contains(s.Name, ".") {
		return s.Traceable, nil
	}
	for _, b := range c.function.Symbols {
		if b.Kind == kernel.Body && b.Module == s.Module && b.Traceable != kernel.No {
			return b.Traceable, nil
		}
	}
	return kernel.No, nil
}

// notraceRefused tells whether kprobes are refused where ftrace has no place
// (trace_kprobe.c, within_notrace_func).
func (c *kcontext) notraceRefused() (kernel.Answer, error) {
	ftrace, err := c.set(option{"CONFIG_DYNAMIC_FTRACE", "ftrace_location"})
	if err != nil || ftrace != kernel.Yes {
		return ftrace, err
	}
	switch allowed, err := c.set(option{name: "CONFIG_KPROBE_EVENTS_ON_NOTRACE"}); {
	case err != nil:
		return kernel.NotKnown, err
	case allowed == kernel.NotKnown: // the function that refuses is there only if it is not set
		f, ok, err := c.Function("__within_notrace_func")
		if ok && len(f.Symbols)+len(f.Copies) > 0 {
			return kernel.Yes, err
		}
		return kernel.NotKnown, err
	default:
		return kernel.Is(allowed == kernel.No), nil
	}
}

// stackSwitchers are functions that no kretprobe may be put on: they return on
// another stack (arch/x86/kernel/kprobes/core.c, kretprobe_blacklist).
var stackSwitchers = map[elfbin.Arch][]string{elfbin.AMD64: {"__switch_to"}}

// blacklisted: the kernel refuses kprobes there (SH106).
func blacklisted(c *kcontext) ([]kfinding, error) {
	if !c.kprobe() || !c.there() {
		return nil, nil
	}
	if c.kind == hook.Kretprobe && slices.Contains(stackSwitchers[c.id.Arch], c.name) {
		return []kfinding{{Finding: Finding{
			Message: "the kernel refuses kretprobes on " + c.name + ": it returns on another stack",
			Remedy:  "hook tracepoint:sched:sched_switch",
		}, reason: reasonRefused, plain: blocks, plan: blocks}}, nil
	}
	if no, err := c.kprobesHere(); err != nil || no == kernel.No {
		return nil, err // SH104
	}
	for _, s := range c.target {
		switch s.Refused {
		case kernel.Yes:
			instead, err := c.otherwise()
			return []kfinding{{Finding: Finding{
				Message:  fmt.Sprintf("the kernel refuses kprobes on %s", symbolName(s)),
				Evidence: []string{"it is on the blacklist (NOKPROBE_SYMBOL, noinstr, entry code): a probe there could hit itself"},
				Remedy:   "hook a function that it calls, or that calls it",
			}, reason: reasonRefused, plain: blocks, plan: instead}}, err
		case kernel.NotKnown:
			return []kfinding{c.missing(kernel.Blacklist, "whether the kernel refuses a kprobe on "+symbolName(s))}, nil
		}
	}
	return nil, nil
}

// duplicate: several functions have the name (SH107).
func duplicate(c *kcontext) ([]kfinding, error) {
	if !c.functions() {
		return nil, nil
	}
	if len(c.target) < 2 {
		return c.variable()
	}
	f := kfinding{Finding: Finding{
		Message:  fmt.Sprintf("%d functions are named %s", len(c.target), c.name),
		Evidence: c.where(),
		Remedy:   "hook what calls the one that is meant; by its address a kprobe can be put on each (perf probe -a _text+OFFSET)",
	}, reason: reasonSame, plain: loses}
	if len(c.function.Sources) > 1 {
		f.Evidence = append(f.Evidence, "declared at "+strings.Join(c.function.Sources, ", "))
	}
	for _, s := range c.target {
		sure, err := c.via(s)
		if err != nil {
			return nil, err
		}
		if sure == blocks {
			f.plan = loses
		}
	}
	refuses, err := c.refusesNamesakes()
	if err != nil {
		return nil, err
	}
	if refuses {
		f.plain = blocks
		f.Message += ": the kernel refuses a probe by that name (EADDRNOTAVAIL)"
	} else {
		f.Message += ": the probe is put on the first, the others are missed"
	}
	return []kfinding{f}, nil
}

// refusesNamesakes tells whether the kernel refuses a kprobe by a name that
// several of its symbols have.
func (c *kcontext) refusesNamesakes() (bool, error) {
	if !c.kprobe() || c.hook.HasAddress {
		return false, nil
	}
	a, err := c.once("count_symbols", func() (kernel.Answer, error) { // trace_kprobe.c, since b022f0c7e404
		counts, ok, err := c.Function("count_symbols")
		return kernel.Is(ok && len(counts.Symbols) > 0), err
	})
	return a == kernel.Yes, err
}

// variable: a variable of the function's name is counted as well (kallsyms has
// both). Without counting the name means the function, which lies in front.
func (c *kcontext) variable() ([]kfinding, error) {
	if len(c.target) == 0 || !c.target[0].Variable {
		return nil, nil
	}
	refuses, err := c.refusesNamesakes()
	if err != nil || !refuses {
		return nil, err
	}
	plan, err := c.via(c.target[0])
	return []kfinding{{Finding: Finding{
		Message:  fmt.Sprintf("a variable is named %s too: the kernel refuses a probe by that name (EADDRNOTAVAIL)", c.name),
		Evidence: []string{"it counts the symbols of the name in /proc/kallsyms, not the functions"},
		Remedy:   "by its address a kprobe can be put on it (perf probe -a _text+OFFSET), or take fentry:\nsurehook check " + shellQuote("fentry:"+c.name),
	}, reason: reasonSame, plain: blocks, plan: plan}}, err
}

// where lists the symbols that the hook's name stands for.
func (c *kcontext) where() []string {
	var out []string
	for i, s := range c.target {
		if i == maxEvidence {
			return append(out, fmt.Sprintf("and %d more", len(c.target)-i))
		}
		line := symbolName(s)
		if s.Address != 0 {
			line += fmt.Sprintf(" at %#x", s.Address)
		}
		out = append(out, line)
	}
	return out
}

// inModule: the function is there while its module is loaded (SH108).
func inModule(c *kcontext) ([]kfinding, error) {
	var modules []string
	for _, s := range c.target {
		if s.Module == "" {
			return nil, nil
		}
		modules = append(modules, s.Module)
	}
	if modules = slices.Compact(modules); len(modules) == 0 {
		return nil, nil
	}
	return []kfinding{{Finding: Finding{
		Message: fmt.Sprintf("%s is in module %s: it can be hooked while that is loaded", c.name, strings.Join(modules, ", ")),
		Remedy:  "load it before attaching:\nmodprobe " + modules[0],
	}, reason: reasonModule}}, nil
}

// noBTF: fentry finds a function by the kernel's BTF (SH114).
func noBTF(c *kcontext) ([]kfinding, error) {
	if !c.trampoline() || !c.there() {
		return nil, nil
	}
	f := kfinding{reason: reasonRefused, plain: blocks}
	var err error
	if f.plan, err = c.otherwise(); err != nil {
		return nil, err
	}
	f.Remedy = "take a kprobe:\nsurehook check " + shellQuote("kprobe:"+c.name)
	switch c.function.BTF {
	case kernel.NotKnown:
		return []kfinding{c.missing(kernel.Types, "whether the kernel's BTF describes "+c.name)}, nil
	case kernel.No:
		f.Message = fmt.Sprintf("%s cannot be put on %s: the kernel's BTF does not describe it", c.kind, c.name)
		f.Evidence = []string{"functions whose arguments were optimised, or of which there are several, are left out of BTF"}
		return []kfinding{f}, nil
	}
	if n := len(c.function.Protos); n > 1 {
		f.Severity, f.plain, f.plan = Warning, doubts, min(f.plan, doubts)
		f.reason = reasonSame
		f.Message = fmt.Sprintf("the kernel's BTF has %d functions %s: loaders refuse the name (cilium/ebpf) or take the first (libbpf)", n, c.name)
		for _, p := range c.function.Protos {
			f.Evidence = append(f.Evidence, p.C(c.name))
		}
		return []kfinding{f}, nil
	} else if n == 0 {
		return nil, nil
	}
	p := c.function.Protos[0]
	most := mostArgs[c.id.Arch]
	whole, err := c.byValue(p.Result)
	if err != nil {
		return nil, err
	}
	arg, err := c.structArgument(p)
	if err != nil {
		return nil, err
	}
	switch {
	case arg != "":
		f.Message = fmt.Sprintf("%s cannot be put on %s: this kernel does not pass structs by value, and %s is one", c.kind, c.name, arg)
	case whole: // __get_type_size in kernel/bpf/btf.c
		f.Message = fmt.Sprintf("%s cannot be put on %s: it returns a struct by value", c.kind, c.name)
	case p.Variadic:
		f.Message = fmt.Sprintf("%s cannot be put on %s: it takes a variable number of arguments", c.kind, c.name)
	case len(p.Params) > 12: // MAX_BPF_FUNC_ARGS
		f.Message = fmt.Sprintf("%s cannot be put on %s: it takes %d arguments, more than 12", c.kind, c.name, len(p.Params))
	case most > 0 && len(p.Params) > most:
		switch more, err := c.passesMore(); {
		case err != nil:
			return nil, err
		case more == kernel.Yes:
			return nil, nil
		case more == kernel.No:
			f.Message = fmt.Sprintf("%s cannot be put on %s: it takes %d arguments, and this kernel passes %d", c.kind, c.name, len(p.Params), most)
		default:
			f.Severity, f.plain, f.plan = Warning, doubts, min(f.plan, doubts)
			f.Message = fmt.Sprintf("whether %s can be put on %s cannot be told: it takes %d arguments, and not every kernel passes more than %d", c.kind, c.name, len(p.Params), most)
		}
	default:
		return nil, nil
	}
	f.Evidence = []string{p.C(c.name)}
	return []kfinding{f}, nil
}

// passesMore tells whether trampolines pass arguments on the stack. On x86-64
// since Linux 6.6, commit 473e3150e30a ("bpf, x86: allow function arguments up
// to 12 for TRACING"), which brought get_nr_used_regs.
func (c *kcontext) passesMore() (kernel.Answer, error) {
	if c.id.Arch != elfbin.AMD64 {
		return kernel.NotKnown, nil
	}
	f, ok, err := c.Function("get_nr_used_regs")
	switch {
	case err != nil:
		return kernel.NotKnown, err
	case ok && len(f.Symbols)+len(f.Copies) > 0:
		return kernel.Yes, nil
	case c.Missing(kernel.Inlining) != "": // it may be there, inlined
		return kernel.NotKnown, nil
	}
	return kernel.No, nil
}

// structArgument names a parameter that is a struct itself, where the kernel
// cannot pass one. Since Linux 6.0, commit 720e6a435194 ("bpf: Allow struct
// argument in trampoline based programs"), which gave struct btf_func_model
// the field arg_flags.
func (c *kcontext) structArgument(p kernel.Proto) (string, error) {
	if passes, err := c.hasMember("btf_func_model", "arg_flags"); err != nil || passes != kernel.No {
		return "", err
	}
	for i, a := range p.Params {
		whole, err := c.byValue(a.Type)
		if err != nil {
			return "", err
		}
		if whole {
			return fmt.Sprintf("arg%d (%s)", i, a.Name), nil
		}
	}
	return "", nil
}

// byValue tells whether a type is a struct or union itself, behind typedefs and
// qualifiers.
func (c *kcontext) byValue(t kernel.Type) (bool, error) {
	const depth = 32 // of typedefs; real ones nest less than 10 deep
	for range depth {
		t = kernel.Type(strings.TrimLeft(string(t), "cvr"))
		name, ok := strings.CutPrefix(string(t), "t:")
		if !ok {
			break
		}
		defs, err := c.Definitions(name)
		if err != nil {
			return false, err
		}
		i := slices.IndexFunc(defs, func(d kernel.Definition) bool { return d.Kind == kernel.Typedef })
		if i < 0 {
			return false, nil
		}
		t = defs[i].Target
	}
	for _, head := range []string{"s:", "u:", "{s", "{u"} {
		if strings.HasPrefix(string(t), head) {
			return true, nil
		}
	}
	return false, nil
}

// bootOnly: code that is freed after boot (SH115).
func bootOnly(c *kcontext) ([]kfinding, error) {
	if !c.functions() || len(c.target) == 0 || slices.ContainsFunc(c.target, func(s kernel.Symbol) bool { return !s.Init }) {
		return nil, nil
	}
	return []kfinding{{Finding: Finding{
		Message: fmt.Sprintf("%s runs during boot only, its code is freed afterwards: it cannot be hooked", c.name),
		Remedy:  "trace the boot with the parameter ftrace=, or hook a function that runs later",
	}, reason: reasonRefused, plain: blocks, plan: blocks}}, nil
}
