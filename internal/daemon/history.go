package daemon

import (
	"cmp"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/surehook/surehook/supervise"
)

// history is what events have told.
type history struct {
	mu      sync.Mutex
	paths   map[place]*record
	lacking map[string]string // features that are not in force, and why
	latency prometheus.Histogram
}

// place is a path as hooks have it, here or in all containers.
type place struct {
	path   string
	inside bool
}

// record is what events have told of one place.
type record struct {
	gap      time.Duration
	gaps     uint64
	findings map[supervise.FindingKind]uint64
}

func newHistory() *history {
	return &history{
		paths: map[place]*record{}, lacking: map[string]string{},
		latency: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "surehook_attach_seconds",
			Help:    "From the appearance of a build until its probes are attached.",
			Buckets: []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5},
		}),
	}
}

// lacks names the feature that a kind of finding says is not in force.
func lacks(k supervise.FindingKind) string {
	switch k {
	case supervise.Unprotected:
		return "lease"
	case supervise.Unpausable:
		return "pause"
	case supervise.MountPinned:
		return "mount-neutral"
	case supervise.Unverified:
		return "verify"
	}
	return ""
}

func (h *history) add(e supervise.Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch x := e.(type) {
	case supervise.Attached:
		if x.Latency > 0 {
			h.latency.Observe(x.Latency.Seconds())
		}
	case supervise.Gap:
		r := h.record(place{x.Target, x.Path != x.Target})
		r.gap += x.Length()
		r.gaps++
	case supervise.Finding:
		h.record(place{x.Target, x.Path != x.Target}).findings[x.Kind]++
		if name := lacks(x.Kind); name != "" && x.Err != nil {
			h.lacking[name] = x.Err.Error()
		}
	}
}

// record gives the record of a place. The caller holds mu.
func (h *history) record(at place) *record {
	r := h.paths[at]
	if r == nil {
		r = &record{findings: map[supervise.FindingKind]uint64{}}
		h.paths[at] = r
	}
	return r
}

// of gives what was told of a path here, and with inside also in containers.
func (h *history) of(path string, inside bool) record {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := record{findings: map[supervise.FindingKind]uint64{}}
	out.add(h.paths[place{path, false}])
	if inside {
		out.add(h.paths[place{path, true}])
	}
	return out
}

// add adds what was told of another place; nil: nothing.
func (r *record) add(o *record) {
	if o == nil {
		return
	}
	r.gap += o.gap
	r.gaps += o.gaps
	for k, n := range o.findings {
		r.findings[k] += n
	}
}

// list gives the findings by kind.
func (r record) list() []FindingStatus {
	var out []FindingStatus
	for k, n := range r.findings {
		out = append(out, FindingStatus{Kind: string(k), N: n})
	}
	slices.SortFunc(out, func(a, b FindingStatus) int { return cmp.Compare(a.Kind, b.Kind) })
	return out
}

// features gives those that findings said are not in force. Of others it is not
// known: they are tried when they are needed.
func (h *history) features() []Feature {
	h.mu.Lock()
	defer h.mu.Unlock()
	var out []Feature
	for _, name := range slices.Sorted(maps.Keys(h.lacking)) {
		out = append(out, Feature{Name: name, Why: h.lacking[name]})
	}
	return out
}

// attributes are an event's fields for a log.
func attributes(e supervise.Event) []any {
	switch x := e.(type) {
	case supervise.Attached:
		return []any{"event", "attached", "path", x.Path, "build", x.Build, "build_id", x.BuildID, "sites", x.Sites, "latency", x.Latency}
	case supervise.Detached:
		return []any{"event", "detached", "path", x.Path, "build", x.Build, "rewriting", x.Rewriting}
	case supervise.Waiting:
		return []any{"event", "waiting", "path", x.Path}
	case supervise.Verdict:
		return []any{"event", "verdict", "path", x.Path, "build", x.Build, "was", x.Was.Verdict, "now", x.Now.Verdict}
	case supervise.Gap:
		return []any{"event", "gap", "path", x.Path, "build", x.Build, "seconds", x.Length().Seconds(), "pids", x.PIDs}
	case supervise.Finding:
		return []any{"event", "finding", "kind", x.Kind, "path", x.Path, "build", x.Build, "pid", x.PID}
	}
	return nil
}
