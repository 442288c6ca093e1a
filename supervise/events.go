package supervise

import (
	"fmt"
	"time"

	"github.com/surehook/surehook/sites"
)

// Event is something that has happened: one of the types of this package that
// have the method.
type Event interface {
	// At is when it happened.
	At() time.Time
	String() string
}

type when time.Time

// At is when it happened.
func (w when) At() time.Time { return time.Time(w) }

// Attached says that a build is probed for a hook.
type Attached struct {
	when
	Path    string
	Build   int
	BuildID string
	Sites   int
	// Latency is from the build's appearance on; 0 if it was there before.
	Latency time.Duration
	// Again: this build was attached before, for this path or for another one that
	// leads to the same file.
	Again bool
}

func (e Attached) String() string {
	return fmt.Sprintf("%s: build %d attached at %d sites, %v after it appeared", e.Path, e.Build, e.Sites, e.Latency.Round(time.Microsecond))
}

// Detached says that a build is not probed any more: no process has it mapped.
type Detached struct {
	when
	Path  string
	Build int
	// Rewriting: because it is about to be written; it comes back as another build.
	Rewriting bool
}

func (e Detached) String() string {
	why := "no process has it mapped"
	if e.Rewriting {
		why = "it is being rewritten"
	}
	return fmt.Sprintf("%s: build %d detached: %s", e.Path, e.Build, why)
}

// Waiting says that a path leads to no file, and what is being waited for.
type Waiting struct {
	when
	Path string
	Err  error
}

func (e Waiting) String() string { return fmt.Sprintf("waiting for %v", e.Err) }

// Verdict says that a hook's plan is not what it was in the build before.
type Verdict struct {
	when
	Path     string
	ID       ID
	Build    int
	Was, Now sites.Judgement
}

// Worse tells whether executions that were counted are not any more, or may
// not be.
func (e Verdict) Worse() bool { return rank(e.Now.Verdict) > rank(e.Was.Verdict) }

func (e Verdict) String() string {
	return fmt.Sprintf("%s: build %d: the plan is %s, was %s%s", e.Path, e.Build, e.Now.Verdict, e.Was.Verdict, because(e.Now))
}

func because(j sites.Judgement) string {
	if len(j.Reasons) == 0 {
		return ""
	}
	return ": " + j.Reasons[0].Text
}

// rank orders verdicts from good to bad.
func rank(v sites.Verdict) int {
	return map[sites.Verdict]int{sites.Complete: 0, sites.Unknown: 1, sites.Partial: 2, sites.None: 3}[v]
}

// Gap is a time in which executions of a build may not have been counted.
type Gap struct {
	when           // its end
	Path           string
	Target         string // the path as the hook has it: in a container it is Path for us
	Build          int
	From           time.Time
	Why            string
	PIDs           []int // processes that had the build mapped before it was probed; at most 64
	PIDsIncomplete bool  // there may be more: those that ended within the gap are never known
}

// Length is how long it was.
func (e Gap) Length() time.Duration { return e.At().Sub(e.From) }

func (e Gap) String() string {
	return fmt.Sprintf("%s: build %d: a gap of %v: %s", e.Path, e.Build, e.Length().Round(time.Microsecond), e.Why)
}

// FindingKind says what a Finding is about.
type FindingKind string

// The kinds of findings.
const (
	Unreadable   FindingKind = "unreadable"    // a new file is no usable ELF file; the state stays as it was
	FunctionGone FindingKind = "function-gone" // the new build does not have the function
	NotAttached  FindingKind = "not-attached"  // a site could not be attached
	NotInstalled FindingKind = "not-installed" // a process has the build mapped without the breakpoints
	Unprotected  FindingKind = "unprotected"   // no lease: a rewrite in place is not held up
	Unpausable   FindingKind = "unpausable"    // a process could not be stopped while its file was rewritten
	Unverified   FindingKind = "unverified"    // that the breakpoints are there could not be checked
	MountPinned  FindingKind = "mount-pinned"  // the file's mount cannot be unmounted while it is probed
	HiddenLayer  FindingKind = "hidden-layer"  // the file of an overlay's layer was not found: what overlays share may be counted for each of them
	NotKept      FindingKind = "not-kept"      // what is needed to go on after a restart could not be written
	Unwatched    FindingKind = "unwatched"     // a directory cannot be watched
)

// Finding is something that is wrong, or that could not be done.
type Finding struct {
	when
	Kind   FindingKind
	Path   string
	Target string // as in Gap
	Build  int    // 0: none
	PID    int    // 0: none
	Err    error
}

func (e Finding) String() string {
	s := fmt.Sprintf("%s: %s: %v", e.Path, e.Kind, e.Err)
	if e.PID != 0 {
		s = fmt.Sprintf("%s (process %d)", s, e.PID)
	}
	return s
}
