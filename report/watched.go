package report

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"text/tabwriter"
	"time"
)

// Watched is what supervision of one hook came to.
type Watched struct {
	Name       string
	Hook       string // with the absolute path of its file
	Executions uint64
	Undecided  uint64
	Waiting    string // why nothing is attached at the end; "" if something is
	Replaced   uint64 // times that another build took the place of one
	Inside     bool   // it was watched in containers too
	Containers int    // other roots in which it is attached at the end
	Gaps       uint64 // times that a new build could be run without probes
	Gap        time.Duration
	Builds     []WatchedBuild
}

// WatchedBuild is one build that was still attached at the end.
type WatchedBuild struct {
	ID         string // the build id
	Path       string
	Planned    int // places where an execution begins
	Attached   int // of these, those with a probe
	Verdict    string
	Retired    bool // no longer at its path
	Executions uint64
}

type watchedObject struct {
	Schema     string               `json:"schema"`
	Name       string               `json:"name"`
	Hook       string               `json:"hook"`
	Executions uint64               `json:"executions"`
	Undecided  uint64               `json:"undecided"`
	Waiting    *string              `json:"waiting"`
	Replaced   uint64               `json:"replaced"`
	Containers *int                 `json:"containers"`
	Gaps       uint64               `json:"gaps"`
	GapSeconds float64              `json:"gap_seconds"`
	Builds     []watchedBuildObject `json:"builds"`
}

type watchedBuildObject struct {
	BuildID    string `json:"build_id"`
	Path       string `json:"path"`
	Planned    int    `json:"planned"`
	Attached   int    `json:"attached"`
	Verdict    string `json:"verdict"`
	Retired    bool   `json:"retired"`
	Executions uint64 `json:"executions"`
}

// WriteWatched writes what supervision came to, as JSON one line a hook.
func WriteWatched(w io.Writer, f Format, hooks []Watched) error {
	if f == JSON {
		for _, h := range hooks {
			if err := line(w, newWatchedObject(h)); err != nil {
				return err
			}
		}
		return nil
	}
	return buffered(w, func(b *bufio.Writer) { watchedText(b, hooks) })
}

func newWatchedObject(h Watched) watchedObject {
	o := watchedObject{
		Schema: WatchedSchema, Name: h.Name, Hook: h.Hook, Executions: h.Executions, Undecided: h.Undecided,
		Replaced: h.Replaced, Gaps: h.Gaps, GapSeconds: h.Gap.Seconds(), Builds: []watchedBuildObject{},
	}
	if h.Waiting != "" {
		o.Waiting = &h.Waiting
	}
	if h.Inside {
		o.Containers = &h.Containers
	}
	for _, b := range h.Builds {
		o.Builds = append(o.Builds, watchedBuildObject{b.ID, b.Path, b.Planned, b.Attached, b.Verdict, b.Retired, b.Executions})
	}
	return o
}

func watchedText(b *bufio.Writer, hooks []Watched) {
	t := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	row := func(cells ...string) {
		for i, c := range cells {
			if i > 0 {
				io.WriteString(t, "\t")
			}
			io.WriteString(t, Visible(c))
		}
		io.WriteString(t, "\n")
	}
	row("executions", "replaced", "gaps", "hook")
	for _, h := range hooks {
		count := strconv.FormatUint(h.Executions, 10)
		if h.Undecided > 0 {
			count += " to " + strconv.FormatUint(h.Executions+h.Undecided, 10)
		}
		gaps := strconv.FormatUint(h.Gaps, 10)
		if h.Gaps > 0 {
			gaps += " (" + h.Gap.Round(time.Microsecond).String() + ")"
		}
		name := h.Name
		if h.Inside {
			name += fmt.Sprintf(" (containers: %d)", h.Containers)
		}
		if h.Waiting != "" {
			name += ": waits: " + h.Waiting
		}
		row(count, strconv.FormatUint(h.Replaced, 10), gaps, name)
	}
	t.Flush()
}
