package check

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
)

// gone tells whether there is no trace of the function here.
func (c *kcontext) gone() bool {
	if !c.functions() || c.hook.HasAddress || len(c.target) > 0 {
		return false
	}
	if c.name != c.function.Name { // a clone's name
		return true
	}
	entry := func(s kernel.Symbol) bool { return s.Kind != kernel.Cold }
	if c.hook.Module != "" {
		return true
	}
	return !slices.ContainsFunc(c.function.Symbols, entry) && len(c.function.Copies) == 0
}

// absent: there is no such function (SH101).
func absent(c *kcontext) ([]kfinding, error) {
	if !c.gone() || c.wrapper() != "" {
		return nil, nil
	}
	if candidates, err := c.became(); err != nil || len(candidates) > 0 {
		return nil, err // SH102
	}
	f := kfinding{Finding: Finding{Message: fmt.Sprintf("there is no function %s in this kernel", c.name)}, reason: reasonAbsent, plain: blocks, plan: blocks}
	f.Remedy = "take one of the alternatives, or attach it only where it is"
	if why := c.whereAbsent(); why != "" {
		f.Severity, f.plain, f.plan = Warning, doubts, doubts
		f.Message = fmt.Sprintf("whether there is a function %s cannot be told", c.name)
		f.Evidence = append(f.Evidence, why)
	}
	if len(c.function.Symbols) > 0 {
		f.Evidence = append(f.Evidence, "symbols here: "+strings.Join(symbolNames(c.function.Symbols), ", "))
	}
	var here []string
	for _, m := range c.fleet.asked {
		if m == c.member {
			continue
		}
		g, ok, err := m.Function(c.source())
		if err != nil {
			return nil, err
		}
		if ok && (len(g.Symbols) > 0 || len(g.Copies) > 0) {
			here = append(here, m.id.Name)
		}
	}
	if len(here) > 0 {
		f.Evidence = append(f.Evidence, "it is in "+strings.Join(here, ", "))
		return []kfinding{f}, nil
	}
	near, err := c.near()
	if err == nil && len(near) > 0 {
		f.Remedy = "did you mean " + strings.Join(near, ", ") + "?"
	}
	return []kfinding{f}, err
}

// whereAbsent says why a function that is not found may be there all the same.
func (c *kcontext) whereAbsent() string {
	if why := c.Missing(kernel.Symbols); why != "" {
		return why
	}
	if why := c.Missing(kernel.Modules); why != "" {
		return "it may be in a module: " + why
	}
	return ""
}

func symbolNames(list []kernel.Symbol) []string {
	var out []string
	for _, s := range list {
		out = append(out, symbolName(s))
	}
	return out
}

// near gives the names that are most like one that is nowhere.
func (c *kcontext) near() ([]string, error) {
	if list, ok := c.fleet.near[c.name]; ok {
		return list, nil
	}
	names, err := c.Names()
	if err != nil {
		return nil, err
	}
	best, at := []string(nil), min(3, len(c.name)/4+1)
	mine := letters(c.name)
	for name := range names {
		if d := len(name) - len(c.name); d > at || -d > at {
			continue
		}
		if bits.OnesCount64(mine^letters(name)) > 2*at { // an edit changes two letters at most
			continue
		}
		switch d := hook.Distance(c.name, name); {
		case d < at:
			best, at = []string{name}, d
		case d == at && len(best) < 3:
			best = append(best, name)
		}
	}
	c.fleet.near[c.name] = best
	return best, nil
}

// letters is the set of characters of a name.
func letters(name string) (set uint64) {
	for i := range len(name) {
		set |= 1 << (name[i] & 63)
	}
	return set
}

