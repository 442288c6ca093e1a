package audit

import (
	"fmt"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/running"
)

// State says whether probes are on the file that their path leads to.
type State string

// The states.
const (
	Current  State = "current"   // they are
	Gone     State = "gone"      // they are on a file that was removed or replaced
	NotKnown State = "not known" // Why says why
)

// Probe is what one attachment has in one file.
type Probe struct {
	Program    *running.Program
	Attachment *running.Attachment
	Kind       hook.Kind
	File       running.File
	Offsets    []uint64 // in the file, ascending
	State      State
	Why        string // what the state is told from, or why it is not known
	// Followed: the file is gone, and the same process has the same probe on the
	// one that took its place.
	Followed bool
	// Without are processes that run the file at the path and do not have the
	// probes: a newer file, or the breakpoint was not installed.
	Without []Process
	// Old are processes that still run the file that is gone, with the probes.
	Old []Process
	// Unread are processes whose memory could not be looked at.
	Unread []Process
	// Mount is the mount point that cannot be unmounted while the probes are
	// attached; "" if it is that of the root directory, or not known.
	Mount string
}

// Process is a process by its number and name.
type Process struct {
	PID  int
	Comm string
}

// Finding gives what is wrong with the probe; ok is false if nothing is.
func (p *Probe) Finding() (f check.Finding, ok bool) {
	h := hook.Hook{Kind: p.Kind, Target: p.File.Path, Text: string(p.Kind) + ":" + p.File.Path}
	switch {
	case p.State == Gone && !p.Followed:
		f = finding(check.SH310, h, "the probe is on a file that is gone: "+p.Why)
		f.Evidence = append(list("runs the file that is there now, without the probe", p.Without), list("still runs the old file, with the probe", p.Old)...)
	case p.State == Current && len(p.Without) > 0:
		f = finding(check.SH311, h, "the probe is attached and is not installed in every process that runs the file")
		f.Evidence = list("runs the file without the breakpoint", p.Without)
	case p.Mount != "":
		f = finding(check.SH312, h, "the mount at "+p.Mount+" cannot be unmounted while the probe is attached")
	default:
		return check.Finding{}, false
	}
	return f, true
}

func finding(code check.Code, h hook.Hook, text string) check.Finding {
	f := check.Finding{Rule: code, Hook: h, Message: text}
	if rule, ok := check.Find(string(code)); ok {
		f.Severity, f.Remedy = rule.Severity, rule.Remedy
	}
	return f
}

func hex(offsets []uint64) string {
	var parts []string
	for _, o := range offsets {
		parts = append(parts, fmt.Sprintf("%#x", o))
	}
	return strings.Join(parts, ", ")
}

func list(what string, ps []Process) []string {
	const most = 10 // of a list that a person reads
	var out []string
	for i, p := range ps {
		if i == most {
			return append(out, fmt.Sprintf("and %d more: %s", len(ps)-most, what))
		}
		out = append(out, fmt.Sprintf("process %d (%s) %s", p.PID, p.Comm, what))
	}
	return out
}
