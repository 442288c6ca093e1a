package shipped

import (
	"fmt"
	"slices"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

// accesses checks what a program reads. What is about a hook goes to its
// findings; the rest comes back: of a program that hooks nothing.
func (c *Checker) accesses(f *bpfobj.File, p *report.CheckedProgram) ([]check.Finding, error) {
	if c.Fleet == nil || len(p.Program.Reads) == 0 {
		return nil, nil
	}
	var values, types []bpfobj.Access
	for _, a := range p.Program.Reads {
		if a.Source == bpfobj.FromType || a.Source == bpfobj.FromRegister {
			types = append(types, a)
		} else {
			values = append(values, a)
		}
	}
	for i := range p.OnKernel {
		h := &p.OnKernel[i]
		list := values
		if i == 0 {
			list = append(types, values...) // the same whatever it is attached to
		}
		found, err := c.Fleet.Accesses(h.Hook, list, f.Own)
		if err != nil {
			return nil, fmt.Errorf("%s, %s: %w", f.Path, p.Program.Name, err)
		}
		for k := range found {
			h.Results[k].Findings = append(looked(h.Results[k].Findings, found[k]), placed(found[k], f, p.Program)...)
		}
	}
	if len(p.OnKernel) > 0 || len(p.OnFiles) > 0 {
		return nil, nil // a program on a file of user space reads that program's types
	}
	found, err := c.Fleet.Accesses(hook.Hook{}, types, f.Own)
	var out []check.Finding
	for _, list := range found {
		out = append(out, placed(list, f, p.Program)...)
	}
	return out, err
}

// looked makes milder what is said of signatures and fields that changed:
// what the program reads of them was looked at.
func looked(findings, reads []check.Finding) []check.Finding {
	if slices.ContainsFunc(reads, func(f check.Finding) bool {
		return f.Rule != check.SH203 && f.Rule != check.SH133 || f.Severity == check.Info
	}) {
		return findings
	}
	for i := range findings {
		switch f := &findings[i]; f.Rule {
		case check.SH103, check.SH110, check.SH111:
			f.Severity = check.Info
			f.Evidence = append(f.Evidence[:len(f.Evidence):len(f.Evidence)], "what the program reads was compared: see its other findings, if there are any")
		}
	}
	return findings
}

// placed says in which file findings are.
func placed(list []check.Finding, f *bpfobj.File, p *bpfobj.Program) []check.Finding {
	for i := range list {
		list[i].Origin.File, list[i].Origin.Program = f.Path, p.Name
	}
	return list
}

// anyOf makes milder what is said of a hook that cannot be attached where
// another one of the same program can, and the loader goes on with that.
func anyOf(p *report.CheckedProgram) {
	if !p.Program.AnyOf {
		return
	}
	for i := range p.OnFiles {
		h := &p.OnFiles[i]
		j := slices.IndexFunc(p.OnFiles, func(o report.Checked) bool {
			return o.Verdict.Plain != sites.None && o.Verdict.Hook.Target == h.Verdict.Hook.Target
		})
		for k := range h.Findings {
			if j >= 0 && h.Verdict.Plain == sites.None {
				milder(&h.Findings[k], p.OnFiles[j].Verdict.Hook.String(), p.Program.AnyOfWhen)
			}
		}
	}
	for i := range p.OnKernel {
		for k := range p.OnKernel[i].Results {
			other := attached(p, k)
			r := &p.OnKernel[i].Results[k]
			if other == "" || r.Err != nil || r.Attaches != kernel.No {
				continue
			}
			for j := range r.Findings {
				milder(&r.Findings[j], other, p.Program.AnyOfWhen)
			}
		}
	}
}

// attached names a hook of the program that can be attached on kernel k.
func attached(p *report.CheckedProgram, k int) string {
	for i := range p.OnKernel {
		if r := &p.OnKernel[i].Results[k]; r.Err == nil && r.Attaches != kernel.No {
			return p.OnKernel[i].Hook.String()
		}
	}
	return ""
}

func milder(f *check.Finding, other, when string) {
	if !f.Severity.AtLeast(check.Warning) {
		return
	}
	was := f.Severity
	f.Severity = check.Info
	text := other + " of the same probe is there, and the loader goes on with that"
	if when != "" && was == check.Error {
		f.Severity = check.Warning
		text += " " + when
	}
	f.Evidence = append(f.Evidence[:len(f.Evidence):len(f.Evidence)], text)
}
