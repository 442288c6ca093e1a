package supervise

import (
	"log/slog"
	"time"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// Options of New; the zero value watches with gaps and tells nobody.
type Options struct {
	// NoGap has every open of a file in a watched directory wait until what is
	// to be probed is. Needs CAP_SYS_ADMIN; New fails without.
	NoGap bool
	// Sites says where debug information is looked for, and what caches it.
	Sites sites.Options
	// Base counts; nil: one is made, with room for Room probes. The caller
	// closes its own.
	Base *attach.Base
	Room int // as attach.BaseOptions.Room
	// Hold bounds how long an open waits and a process stands still; 0: 2 s.
	Hold time.Duration
	// Keep has probes and counts outlive this process; nil: they do not.
	Keep *Keep
	// Notify is called with each Event, one after the other. It must not wait
	// for anything, nor call the Supervisor.
	Notify func(Event)
	Logger *slog.Logger
}

// Keep is where a Supervisor leaves its probes and counts when it is closed, or
// killed, for the next one with the same Keep: nothing that is executed meanwhile
// is lost, but what is new meanwhile is not probed, and nothing holds up
// who rewrites a probed file in place. To end it all, remove both directories.
type Keep struct {
	Pins    string // directory of a BPF file system (/sys/fs/bpf/surehook)
	Records string // directory of files (/var/lib/surehook); one Supervisor at a time
}

// ID is a hook that was added.
type ID int

// Hook is the state of one hook.
type Hook struct {
	ID   ID
	Hook hook.Hook
	// Executions are those in all builds since the hook was added. Undecided
	// ones may be executions or not, and are not in it.
	Executions, Undecided uint64
	// Waiting says why there is no build of it now; nil if there is.
	Waiting error
	// Current is what the path leads to, here or else in some container; nil: Waiting.
	Current *Build
	// Builds are all that are attached: the current one, and those that
	// processes may still execute.
	Builds   []Build
	Replaced int // times that another build became the current one
	// Containers are the other roots in which the path leads to a build now
	// (AddInContainers).
	Containers int
}

// Build is one content of one file, as a hook has it.
type Build struct {
	Number  int    // in order of their coming, over all hooks; the same build has the same number
	Path    string // where it was found
	BuildID string // hex; empty: it has none
	Current bool
	Since   time.Time // when it was attached
	Plan    sites.Judgement
	Sites   int // places where an execution begins
	Failed  int // of these, those that could not be attached
	// Executions in this build.
	Executions, Undecided uint64
}

// State is everything at one moment.
type State struct {
	Hooks []Hook
	// Gaps, and how long they were together: see Gap.
	Gaps    int
	GapTime time.Duration
	// Attached is how often a build was attached, and how long each took from
	// its appearance: the last ones, at most 4096.
	Attached  int
	Latencies []time.Duration
	Held      int // opens that had to wait
	Overdue   int // opens that were let through because deciding about them took too long
	// Way is how changes are noticed: "fanotify" (NoGap) or "inotify".
	Way string
}