// renamed: it is there under another name (SH102).
func renamed(c *kcontext) ([]kfinding, error) {
	if !c.gone() || c.wrapper() != "" {
		return nil, nil
	}
	candidates, err := c.became()
	if err != nil || len(candidates) == 0 {
		return nil, err
	}
	f := kfinding{Finding: Finding{
		Message: fmt.Sprintf("there is no function %s in this kernel; it probably became %s", c.name, candidates[0].name),
		Remedy:  "hook it by the name it has there, and check that too:\nsurehook check --kernel " + shellQuote(c.id.Name) + " " + shellQuote(string(c.hook.Kind)+":"+candidates[0].name),
	}, reason: reasonAbsent, plain: blocks, plan: blocks}
	for _, k := range candidates {
		f.Evidence = append(f.Evidence, k.name+": "+strings.Join(k.why, ", "))
	}
	if why := c.whereAbsent(); why != "" {
		f.Severity, f.plain, f.plan = Warning, doubts, doubts
		f.Evidence = append(f.Evidence, why)
	}
	return []kfinding{f}, nil
}

// prefixes of the functions of system calls, by architecture.
var prefixes = map[elfbin.Arch]string{elfbin.AMD64: "__x64_sys_", elfbin.ARM64: "__arm64_sys_"}

// syscall gives the function of a system call in this kernel.
func (m *member) syscall(name string) string {
	for _, prefix := range []string{prefixes[m.id.Arch], "sys_"} {
		if f, ok, err := m.Function(prefix + name); err == nil && ok && len(f.Symbols) > 0 {
			return prefix + name
		}
	}
	return prefixes[m.id.Arch] + name
}

// syscallName gives the system call whose function has the name; ok is false
// for other functions.
func syscallName(function string) (call string, ok bool) {
	for _, prefix := range []string{"__x64_sys_", "__arm64_sys_", "__se_sys_", "__do_sys_", "SyS_", "sys_"} {
		if call, ok := strings.CutPrefix(function, prefix); ok && call != "" {
			return call, true
		}
	}
	return "", false
}

// wrapper gives the name that the system call behind the hook has in this
// kernel, where it is another one; "" if it has not.
func (c *kcontext) wrapper() string {
	call, ok := syscallName(c.name)
	if !ok {
		return ""
	}
	name := c.syscall(call)
	if name == c.name {
		return ""
	}
	if f, ok, err := c.Function(name); err != nil || !ok || len(f.Symbols) == 0 {
		return ""
	}
	return name
}

// syscalls: their functions have names and arguments of the architecture (SH202).
func syscalls(c *kcontext) ([]kfinding, error) {
	if !c.functions() {
		return nil, nil
	}
	call, ok := syscallName(c.name)
	if !ok || c.hook.Kind == hook.Ksyscall || c.hook.Kind == hook.Kretsyscall {
		return nil, nil
	}
	remedy := "take the tracepoint, which every architecture has:\nsurehook check " + shellQuote("tracepoint:syscalls:sys_enter_"+call) +
		"\n# or libbpf's ksyscall, which knows the names:\nsurehook check " + shellQuote("ksyscall:"+call)
	if name := c.wrapper(); name != "" && c.gone() {
		return []kfinding{{Finding: Finding{
			Message:  fmt.Sprintf("there is no function %s here: on %s the system call is %s", c.name, c.id.Arch, name),
			Evidence: []string{"__x64_sys_ is amd64's prefix, __arm64_sys_ arm64's; kernels before 4.17 have sys_"},
			Remedy:   remedy,
		}, reason: reasonAbsent, plain: blocks, plan: blocks}}, nil
	}
	if prefix := prefixes[c.id.Arch]; prefix != "" && strings.HasPrefix(c.name, prefix) && len(c.target) > 0 {
		f := kfinding{Finding: Finding{
			Severity: Info,
			Message:  fmt.Sprintf("the arguments of the system call are in a struct pt_regs that arg0 of %s points to", c.name),
			Evidence: []string{"the name is that of " + c.id.Arch.String() + " only"},
			Remedy:   remedy,
		}, reason: reasonChanged}
		if c.id.Arch == elfbin.AMD64 {
			if _, ok, err := c.Function("__ia32_sys_" + call); err == nil && ok {
				f.Evidence = append(f.Evidence, "calls of 32-bit programs go to __ia32_sys_"+call)
			}
		}
		return []kfinding{f}, nil
	}
	return nil, nil
}
