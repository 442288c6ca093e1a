package attached

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/target"
	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/running"
	"github.com/surehook/surehook/sites"
)

// function is a function with a place among the offsets.
type function struct {
	result sites.Result
	hook   hook.Hook
}

// onFile judges the probes of one file. What cannot be told is in the error.
func (j *Judge) onFile(g running.InFile, p *running.Program, origin check.Origin) ([]report.AttachedFunction, error) {
	subject := fmt.Sprintf("%s of %s at %#x", g.Kind, g.File.Path, g.Offsets)
	if g.File.Deleted {
		f := replaced(g, origin, check.Error, "the file was removed or replaced: the probe is on the old one, and programs that start now run without it")
		return []report.AttachedFunction{f}, nil
	}
	changed, err := changedSince(g.File.Open, p.Loaded)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			f := replaced(g, origin, check.Error, "no file has the name now: the probe is on one that was removed or replaced, or in another mount namespace")
			return []report.AttachedFunction{f}, nil
		}
		return nil, fmt.Errorf("%s: %w", subject, err)
	}
	b, err := j.Files.Binary(g.File.Open)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", subject, err)
	}
	finder := finder{binary: b, in: g}
	found, unexplained := finder.functions()
	var out []report.AttachedFunction
	for i := range found {
		out = append(out, j.judge(&found[i], b, g, origin))
	}
	if len(unexplained) > 0 {
		err = fmt.Errorf("%s of %s at file offsets %#x: no function begins there", g.Kind, g.File.Path, unexplained)
	}
	if changed {
		out = append(out, replaced(g, origin, check.Warning, "the file changed after the program was loaded: if the probe was put on it before, it is on the old file, or its offsets hold other code"))
	}
	return out, err
}

// judge compares what is attached with the places where executions begin, or
// of return probes end.
func (j *Judge) judge(f *function, b *sites.Binary, g running.InFile, origin check.Origin) report.AttachedFunction {
	r := &f.result
	out := report.AttachedFunction{}
	out.Verdict = check.Verdict{Hook: f.hook, Plan: r.Plan.Verdict, Functions: 1, Origin: origin}
	// The plain probe, which may see executions pass at places where it is not:
	// a uretprobe is put on the entry.
	plain := len(r.PlainAt) > 0 && !slices.ContainsFunc(r.PlainAt, func(o uint64) bool { return !slices.Contains(g.Offsets, o) })
	more := false
	for i := range r.Sites {
		s := &r.Sites[i]
		switch {
		case plain && s.Plain:
			out.At++
		case slices.Contains(g.Offsets, s.FileOffset):
			out.At++
			more = true
		default:
			out.Missed = append(out.Missed, *s)
		}
	}
	switch {
	case plain && !more:
		out.Verdict.Plain, out.Reasons = r.Plain.Verdict, r.Plain.Reasons
	case len(out.Missed) == 0:
		out.Verdict.Plain, out.Reasons = r.Plan.Verdict, r.Plan.Reasons
		if out.At > 0 {
			return out // what the findings say of plain probes is not so here
		}
	default: // what the plan loses is lost here too
		out.Verdict.Plain = sites.Partial
	}
	findings := check.Check([]sites.Result{*r}, j.Files.CheckInput(target.Resolved{Hook: f.hook, Binary: b, Results: []sites.Result{*r}}, ""))
	for _, finding := range findings {
		finding.Origin, finding.Hook = origin, f.hook
		out.Findings = append(out.Findings, finding)
	}
	return out
}

// replaced is the answer for probes on a file that is no longer what it was.
func replaced(g running.InFile, origin check.Origin, severity check.Severity, text string) report.AttachedFunction {
	h := hook.Hook{Kind: g.Kind, Target: g.File.Path, Text: string(g.Kind) + ":" + g.File.Path}
	f := check.Finding{Rule: check.SH310, Severity: severity, Hook: h, Message: text, Origin: origin}
	if rule, ok := check.Find(string(check.SH310)); ok {
		f.Remedy = rule.Remedy
	}
	for _, o := range g.Offsets {
		f.Evidence = append(f.Evidence, fmt.Sprintf("file offset %#x", o))
	}
	out := report.AttachedFunction{Reasons: []sites.Reason{{Code: "replaced", Text: text}}}
	out.Verdict = check.Verdict{Hook: h, Plain: sites.Unknown, Plan: sites.Unknown, Functions: 0, Origin: origin}
	out.Findings = []check.Finding{f}
	return out
}

// changedSince tells whether a file changed after a moment, which is given by
// the time since boot. A file that is put in its place keeps the time of its
// content (dpkg), so that of the inode counts.
func changedSince(path string, loaded time.Duration) (bool, error) {
	changed, err := unix.Changed(path)
	if err != nil {
		return false, err
	}
	boot, err := unix.SinceBoot()
	if err != nil {
		return false, err
	}
	return changed.After(time.Now().Add(loaded - boot)), nil
}
