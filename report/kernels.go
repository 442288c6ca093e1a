package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/sites"
)

// kernelObject is one kernel in JSON.
type kernelObject struct {
	Schema  string            `json:"schema"`
	Name    string            `json:"name"`
	Release string            `json:"release"`
	Arch    string            `json:"arch"`
	BuildID string            `json:"build_id"`
	Package string            `json:"package"`
	Source  string            `json:"source"`
	Missing map[string]string `json:"missing"`
}

func newKernelObject(k kernel.Kernel) kernelObject {
	id := k.Identity()
	o := kernelObject{
		Schema: KernelSchema, Name: id.Name, Release: id.Release, Arch: id.Arch.String(), BuildID: id.BuildID,
		Package: id.Package, Source: id.Source, Missing: map[string]string{},
	}
	for t := range kernel.NumTopics {
		if why := k.Missing(t); why != "" {
			o.Missing[t.String()] = why
		}
	}
	return o
}

// Kernels writes a list of kernels.
func Kernels(w io.Writer, f Format, list []kernel.Kernel) error {
	if f == JSON {
		for _, k := range list {
			if err := line(w, newKernelObject(k)); err != nil {
				return err
			}
		}
		return nil
	}
	return buffered(w, func(b *bufio.Writer) {
		c := &columns{}
		c.add("kernel", "arch", "not known")
		for _, k := range list {
			id := k.Identity()
			c.add(id.Name, id.Arch.String(), cmp.Or(strings.Join(missing(k), ", "), "-"))
		}
		c.print(b, "")
	})
}

// missing names the topics that a kernel's source does not tell.
func missing(k kernel.Kernel) []string {
	var names []string
	for t := range kernel.NumTopics {
		if k.Missing(t) != "" {
			names = append(names, t.String())
		}
	}
	return names
}

// Facts are what a kernel has under one name.
type Facts struct {
	Kernel      kernel.Kernel
	Name        string
	Function    *kernel.Function // nil if there is no function of that name
	Tracepoints []kernel.Tracepoint
	Raw         []kernel.RawTracepoint
	Hooks       []kernel.LSMHook
	Definitions []kernel.Definition
	Callers     []kernel.Call // of the function's symbols
	Kfunc       bool
}

// Empty tells whether nothing has the name.
func (f *Facts) Empty() bool {
	return f.Function == nil && len(f.Tracepoints)+len(f.Raw)+len(f.Hooks)+len(f.Definitions) == 0 && !f.Kfunc
}

// maxCopies is how many inlined copies are shown as text without --full.
const maxCopies = 20

// KernelFacts writes what a kernel has under a name.
func KernelFacts(w io.Writer, f Format, facts Facts, full bool) error {
	if f == JSON {
		return line(w, newFactsObject(&facts))
	}
	return buffered(w, func(b *bufio.Writer) {
		fmt.Fprintf(b, "%s: %s\n", facts.Kernel.Identity().Name, facts.Name)
		if facts.Function != nil {
			functionText(b, &facts, full)
		}
		for _, t := range facts.Tracepoints {
			fmt.Fprintf(b, "  tracepoint:%s:%s%s\n", t.System, t.Name, inModule(t.Module))
			c := &columns{}
			for _, f := range t.Fields {
				c.add(fmt.Sprint(f.Offset), f.Type+" "+f.Name)
			}
			c.print(b, "      ")
		}
		for _, r := range facts.Raw {
			text := "arguments not known"
			if facts.Kernel.Missing(kernel.RawArgs) == "" {
				text = kernel.Proto{Params: r.Params, Result: "0"}.C(r.Name)
			}
			fmt.Fprintf(b, "  rawtracepoint:%s%s: %s\n", r.Name, inModule(r.Module), text)
		}
		for _, h := range facts.Hooks {
			fmt.Fprintf(b, "  lsm:%s: %s; BPF programs can be put on it: %s\n", h.Name, h.Proto.C(h.Name), h.Attachable)
		}
		if facts.Kfunc {
			b.WriteString("  BPF programs may call it (kfunc)\n")
		}
		for _, d := range facts.Definitions {
			b.WriteString("  " + strings.ReplaceAll(d.C(), "\n", "\n  ") + "\n")
		}
	})
}

func inModule(module string) string {
	if module == "" {
		return ""
	}
	return " in module " + module
}

// functionText shows a function's symbols, copies and callers.
func functionText(b *bufio.Writer, facts *Facts, full bool) {
	f := facts.Function
	class := f.Class().String()
	if why := facts.Kernel.Missing(kernel.Inlining); why != "" {
		class += "; inlined copies not known: " + why
	}
	fmt.Fprintf(b, "  function, %s\n", wrap(class, width-14, "    "))
	for _, p := range f.Protos {
		fmt.Fprintf(b, "    %s\n", wrap(p.C(f.Name), width-4, "        "))
	}
	if len(f.Sources) > 0 {
		fmt.Fprintf(b, "    declared at %s\n", wrap(strings.Join(f.Sources, ", "), width-16, "        "))
	}
	c := &columns{}
	for _, s := range f.Symbols {
		c.add(s.Name, fmt.Sprintf("%#x", s.Address), fmt.Sprintf("%d bytes%s", s.Size, inModule(s.Module)),
			"ftrace: "+s.Traceable.String(), "kprobe refused: "+s.Refused.String())
	}
	c.print(b, "    ")
	copiesText(b, facts, full)
	if names := callerNames(facts.Callers); len(names) > 0 {
		fmt.Fprintf(b, "    called directly by %s\n", wrap(shorten(names, full)+besides(facts.Kernel), width-24, "        "))
	}
	fmt.Fprintf(b, "    in BTF: %s\n", f.BTF)
}

func copiesText(b *bufio.Writer, facts *Facts, full bool) {
	f := facts.Function
	if facts.Kernel.Missing(kernel.Inlining) != "" {
		return
	}
	fmt.Fprintf(b, "    every execution begins at a symbol or a copy: %s\n", planWord(f.Plan))
	c := &columns{}
	for i, y := range f.Copies {
		if i == maxCopies && !full {
			c.add(fmt.Sprintf("and %d more; --full shows all", len(f.Copies)-i))
			break
		}
		text := ""
		if y.Cond != (kernel.Copy{}).Cond {
			text = "if " + y.Cond.String()
		}
		c.add(fmt.Sprintf("inlined in %s+%#x%s", y.Caller, y.Offset, inModule(y.Module)), text)
	}
	c.print(b, "    ")
}

func planWord(j sites.Judgement) string {
	if len(j.Reasons) == 0 || j.Verdict == sites.Complete {
		return string(cmp.Or(j.Verdict, sites.Unknown))
	}
	return string(j.Verdict) + ": " + j.Reasons[0].Text
}

// besides says which callers are not known.
func besides(k kernel.Kernel) string {
	if k.Missing(kernel.ModuleCalls) == "" {
		return ""
	}
	return "; calls of modules are not known"
}

func callerNames(calls []kernel.Call) []string {
	var names []string
	for _, c := range calls {
		names = append(names, c.Caller)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

func shorten(names []string, full bool) string {
	if len(names) > maxCopies && !full {
		return strings.Join(names[:maxCopies], ", ") + fmt.Sprintf(" and %d more", len(names)-maxCopies)
	}
	return strings.Join(names, ", ")
}
