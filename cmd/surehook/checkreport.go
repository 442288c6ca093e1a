package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/report"
)

// reportFlags say which documents are written into files besides.
type reportFlags struct {
	given []string
	files []reportFile
}

type reportFile struct {
	format report.Format
	path   string
}

func (r *reportFlags) register(cmd *cobra.Command) {
	cmd.Flags().StringArrayVar(&r.given, "report", nil, "write a document into a file too, `FORMAT=FILE` (may be repeated)")
}

// parse reads what was given.
func (r *reportFlags) parse() error {
	for _, text := range r.given {
		format, path, ok := strings.Cut(text, "=")
		if !ok || path == "" {
			return fmt.Errorf("--report %q: write FORMAT=FILE, for example sarif=surehook.sarif", text)
		}
		f, err := report.ParseDocumentFormat(format)
		if err != nil {
			return fmt.Errorf("--report: %w", err)
		}
		r.files = append(r.files, reportFile{f, path})
	}
	return nil
}

// write writes all of them, also where some fail.
func (r *reportFlags) write(d *report.Document, full bool) (failed error) {
	for _, f := range r.files {
		var b bytes.Buffer
		err := report.Write(&b, f.format, d, full)
		if err == nil {
			err = os.WriteFile(f.path, b.Bytes(), 0o644)
		}
		failed = errors.Join(failed, err)
	}
	return failed
}
