package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/baseline"
	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/report"
)

// baselineFlags say which findings are accepted.
type baselineFlags struct {
	path   string
	write  bool
	reason string
	dir    string // that names of files in it are relative to; "": the working directory
}

func (b *baselineFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringVar(&b.path, "baseline", "", "findings that this `FILE` accepts are shown and do not fail (docs/ci.md)")
	cmd.Flags().BoolVar(&b.write, "write-baseline", false, "add findings at or above --fail-on to the --baseline file, and succeed")
	cmd.Flags().StringVar(&b.reason, "reason", "", "with --write-baseline: why they are accepted (`TEXT`)")
}

// read reads the baseline; nil if there is none. One that is to be written
// need not be there yet.
func (b *baselineFlags) read() (*baseline.File, error) {
	if b.path == "" {
		if b.write {
			return nil, errors.New("--write-baseline needs --baseline FILE")
		}
		return nil, nil
	}
	data, err := os.ReadFile(b.path)
	if errors.Is(err, fs.ErrNotExist) && b.write {
		return &baseline.File{Path: b.path}, nil
	}
	if err != nil {
		return nil, err
	}
	f, err := baseline.Parse(b.path, data)
	if err != nil {
		return nil, err
	}
	for i := range f.Entries {
		if e := &f.Entries[i]; e.File != "" && b.dir != "" && !filepath.IsAbs(e.File) {
			e.File = filepath.Join(b.dir, e.File)
		}
	}
	return f, nil
}

// apply marks what is accepted, and tells of entries that accept nothing.
func (b *baselineFlags) apply(f *baseline.File, d *report.Document, now time.Time) {
	if f == nil {
		return
	}
	use := f.Use(now)
	d.EachFindings(use.Accept)
	var answered []baseline.Subject
	d.EachAnswer(func(h hook.Hook, on string, from check.Origin) {
		answered = append(answered, baseline.NewSubject(h, on, from))
	})
	d.General = append(d.General, use.Leftover(answered)...)
}

// add writes the findings that would fail the run into the file.
func (b *baselineFlags) add(d *report.Document, w io.Writer, now time.Time) error {
	var list []check.Finding
	d.EachFindings(func(findings []check.Finding) {
		for _, f := range findings {
			if f.Severity.AtLeast(d.FailOn) {
				list = append(list, f)
			}
		}
	})
	reason := b.reason
	if reason == "" {
		reason = "not looked at yet, " + now.UTC().Format("2006-01-02")
	}
	entries := baseline.Entries(list, reason)
	for i := range entries {
		if e := &entries[i]; e.File != "" && b.dir != "" {
			if name, err := filepath.Rel(b.dir, e.File); err == nil {
				e.File = filepath.ToSlash(name)
			}
		}
	}
	if err := baseline.Add(b.path, entries); err != nil {
		return err
	}
	_, err := fmt.Fprintf(w, "surehook: %s: %d entries added\n", b.path, len(entries))
	return err
}
