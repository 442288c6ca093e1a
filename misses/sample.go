package misses

import (
	"time"
)

// Sample is what all programs missed at a time.
type Sample struct {
	Time     time.Time
	Programs []Program // by ID
}

// Rate is misses in a second between two samples of a program.
type Rate struct {
	Misses float64 // at least, where the count is at least
	Runs   float64
	Known  bool // misses are counted
}

// Rates compares two samples: by program, for those that both have.
func Rates(before, after *Sample) map[uint32]Rate {
	out := make(map[uint32]Rate, len(after.Programs))
	if before == nil {
		return out
	}
	seconds := after.Time.Sub(before.Time).Seconds()
	earlier := make(map[uint32]*Program, len(before.Programs))
	for i := range before.Programs {
		earlier[before.Programs[i].ID] = &before.Programs[i]
	}
	for i := range after.Programs {
		p := &after.Programs[i]
		q := earlier[p.ID]
		if q == nil || seconds <= 0 {
			continue
		}
		r := Rate{Runs: float64(p.Runs.N-min(q.Runs.N, p.Runs.N)) / seconds, Known: p.Total.Known == Exact || p.Total.Known == AtLeast}
		if r.Known {
			r.Misses = float64(p.Total.N-min(q.Total.N, p.Total.N)) / seconds
		}
		out[p.ID] = r
	}
	return out
}
