package dwarfinfo

import "fmt"

// gapSet collects one unit's gaps. A dwz file has thousands of references
// into its alternate file; the first of each sort and the count say as much.
type gapSet struct {
	unit  int32
	file  string
	gaps  []Gap
	count []int
}

// maxGaps bounds the sorts of gaps kept of one unit; further ones are counted
// with the last.
const maxGaps = 16

func (s *gapSet) add(kind GapKind, off uint64, detail string) {
	for i := range s.gaps {
		if s.gaps[i].Kind == kind && s.gaps[i].Detail == detail {
			s.count[i]++
			return
		}
	}
	if len(s.gaps) >= maxGaps {
		for i := range s.gaps {
			if s.gaps[i].Kind == kind {
				s.count[i]++
				return
			}
		}
		if len(s.gaps) >= 2*maxGaps { // every kind has its own place by now
			s.count[len(s.gaps)-1]++
			return
		}
	}
	s.gaps = append(s.gaps, Gap{Kind: kind, Unit: s.unit, File: s.file, Offset: off, Detail: detail})
	s.count = append(s.count, 1)
}

// list gives the gaps with their counts.
func (s *gapSet) list() []Gap {
	for i := range s.gaps {
		if s.count[i] > 1 {
			s.gaps[i].Detail += fmt.Sprintf(" (and %d more in this unit)", s.count[i]-1)
		}
	}
	return s.gaps
}
