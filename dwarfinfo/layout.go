package dwarfinfo

import "sort"

// layOut makes the copies of each function contiguous. They are already,
// except around functions inside functions (GNU C, local classes).
func (u *unit) layOut(labels []label) {
	sorted := true
	for i := 1; i < len(u.copies) && sorted; i++ {
		sorted = u.copies[i-1].Func <= u.copies[i].Func
	}
	if !sorted {
		u.sortCopies()
	}
	next := 0
	for f := range u.funcs {
		u.funcs[f].FirstCopy = int32(next)
		for next < len(u.copies) && int(u.copies[next].Func) == f {
			next++
		}
		u.funcs[f].EndCopy = int32(next)
	}
	u.placeLabels(labels)
}

// sortCopies orders by function and keeps the order inside each, so that
// parents still come before their children.
func (u *unit) sortCopies() {
	perm := make([]int32, len(u.copies)) // new position -> old
	for i := range perm {
		perm[i] = int32(i)
	}
	sort.SliceStable(perm, func(i, j int) bool {
		return u.copies[perm[i]].Func < u.copies[perm[j]].Func
	})
	moved := make([]int32, len(perm)) // old -> new
	copies, src := make([]Copy, len(perm)), make([]copySource, len(perm))
	for to, from := range perm {
		moved[from] = int32(to)
		copies[to], src[to] = u.copies[from], u.copySrc[from]
	}
	for i := range copies {
		if copies[i].Parent >= 0 {
			copies[i].Parent = moved[copies[i].Parent]
		}
	}
	for i := range u.calls {
		if u.calls[i].Copy >= 0 {
			u.calls[i].Copy = moved[u.calls[i].Copy]
		}
	}
	u.copies, u.copySrc = copies, src
}

func (u *unit) placeLabels(labels []label) {
	if len(labels) == 0 {
		return
	}
	sort.SliceStable(labels, func(i, j int) bool { return labels[i].fn < labels[j].fn })
	u.labels = make([]uint64, len(labels))
	for i := 0; i < len(labels); {
		first := i
		for ; i < len(labels) && labels[i].fn == labels[first].fn; i++ {
			u.labels[i] = labels[i].addr
		}
		u.funcs[labels[first].fn].Labels = u.labels[first:i:i]
	}
}
