package main

import (
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/shipped"
	"github.com/surehook/surehook/report"
)

func newCheck(s streams) *cobra.Command {
	var r checkRun
	cmd := &cobra.Command{
		Use:     "check [HOOK|FILE...]",
		Short:   "Say what a probe misses, why, and what to attach instead",
		Example: "  surehook check uprobe:./prog:add\n  surehook check --kernel all kprobe:vfs_read fentry:do_sys_open\n  surehook check --build-id 4f1c22e0 uprobe:./prog:0x1149\n  surehook check --kernel all ./tracer.bpf.o\n  surehook check --running\n  surehook check --together --calls bpf_trace_printk kprobe:vfs_read tracepoint:bpf_trace:bpf_trace_printk",
		RunE:    func(cmd *cobra.Command, args []string) error { return r.run(cmd, s, args) },
	}
	r.register(cmd)
	cmd.Flags().Lookup("format").Usage = "text, json: one object a line (docs/json.md), or one document: sarif, junit, markdown"
	r.kernels.register(cmd)
	r.baseline.register(cmd)
	r.reports.register(cmd)
	cmd.Flags().StringVar(&r.failOn, "fail-on", "warning", "exit 1 from this `SEVERITY` on: error, warning, info or none")
	cmd.Flags().StringVar(&r.buildID, "build-id", "", "the build (`HEX`) that offsets and addresses were computed for")
	cmd.Flags().BoolVar(&r.running, "running", false, "check every tracing program that is attached on this machine, whoever attached it")
	cmd.Flags().StringVar(&r.config, "config", "", "check what this `FILE` lists (docs/ci.md; without any argument: .surehook.yaml)")
	r.kernels.together.register(cmd)
	cmd.Flags().BoolVar(&r.full, "full", false, "every finding in full, however many there are")
	return cmd
}

// checkRun is one run of check.
type checkRun struct {
	common
	kernels         kernelFlags
	baseline        baselineFlags
	reports         reportFlags
	failOn, buildID string
	full, running   bool
	config          string
}

func (r *checkRun) run(cmd *cobra.Command, s streams, args []string) error {
	if err := r.runningArgs(args); err != nil {
		return err
	}
	parts := []part{{args: args, kernels: r.kernels.names}}
	listed, err := r.list(cmd, args)
	if err != nil {
		return err
	}
	if listed != nil {
		parts = r.parts(listed)
	}
	format, err := report.ParseDocumentFormat(r.format)
	if err != nil {
		return err
	}
	if err := r.reports.parse(); err != nil {
		return err
	}
	limit, err := check.ParseSeverity(r.failOn)
	if err != nil {
		return fmt.Errorf("--fail-on: %w", err)
	}
	if _, err := hex.DecodeString(r.buildID); err != nil {
		return fmt.Errorf("--build-id %q: write it in hex, as \"file\" or \"readelf -n\" shows it", r.buildID)
	}
	accepted, err := r.baseline.read()
	if err != nil {
		return err
	}
	now := time.Now()
	d := &report.Document{Version: version(), FailOn: limit}
	failed := r.document(d, parts)
	r.baseline.apply(accepted, d, now)
	if failed == nil || !empty(d) {
		if err := report.Write(s.out, format, d, r.full); err != nil {
			return err
		}
	}
	failed = errors.Join(failed, r.reports.write(d, r.full))
	if r.baseline.write {
		return errors.Join(failed, r.baseline.add(d, s.err, now))
	}
	switch worst := d.Worst(); {
	case failed != nil:
		return failed
	case worst != "" && worst.AtLeast(limit):
		return &exitError{code: exitFindings}
	}
	return nil
}

// empty tells whether a document has no answer.
func empty(d *report.Document) bool {
	return len(d.Hooks)+len(d.Fleet)+len(d.Files)+len(d.General)+len(d.Passed) == 0 && d.Running == nil
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
