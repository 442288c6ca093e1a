package check

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/core"
	"github.com/surehook/surehook/sites"
)

// Reasons of compiled programs.
const (
	reasonRefusedProgram sites.ReasonCode = "program-refused" // the kernel does not load the program
	reasonNoHook         sites.ReasonCode = "hook-not-known"  // where the program is attached
)

// CheckProgram answers for a compiled program on every kernel asked for: for
// one of its hooks as Check does, and for what its code reads and calls there.
// Without a hook (the zero Hook) only the code is judged, and the verdict is
// unknown unless the program cannot be loaded.
func (f *Fleet) CheckProgram(p *bpfobj.Program, h hook.Hook) ([]KernelResult, []Alternative) {
	if h.Kind != "" {
		return f.check(h, p)
	}
	h.Text = p.Section
	var out []KernelResult
	for _, m := range f.asked {
		c := &kcontext{member: m, fleet: f, hook: h, name: p.Name, program: p}
		r := KernelResult{Verdict: Verdict{Hook: h, Kernel: m.id.Name, Plain: sites.Unknown, Plan: sites.Unknown}}
		if err := c.runProgram(); err != nil {
			r.Err = fmt.Errorf("kernel %s: %w", m.id.Name, err)
			out = append(out, r)
			continue
		}
		r.Attaches = c.attaches()
		c.byLoader()
		r.add(c, true)
		r.Verdict.Functions = 0
		if r.Verdict.Plain == sites.Complete {
			r.Verdict.Plain, r.Plain = sites.Unknown, []sites.Reason{{Code: reasonNoHook, Text: notPlaced(p)}}
		}
		r.Verdict.Plan, r.Plan = r.Verdict.Plain, r.Plain
		out = append(out, r)
	}
	return out, nil
}

func notPlaced(p *bpfobj.Program) string {
	if p.HookNotKnown != "" {
		return p.HookNotKnown
	}
	return "its hooks are in files, not in the kernel; only whether its code fits the kernel is judged"
}

// trace gives what a program can do on a kernel. Programs remember it for
// kernels that answer alike.
func (m *member) trace(p *bpfobj.Program) (*bpfobj.Trace, error) {
	if m.types == nil {
		m.types = core.NewCache(m.Kernel)
	}
	return p.Trace(asked{m})
}

// asked answers what a program asks of a kernel.
type asked struct{ m *member }

// Resolve answers a relocation. Without the kernel's types nothing fails: that
// they are not known is a finding of its own.
func (a asked) Resolve(r *bpfobj.Relocation) (core.Answer, error) {
	if a.m.Missing(kernel.Types) != "" {
		return core.Answer{}, nil
	}
	return core.Resolve(a.m.types, &r.Relo)
}

// Extern gives variables that libbpf fills from the kernel's version and
// configuration.
func (a asked) Extern(name string) (value uint64, known bool, err error) {
	if name == "LINUX_KERNEL_VERSION" {
		v, ok := versionCode(a.m.id)
		return v, ok, nil
	}
	if !strings.HasPrefix(name, "CONFIG_") {
		return 0, false, nil
	}
	text, set, err := a.m.Config(name)
	switch {
	case err != nil || set == kernel.NotKnown:
		return 0, false, err
	case set == kernel.No:
		return 0, true, nil
	case text == "y":
		return 1, true, nil // of a bool and of enum libbpf_tristate; a char is rare
	case text == "m":
		return 2, true, nil
	}
	v, err := strconv.ParseUint(text, 0, 64)
	return v, err == nil, nil
}

// Symbol tells whether the kernel has a kfunc.
func (a asked) Symbol(name string) (there, known bool, err error) {
	if a.m.Missing(kernel.Kfuncs) != "" {
		return false, false, nil
	}
	list, err := a.m.Kfuncs()
	_, there = slices.BinarySearch(list, name)
	return there, err == nil, err
}

// versionCode is what LINUX_KERNEL_VERSION is on a kernel, as libbpf has it:
// Debian's releases leave the last number out, their banner has it at its end,
// behind the compiler's, which is Debian's too.
func versionCode(id kernel.Identity) (uint64, bool) {
	text := id.Release
	if _, uname, ok := strings.Cut(id.Banner, "#"); ok { // what uname -v says
		if _, after, ok := strings.Cut(uname, "Debian "); ok {
			text = after
		}
	}
	parts := strings.SplitN(text, ".", 3)
	if len(parts) < 2 {
		return 0, false
	}
	var v [3]uint64
	for i, p := range parts {
		end := 0
		for end < len(p) && p[end] >= '0' && p[end] <= '9' {
			end++
		}
		n, err := strconv.ParseUint(p[:end], 10, 16)
		if err != nil {
			return 0, false
		}
		v[i] = n
	}
	return v[0]<<16 + v[1]<<8 + min(v[2], 255), true
}

// source lines and settings, as evidence.
func at(where, line string) string {
	if line == "" {
		return "at " + where
	}
	return "at " + where + ": " + line
}

// unless lowers a finding that the program's loader can make void.
func unless(f *kfinding, variable string) {
	if variable == "" {
		return
	}
	if f.Severity == "" || f.Severity == Error {
		f.Severity = Warning
	}
	f.Evidence = append(f.Evidence, "only if its loader sets the variable "+variable+" so that the code is reached")
	if f.plain == blocks {
		f.plain = doubts
	}
}
