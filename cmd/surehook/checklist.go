package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/checklist"
	"github.com/surehook/surehook/report"
)

// part is what is checked on the same kernels and with the same files.
type part struct {
	args     []string
	kernels  []string
	binaries map[string]string
	dir      string                  // of relative names in hooks; "" for the working directory
	origins  map[string]check.Origin // where hooks stand, by their text
}

// list reads the checklist that is asked for: by --config, as the only FILE, or
// by nothing at all where there is one. It is nil if there is none.
func (r *checkRun) list(cmd *cobra.Command, args []string) (*checklist.List, error) {
	name := r.config
	switch given := slices.IndexFunc(args, checklist.Is); {
	case name != "" && len(args) > 0, given >= 0 && len(args) > 1:
		return nil, fmt.Errorf("a %s lists all that is checked; give it alone", checklist.Name)
	case given >= 0:
		name = args[given]
	case name == "" && len(args) == 0 && !r.running:
		if _, err := os.Stat(checklist.Name); errors.Is(err, fs.ErrNotExist) {
			return nil, hooks(cmd, args)
		}
		name = checklist.Name
	}
	if name == "" {
		return nil, nil
	}
	if r.running {
		return nil, errors.New("--running checks what is attached on this machine; leave the configuration out")
	}
	data, err := os.ReadFile(name)
	if err != nil {
		return nil, err
	}
	l, err := checklist.Parse(name, data)
	if err != nil {
		return nil, err
	}
	r.settle(cmd, l)
	return l, nil
}

// settle takes from a list what no flag says.
func (r *checkRun) settle(cmd *cobra.Command, l *checklist.List) {
	said := cmd.Flags().Changed
	if !said("format") && l.Format != "" {
		r.format = string(l.Format)
	}
	if !said("fail-on") && l.FailOn != "" {
		r.failOn = string(l.FailOn)
	}
	if !said("baseline") && l.Baseline != "" {
		r.baseline.path, r.baseline.dir = l.Baseline, l.Dir
	}
	r.kernels.dirs = append(slices.Clone(l.Atlas), r.kernels.dirs...)
}

// parts are the entries of a list, those that are alike in one. What --kernel
// says counts for all.
func (r *checkRun) parts(l *checklist.List) []part {
	var out []part
	for _, e := range l.Entries {
		p := part{args: append(slices.Clone(e.Files), e.Hooks...), kernels: e.Kernels, binaries: e.Binaries, dir: l.Dir, origins: map[string]check.Origin{}}
		for i, h := range e.Hooks {
			at := e.Places[i]
			p.origins[h] = check.Origin{File: l.Path, Where: fmt.Sprintf("%d:%d", at.Line, at.Column), Line: at.Line, Column: at.Column}
		}
		if len(r.kernels.names) > 0 {
			p.kernels = r.kernels.names
		}
		i := slices.IndexFunc(out, func(o part) bool { return slices.Equal(o.kernels, p.kernels) && maps.Equal(o.binaries, p.binaries) })
		if i < 0 {
			out = append(out, p)
		} else {
			out[i].args = append(out[i].args, p.args...)
			maps.Copy(out[i].origins, p.origins)
		}
	}
	return out
}

// document checks all that is asked for. What could not be checked is in the
// error, and in the document, which has the answers to all others.
func (r *checkRun) document(d *report.Document, parts []part) error {
	if r.running {
		return r.checkRunning(d)
	}
	var failed error
	var docs []*report.Document
	for _, p := range parts {
		one := &report.Document{}
		failed = errors.Join(failed, r.part(one, p))
		docs = append(docs, one)
	}
	d.Merge(docs...)
	return failed
}

// part checks the hooks and files of one part.
func (r *checkRun) part(d *report.Document, p part) (failed error) {
	skip := skipper(d, &failed)
	c, k := r.common, r.kernels
	c.dir, c.instead, k.names = p.dir, p.binaries, p.kernels
	files, onBinaries, onKernel := split(p.args, skip)
	d.Hooks = c.check(onBinaries, strings.ToLower(r.buildID), skip)
	if len(onKernel) > 0 {
		failed = errors.Join(failed, k.check(d, onKernel))
	}
	d.Place(func(h hook.Hook) check.Origin { return p.origins[h.Text] })
	c.checkFiles(d, &k, files, skip)
	return failed
}

// skipper gives a function that notes what has no answer.
func skipper(d *report.Document, failed *error) func(string, error) {
	return func(subject string, err error) {
		*failed = errors.Join(*failed, err)
		d.Skipped = append(d.Skipped, report.Skipped{Subject: subject, Reason: err.Error(), Failed: true})
	}
}
