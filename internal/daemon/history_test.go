package daemon

import (
	"testing"

	"github.com/surehook/surehook/supervise"
)

// What is told of containers is not told of a hook that is on the same path here only.
func TestHistoryOfContainers(t *testing.T) {
	h := newHistory()
	const path, inside = "/lib/x.so", "/proc/7/root/lib/x.so"
	for _, p := range []string{path, inside, inside} {
		h.add(supervise.Gap{Path: p, Target: path})
		h.add(supervise.Finding{Path: p, Target: path, Kind: supervise.Unwatched})
	}
	h.add(supervise.Gap{Path: inside, Target: inside}) // a hook that is written so
	for _, tt := range []struct {
		path   string
		inside bool
		want   uint64
	}{{path, false, 1}, {path, true, 3}, {inside, false, 1}, {"/other", true, 0}} {
		r := h.of(tt.path, tt.inside)
		if r.gaps != tt.want || tt.path == path && r.findings[supervise.Unwatched] != tt.want {
			t.Errorf("%s, in containers %t: %d gaps, findings %v; want %d", tt.path, tt.inside, r.gaps, r.findings, tt.want)
		}
	}
}
