package attached

import (
	"slices"

	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/running"
	"github.com/surehook/surehook/sites"
)

// maxCandidates bounds how many functions are tried for one place that is no
// function's beginning: as many as may be inlined into each other there.
const maxCandidates = 24

// finder finds the functions that probes of a file are meant for.
type finder struct {
	binary *sites.Binary
	in     running.InFile
	tried  map[string][]sites.Result
}

// functions gives the functions of which the places are, and the places that
// are no function's: first those that begin where a probe is, then of the inlined
// copies as few as explain the rest, those that are covered best.
func (f *finder) functions() (found []function, unexplained []uint64) {
	f.tried = map[string][]sites.Result{}
	rest := slices.Clone(f.in.Offsets)
	explain := func(r *sites.Result) {
		rest = slices.DeleteFunc(rest, func(o uint64) bool { return siteAt(r, o) })
	}
	for _, o := range f.in.Offsets {
		addr, ok := f.binary.File().Address(o)
		if !ok {
			continue
		}
		for _, s := range f.binary.File().FuncsAt(addr) {
			if r, h := f.resolve(s.Name, o); r != nil {
				found = append(found, function{result: *r, hook: h})
				explain(r)
				break // of aliases one
			}
		}
	}
	for len(rest) > 0 {
		best := f.covering(rest)
		if best == nil {
			unexplained = f.byAddress(&found, rest)
			break
		}
		found = append(found, *best)
		explain(&best.result)
	}
	return f.needed(found), unexplained
}

// needed leaves out functions whose places with a probe are all places of
// another one too that has a probe on all of its places, and more of them: the entry
// of a caller where a copy begins is not meant for the caller.
func (f *finder) needed(found []function) []function {
	at := func(r *sites.Result) (hit []uint64, all bool) {
		for _, s := range r.Sites {
			if slices.Contains(f.in.Offsets, s.FileOffset) {
				hit = append(hit, s.FileOffset)
			}
		}
		return hit, len(hit) == len(r.Sites)
	}
	return slices.DeleteFunc(slices.Clone(found), func(one function) bool {
		hit, _ := at(&one.result)
		return len(hit) > 0 && slices.ContainsFunc(found, func(other function) bool {
			more, all := at(&other.result)
			return all && len(more) > len(hit) && !slices.ContainsFunc(hit, func(o uint64) bool { return !slices.Contains(more, o) })
		})
	})
}

// covering gives the function with copies at the first of the places that is
// covered best: all of its places count, also those where other functions are.
func (f *finder) covering(rest []uint64) *function {
	addr, ok := f.binary.File().Address(rest[0])
	if !ok {
		return nil
	}
	var best *function
	covered := 0.0
	for i, name := range f.binary.InlinedAt(addr) {
		if i == maxCandidates {
			break
		}
		r, h := f.resolve(name, rest[0])
		if r == nil {
			continue
		}
		hit := 0
		for _, s := range r.Sites {
			if slices.Contains(f.in.Offsets, s.FileOffset) {
				hit++
			}
		}
		if c := float64(hit) / float64(len(r.Sites)); c > covered {
			best, covered = &function{result: *r, hook: h}, c
		}
	}
	return best
}

// resolve gives the function of a name that has a place at the offset.
func (f *finder) resolve(name string, offset uint64) (*sites.Result, hook.Hook) {
	h := hook.Hook{Kind: f.in.Kind, Target: f.in.File.Path, Function: name}
	results, ok := f.tried[name]
	if !ok {
		results, _ = f.binary.Resolve(h) // no function of that name explains nothing
		f.tried[name] = results
	}
	for i := range results {
		if siteAt(&results[i], offset) {
			return &results[i], h
		}
	}
	return nil, h
}

func siteAt(r *sites.Result, offset uint64) bool {
	return slices.Contains(r.PlainAt, offset) || slices.ContainsFunc(r.Sites, func(s sites.Site) bool { return s.FileOffset == offset })
}

// byAddress adds places inside of functions as what they are, a place at an
// address, and gives those that lie in no code.
func (f *finder) byAddress(found *[]function, rest []uint64) (unexplained []uint64) {
	for _, o := range rest {
		addr, ok := f.binary.File().Address(o)
		h := hook.Hook{Kind: f.in.Kind, Target: f.in.File.Path, Address: addr, HasAddress: true}
		if !ok || f.binary.File().Arch() == elfbin.UnknownArch {
			unexplained = append(unexplained, o)
			continue
		}
		results, err := f.binary.Resolve(h)
		if err != nil || len(results) == 0 {
			unexplained = append(unexplained, o)
			continue
		}
		*found = append(*found, function{result: results[0], hook: h})
	}
	return unexplained
}
