package loader

import (
	"cmp"
	"slices"
)

// judge says what calls mean.
type judge struct {
	p         *program
	lib       library
	calls     []call          // in the order of their addresses
	starts    []uint64        // where calls lead, sorted
	given     map[uint64]bool // those that get a pointer first
	skeletons []Skeleton
	out       *Result
}

func newJudge(p *program, lib library, skeletons []Skeleton, out *Result) *judge {
	j := &judge{p: p, lib: lib, calls: p.sweep(lib.lowest), given: map[uint64]bool{}, skeletons: skeletons, out: out}
	for _, c := range j.calls {
		j.starts = append(j.starts, c.to)
		j.given[c.to] = j.given[c.to] || c.a1.kind == pointer
	}
	slices.Sort(j.starts)
	j.starts = slices.Compact(j.starts)
	return j
}

// helperSize is how long a function of the tool's is, at most, that gets a
// program as its first argument.
const helperSize = 1 << 10

// call judges one call.
func (j *judge) call(c *call) {
	kind, target, decides := j.meaning(c)
	switch {
	case c.a1.kind == pointer && decides:
		j.note(c.a1.value, Act{kind, target, c.at})
	case c.a1.kind == pointer && !j.p.stub(c.to) && c.to < j.lib.lowest:
		for _, inner := range j.helper(c.to) {
			if kind, target, decides := j.meaning(&inner); decides && inner.a1.kind != pointer {
				j.note(c.a1.value, Act{kind, target, inner.at})
			}
		}
	case c.a1.kind == pointer && c.to > j.lib.autoload && c.a2.kind == nothing:
		j.note(c.a1.value, Act{Kind: Attaches, Where: c.at})
	case decides && kind != Attaches && !j.inHelper(c) && c.to != 0:
		j.everyone(Act{kind, target, c.at})
	}
}

// meaning tells what a call does with the program that is its first argument.
func (j *judge) meaning(c *call) (kind Kind, target string, decides bool) {
	if c.a3.kind == text {
		target = j.p.name(uint64(c.a3.value))
	}
	switch {
	case c.to == j.lib.autoload:
		return LeavesOut, "", c.a2 != operand{kind: number, value: 1}
	case c.to == j.lib.target && c.to != 0:
		return Names, target, true
	case c.a1.kind == pointer && c.to > j.lib.autoload && c.a2.kind == number && c.a2.value>>1 == 0 && c.a3.kind != nothing:
		// bpf_program__attach_kprobe(program, retprobe, name)
		return Names, target, true
	}
	return 0, "", false
}

// helper gives the calls of the function at an address: up to the next one.
func (j *judge) helper(from uint64) []call {
	end := from + helperSize
	if n, _ := slices.BinarySearch(j.starts, from+1); n < len(j.starts) {
		end = min(end, j.starts[n])
	}
	first, _ := slices.BinarySearchFunc(j.calls, from, func(c call, at uint64) int { return cmp.Compare(c.at, at) })
	last, _ := slices.BinarySearchFunc(j.calls, end, func(c call, at uint64) int { return cmp.Compare(c.at, at) })
	return j.calls[first:last]
}

// inHelper tells whether a call is in a function that gets programs.
func (j *judge) inHelper(c *call) bool {
	n, _ := slices.BinarySearch(j.starts, c.at+1)
	return n > 0 && j.given[j.starts[n-1]] && c.at-j.starts[n-1] < helperSize
}

// note notes what is done with the program whose pointer is at an offset. With
// several objects it may be any one's.
func (j *judge) note(offset int64, a Act) {
	found := false
	for i, s := range j.skeletons {
		if n, ok := s.index(offset); ok {
			j.out.Acts[i][n] = append(j.out.Acts[i][n], a)
			found = true
		}
	}
	if !found && a.Kind == LeavesOut {
		j.everyone(a)
	}
}

// everyone notes that it cannot be told which program a call is about.
func (j *judge) everyone(a Act) {
	for _, programs := range j.out.Acts {
		for i := range programs {
			programs[i] = append(programs[i], a)
		}
	}
}
