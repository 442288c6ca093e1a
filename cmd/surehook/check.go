package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/shipped"
	"github.com/surehook/surehook/report"
)

func newCheck(s streams) *cobra.Command {
	var c common
	var k kernelFlags
	var failOn, buildID string
	var full bool
	cmd := &cobra.Command{
		Use:     "check HOOK|FILE...",
		Short:   "Say what a probe misses, why, and what to attach instead",
		Example: "  surehook check uprobe:./prog:add\n  surehook check --kernel all kprobe:vfs_read fentry:do_sys_open\n  surehook check --build-id 4f1c22e0 uprobe:./prog:0x1149\n  surehook check --kernel all ./tracer.bpf.o",
		Args:    hooks,
		RunE: func(_ *cobra.Command, args []string) error {
			format, err := report.ParseDocumentFormat(c.format)
			if err != nil {
				return err
			}
			limit, err := check.ParseSeverity(failOn)
			if err != nil {
				return fmt.Errorf("--fail-on: %w", err)
			}
			if _, err := hex.DecodeString(buildID); err != nil {
				return fmt.Errorf("--build-id %q: write it in hex, as \"file\" or \"readelf -n\" shows it", buildID)
			}
			d := &report.Document{Version: version(), FailOn: limit}
			failed := c.document(d, &k, args, strings.ToLower(buildID))
			if failed == nil || !empty(d) {
				if err := report.Write(s.out, format, d, full); err != nil {
					return err
				}
			}
			switch worst := worst(d); {
			case failed != nil:
				return failed
			case worst != "" && worst.AtLeast(limit):
				return &exitError{code: exitFindings}
			}
			return nil
		},
	}
	c.register(cmd)
	cmd.Flags().Lookup("format").Usage = "text, json: one object a line (docs/json.md), or one document: sarif, junit, markdown"
	k.register(cmd)
	cmd.Flags().StringVar(&failOn, "fail-on", "warning", "exit 1 from this `SEVERITY` on: error, warning, info or none")
	cmd.Flags().StringVar(&buildID, "build-id", "", "the build (`HEX`) that offsets and addresses were computed for")
	cmd.Flags().BoolVar(&full, "full", false, "every finding in full, however many there are")
	return cmd
}

// document checks every hook. What could not be checked is in the error, and
// in the document, which has the answers to all others.
func (c *common) document(d *report.Document, k *kernelFlags, args []string, buildID string) error {
	var failed error
	skip := func(subject string, err error) {
		failed = errors.Join(failed, err)
		d.Skipped = append(d.Skipped, report.Skipped{Subject: subject, Reason: err.Error(), Failed: true})
	}
	files, onBinaries, onKernel := split(args, skip)
	d.Hooks = c.check(onBinaries, buildID, skip)
	if len(onKernel) > 0 {
		failed = errors.Join(failed, k.check(d, onKernel))
	}
	c.checkFiles(d, k, files, skip)
	return failed
}

// empty tells whether a document has no answer.
func empty(d *report.Document) bool {
	return len(d.Hooks)+len(d.Fleet)+len(d.Files)+len(d.General) == 0
}

// worst is the worst severity in a document.
func worst(d *report.Document) check.Severity {
	worst := check.Worst(d.General)
	for _, h := range d.Hooks {
		worst = check.Worse(worst, check.Worst(h.Findings))
	}
	for _, h := range d.Fleet {
		for _, r := range h.Results {
			worst = check.Worse(worst, check.Worst(r.Findings))
		}
	}
	for _, f := range d.Files {
		worst = check.Worse(worst, f.Worst())
	}
	return worst
}

// split takes files apart from hooks, and hooks of the kernel from those of
// binaries. It skips what is neither.
func split(args []string, skip func(string, error)) (files, onBinaries []string, onKernel []hook.Hook) {
	for _, arg := range args {
		if shipped.IsFile(arg) {
			files = append(files, arg)
			continue
		}
		h, err := hook.Parse(arg)
		switch {
		case err != nil:
			skip(arg, err)
		case h.Kind.User():
			onBinaries = append(onBinaries, arg)
		default:
			onKernel = append(onKernel, h)
		}
	}
	return files, onBinaries, onKernel
}

// check runs the rules on every hook of a file, and skips those that fail.
func (c *common) check(args []string, buildID string, skip func(string, error)) []report.Checked {
	a := c.analyzer()
	defer a.Close()
	var out []report.Checked
	for _, arg := range args {
		r, err := a.Resolve(arg)
		if err != nil {
			skip(arg, err)
			continue
		}
		findings := check.Check(r.Results, a.CheckInput(r, buildID))
		out = append(out, report.Checked{Verdict: check.Judge(r.Results), Findings: findings})
	}
	return out
}
