package shipped

import (
	"errors"
	"fmt"
	"io/fs"

	"github.com/surehook/surehook/bpfobj"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/sites"
)

// NeedKernels tells whether there is something that kernels are asked about.
func NeedKernels(files []*bpfobj.File) bool {
	for _, f := range files {
		for i := range f.Programs {
			if f.Programs[i].Compiled() {
				return true
			}
		}
	}
	return len(KernelHooks(files)) > 0 || Reads(files)
}

// KernelHooks gives the hooks of all files that are the kernel's, each once.
func KernelHooks(files []*bpfobj.File) []hook.Hook {
	var out []hook.Hook
	seen := map[string]bool{}
	for _, f := range files {
		for _, p := range f.Programs {
			for _, h := range p.Hooks {
				if !h.Kind.User() && !seen[h.String()] {
					seen[h.String()] = true
					out = append(out, h)
				}
			}
		}
	}
	return out
}

// Reads tells whether a program reads by types of the kernel.
func Reads(files []*bpfobj.File) bool {
	for _, f := range files {
		for _, p := range f.Programs {
			if len(p.Reads) > 0 && len(p.Hooks) == 0 {
				return true
			}
		}
	}
	return false
}

// Checker answers for files.
type Checker struct {
	Fleet *check.Fleet // for hooks of the kernel; may be nil if there are none
	Files *target.Analyzer
}

// Check runs the rules on every hook of every program. Hooks that fail are
// skipped, the others are answered.
func (c *Checker) Check(files []*bpfobj.File, skip func(subject string, err error)) []report.CheckedFile {
	var out []report.CheckedFile
	for _, f := range files {
		checked := report.CheckedFile{File: f, Findings: append(rejected(f), mistakes(f)...)}
		for i := range f.Programs {
			p, err := c.program(f, &f.Programs[i])
			if err != nil {
				skip(f.Path, err)
			}
			found, err := c.accesses(f, &p)
			if err != nil {
				skip(f.Path, err)
			}
			checked.Findings = append(checked.Findings, found...)
			anyOf(&p)
			ignored(f, &p)
			checked.Programs = append(checked.Programs, p)
		}
		out = append(out, checked)
	}
	return out
}

func (c *Checker) program(f *bpfobj.File, p *bpfobj.Program) (out report.CheckedProgram, failed error) {
	out.Program = p
	for i, h := range p.Hooks {
		origin := originOf(f, p, i)
		var err error
		if h.Kind.User() {
			err = c.onFile(&out, h, i < len(p.ByOffset) && p.ByOffset[i], origin)
		} else {
			err = c.onKernels(&out, h, origin)
		}
		if err != nil {
			failed = errors.Join(failed, fmt.Errorf("%s, %s: %w", f.Path, p.Name, err))
		}
	}
	if len(out.OnKernel) == 0 && p.Compiled() && c.Fleet != nil {
		failed = errors.Join(failed, c.onKernels(&out, hook.Hook{}, originOf(f, p, len(p.Hooks))))
	}
	return out, failed
}

// originOf says where a program's hook stands.
func originOf(f *bpfobj.File, p *bpfobj.Program, hook int) check.Origin {
	o := check.Origin{File: f.Path, Program: p.Name, Where: p.Where}
	if hook < len(p.Places) {
		o.Line, o.Column = p.Places[hook].Line, p.Places[hook].Column
		o.Where = fmt.Sprintf("%d:%d", o.Line, o.Column)
	}
	return o
}

// rejected is the finding about a file that is rejected as a whole (SH002).
func rejected(f *bpfobj.File) []check.Finding {
	r := f.Rejected
	if r == nil {
		return nil
	}
	by := "bpftrace"
	if f.Kind == bpfobj.Policy {
		by = "tetragon"
	}
	return []check.Finding{{
		Rule: check.SH002, Severity: check.Error, Message: by + " rejects the file: " + r.Reason, Remedy: "mend the file",
		Origin: check.Origin{File: f.Path, Where: fmt.Sprintf("%d:%d", r.Line, r.Column), Line: r.Line, Column: r.Column},
	}}
}

// onFile answers for a hook of a file; byOffset: its address is an offset there.
func (c *Checker) onFile(out *report.CheckedProgram, h hook.Hook, byOffset bool, origin check.Origin) error {
	var r target.Resolved
	var err error
	if byOffset {
		h, err = c.byOffset(h)
	}
	if err == nil {
		r, err = c.Files.ResolveHook(h)
	}
	if missing, ok := notThere(h, err, origin); ok {
		out.OnFiles = append(out.OnFiles, missing)
		return nil
	}
	if err != nil {
		return err
	}
	checked := report.Checked{Verdict: check.Judge(r.Results), Findings: check.Check(r.Results, c.Files.CheckInput(r, ""))}
	checked.Verdict.Origin = origin
	for i := range checked.Findings {
		checked.Findings[i].Origin = origin
	}
	out.OnFiles = append(out.OnFiles, checked)
	return nil
}

func (c *Checker) onKernels(out *report.CheckedProgram, h hook.Hook, origin check.Origin) (failed error) {
	o := report.OnKernels{Hook: h}
	if h.Kind == "" {
		o.Hook.Text = out.Program.Section
	}
	o.Results, o.Alternatives = c.Fleet.CheckProgram(out.Program, h)
	for i := range o.Results {
		r := &o.Results[i]
		failed = errors.Join(failed, r.Err)
		r.Verdict.Origin = origin
		for j := range r.Findings {
			r.Findings[j].Origin = origin
		}
	}
	out.OnKernel = append(out.OnKernel, o)
	return failed
}

// notThere is the answer for a hook of a function or file that is not there.
func notThere(h hook.Hook, err error, origin check.Origin) (report.Checked, bool) {
	f := check.Finding{Hook: h, Function: h.Function, Origin: origin}
	v := check.Verdict{Hook: h, Plain: sites.Unknown, Plan: sites.Unknown, Origin: origin}
	none, noFile := (*sites.NotFoundError)(nil), (*elfbin.NotFoundError)(nil)
	switch {
	case errors.As(err, &none):
		f.Rule, v.Plain, v.Plan = check.SH308, sites.None, sites.None
		if none.NoDebug { // it may be there without a name
			v.Plan = sites.Unknown
		}
	case errors.As(err, &noFile), errors.Is(err, fs.ErrNotExist):
		f.Rule = check.SH309
	default:
		return report.Checked{}, false
	}
	f.Message = err.Error()
	if r, ok := check.Find(string(f.Rule)); ok {
		f.Severity, f.Remedy = r.Severity, r.Remedy
	}
	return report.Checked{Verdict: v, Findings: []check.Finding{f}}, true
}
