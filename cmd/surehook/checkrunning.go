package main

import (
	"errors"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/internal/attached"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/report"
	"github.com/surehook/surehook/running"
)

// runningArgs refuses what --running does not go together with.
func (r *checkRun) runningArgs(args []string) error {
	switch {
	case !r.running:
		return nil
	case len(args) > 0:
		return errors.New("--running checks what is attached on this machine; give hooks and files to another run")
	case len(r.kernels.names) > 0:
		return errors.New("--running is about the running kernel; leave --kernel out")
	}
	return nil
}

// checkRunning runs the rules on all that is attached on this machine. What
// was not looked at is in the document.
func (r *checkRun) checkRunning(d *report.Document) (failed error) {
	inv, err := running.Read(running.Options{})
	if err != nil {
		return err
	}
	for _, u := range inv.Unread {
		d.Skipped = append(d.Skipped, report.Skipped{Subject: u.What, Reason: u.Reason})
	}
	judge := attached.Judge{Files: r.analyzer()}
	defer func() { failed = errors.Join(failed, judge.Files.Close()) }()
	known, unread := r.kernels.catalogue()
	if known != nil {
		defer func() { failed = errors.Join(failed, known.Close()) }()
		list, err := known.Find(kernels.Live)
		unread = errors.Join(unread, err)
		if len(list) > 0 {
			judge.Kernel, judge.Fleet = list[0], check.NewFleet(list[:1], known.All())
			d.Kernels = judge.Fleet.Kernels()
		}
	}
	d.Running = judge.All(inv, skipper(d, &failed))
	return errors.Join(failed, unread)
}
