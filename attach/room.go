package attach

import "slices"

// room hands out neighbouring numbers, the lowest that are free.
type room struct {
	free []stretch // by first; none touches the next
}

// stretch is the numbers [first, end).
type stretch struct{ first, end uint32 }

func newRoom(n uint32) room { return room{free: []stretch{{0, n}}} }

func (r *room) take(n uint32) (first uint32, ok bool) {
	for i := range r.free {
		f := &r.free[i]
		if f.end-f.first < n {
			continue
		}
		first = f.first
		if f.first += n; f.first == f.end {
			r.free = slices.Delete(r.free, i, i+1)
		}
		return first, true
	}
	return 0, false
}

// occupy takes certain numbers; false if one of them is not free.
func (r *room) occupy(first, n uint32) bool {
	for i, f := range r.free {
		if first < f.first || uint64(first)+uint64(n) > uint64(f.end) {
			continue
		}
		parts := []stretch{{f.first, first}, {first + n, f.end}}
		parts = slices.DeleteFunc(parts, func(s stretch) bool { return s.first == s.end })
		r.free = slices.Replace(r.free, i, i+1, parts...)
		return true
	}
	return n == 0
}

func (r *room) give(first, n uint32) {
	at, _ := slices.BinarySearchFunc(r.free, first, func(s stretch, first uint32) int { return int(int64(s.first) - int64(first)) })
	r.free = slices.Insert(r.free, at, stretch{first, first + n})
	if at+1 < len(r.free) && r.free[at].end == r.free[at+1].first {
		r.free[at].end = r.free[at+1].end
		r.free = slices.Delete(r.free, at+1, at+2)
	}
	if at > 0 && r.free[at-1].end == r.free[at].first {
		r.free[at-1].end = r.free[at].end
		r.free = slices.Delete(r.free, at, at+1)
	}
}
