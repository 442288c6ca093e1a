package daemon

import "time"

// Status is how everything is at one moment.
type Status struct {
	Hooks    []HookStatus // in the order of the configuration
	Features []Feature    // what was asked for and what there is of it
	Reloads  Reloads
}

// HookStatus is how one hook is.
type HookStatus struct {
	Name       string
	Waiting    string // why nothing is attached yet; "" if something is
	Executions uint64 // since the hook was first attached, of all builds, also of a daemon before this one
	Undecided  uint64 // hits of which a probe could not tell whether they were executions
	Builds     []BuildStatus
	Attached   []Times // how often probes were put on another build, by way
	Gap        time.Duration
	Gaps       uint64 // times in which executions may have passed without a probe
	Findings   []FindingStatus
	Missing    int // processes that map a build and do not have its probes
	// Misses are executions that the kernel skipped, by layer. What cannot be
	// counted here is not observable; it is not 0.
	Misses []Miss
}

// BuildStatus is one build of a hook's file that is attached.
type BuildStatus struct {
	ID         string // the build id, in hexadecimal; without one "inode " and its number
	Path       string
	Planned    int    // sites
	Attached   int    // sites
	Plain      string // verdict for the plain probe
	Plan       string // verdict for what is attached
	Retired    bool   // no longer at its path; processes still run it
	Executions uint64
}

// Times counts how often a way was taken.
type Times struct {
	Way string
	N   uint64
}

// FindingStatus counts the findings of a rule.
type FindingStatus struct {
	Rule string
	N    int
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

// Reloads counts how often the configuration was read again.
type Reloads struct {
	Good, Bad uint64
	Last      time.Time // of the configuration in force
	Failed    string    // why the last reload was refused; "" if it was not
}
