package daemon

import (
	"time"

	"github.com/surehook/surehook/report"
)

// Status is how everything is at one moment.
type Status struct {
	Hooks    []HookStatus // in the order of the configuration
	Features []Feature    // what was asked for and what there is of it
	Reloads  Reloads
}

// HookStatus is how one hook is.
type HookStatus struct {
	Name       string
	Hook       string // with the absolute path of its file
	Path       string // of its file
	Waiting    string // why nothing is attached yet; "" if something is
	Executions uint64 // since the hook was first attached, in all builds
	Undecided  uint64 // hits of which a probe could not tell whether they were executions
	Builds     []BuildStatus
	Replaced   uint64 // times that another build took the place of one
	Inside     bool   // it is watched in containers too
	Containers int    // other roots in which its file is attached now
	Gap        time.Duration
	Gaps       uint64          // times in which executions may have passed without a probe
	Findings   []FindingStatus // so far
	// Misses are executions that the kernel skipped, by layer. What cannot be
	// counted here is not observable; it is not 0.
	Misses []Miss
}

// BuildStatus is one build of a hook's file that is attached.
type BuildStatus struct {
	ID         string // the build id, in hexadecimal; without one "none, build N"
	Path       string
	Planned    int    // sites
	Attached   int    // sites
	Plan       string // verdict for what is attached
	Retired    bool   // no longer at its path; processes still run it
	Executions uint64
}

// FindingStatus counts the findings of a kind (supervise.FindingKind).
type FindingStatus struct {
	Kind string
	N    uint64
}

// Miss counts what one layer of the kernel skipped.
type Miss struct {
	Layer      string
	N          uint64
	Observable bool
}

// Feature is something that needs a privilege or a kernel's help.
type Feature struct {
	Name string // "no-gap", "lease", "pin"
	On   bool
	Why  string // it is not on; "" if it is
}

// Reloads counts how often the configuration was read.
type Reloads struct {
	Good, Bad uint64
	Last      time.Time // of the configuration in force
	Failed    string    // why the last one was refused; "" if it was not
}

// Watched is the status as a report has it.
func (s Status) Watched() []report.Watched {
	var out []report.Watched
	for _, h := range s.Hooks {
		w := report.Watched{
			Name: h.Name, Hook: h.Hook, Executions: h.Executions, Undecided: h.Undecided, Waiting: h.Waiting,
			Replaced: h.Replaced, Gaps: h.Gaps, Gap: h.Gap, Inside: h.Inside, Containers: h.Containers,
		}
		for _, b := range h.Builds {
			w.Builds = append(w.Builds, report.WatchedBuild{
				ID: b.ID, Path: b.Path, Planned: b.Planned, Attached: b.Attached, Verdict: b.Plan, Retired: b.Retired, Executions: b.Executions,
			})
		}
		out = append(out, w)
	}
	return out
}
