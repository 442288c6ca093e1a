package report

import (
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
)

// EachFindings visits every list of findings, which may be changed in place.
func (d *Document) EachFindings(visit func([]check.Finding)) {
	onFiles := func(list []Checked) {
		for _, h := range list {
			visit(h.Findings)
		}
	}
	onKernels := func(list []OnKernels) {
		for _, h := range list {
			for _, r := range h.Results {
				visit(r.Findings)
			}
		}
	}
	onFiles(d.Hooks)
	onKernels(d.Fleet)
	for _, f := range d.Files {
		visit(f.Findings)
		for _, p := range f.Programs {
			onFiles(p.OnFiles)
			onKernels(p.OnKernel)
		}
	}
	for _, a := range d.Running {
		for _, f := range a.Functions {
			visit(f.Findings)
		}
		onKernels(a.OnKernel)
	}
	visit(d.General)
}

// Place says of hooks that are in no file where they were asked for.
func (d *Document) Place(origin func(hook.Hook) check.Origin) {
	mark := func(o check.Origin, v *check.Verdict, findings []check.Finding) {
		if o == (check.Origin{}) {
			return
		}
		v.Origin = o
		for i := range findings {
			findings[i].Origin = o
		}
	}
	for i := range d.Hooks {
		h := &d.Hooks[i]
		mark(origin(h.Verdict.Hook), &h.Verdict, h.Findings)
	}
	for i := range d.Fleet {
		for k := range d.Fleet[i].Results {
			r := &d.Fleet[i].Results[k]
			mark(origin(d.Fleet[i].Hook), &r.Verdict, r.Findings)
		}
	}
}

// EachAnswer visits every hook with the kernel or file it was answered for,
// and every file that was read, with the zero Hook.
func (d *Document) EachAnswer(visit func(h hook.Hook, on string, from check.Origin)) {
	for _, a := range d.flat().answers() {
		if a.failed == "" {
			visit(a.verdict.Hook, a.subject, a.verdict.Origin)
		}
	}
	for _, f := range d.Files {
		visit(hook.Hook{}, "", check.Origin{File: f.File.Path})
	}
}

// Worst is the worst severity of all findings that nobody accepts.
func (d *Document) Worst() check.Severity {
	worst := check.Severity("")
	d.EachFindings(func(list []check.Finding) { worst = check.Worse(worst, check.Worst(list)) })
	return worst
}
