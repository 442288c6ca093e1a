package accuracy

import (
	"slices"

	"github.com/surehook/surehook/attach"
)

// Hits counts, for one probe at each file offset of the binary, how often it
// is hit by anyone while run runs. Offsets that the kernel or attach refuse
// (not the start of an instruction; a nop that is unsafe to probe) are left
// out of the answer. Attaching needs root.
func Hits(binary string, offsets []uint64, run func() error) (map[uint64]uint64, error) {
	offsets = slices.Clone(offsets)
	slices.Sort(offsets)
	offsets = slices.Compact(offsets)
	plan := attach.Plan{Path: binary}
	for _, o := range offsets {
		plan.Probes = append(plan.Probes, attach.Probe{Offset: o})
	}
	s, err := attach.Open([]attach.Plan{plan}, attach.Options{BestEffort: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	if err := run(); err != nil {
		return nil, err
	}
	if err := s.Detach(); err != nil {
		return nil, err
	}
	counts, err := s.Counts()
	if err != nil {
		return nil, err
	}
	hits := map[uint64]uint64{}
	for i, o := range offsets {
		hits[o] = counts[0][i]
	}
	for _, f := range s.Failures() {
		delete(hits, offsets[f.Probe])
	}
	return hits, nil
}
