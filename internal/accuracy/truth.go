package accuracy

import (
	"context"
	"fmt"
	"slices"
)

// truth is how often each function was executed.
type truth struct {
	Counts []count `json:"counts"` // of at least 1, ordered
	Noise  []noise `json:"noise"`  // functions left out because two runs differ
}

// functions are those that were executed.
func (t truth) functions() []function {
	var list []function
	for _, c := range t.Counts {
		list = append(list, c.Func)
	}
	return list
}

type count struct {
	Func function `json:"func"`
	N    uint64   `json:"n"`
}

// noise is a function whose count is not the same in two runs of one binary.
type noise struct {
	Func function `json:"func"`
	N    uint64   `json:"n"`    // with fixed addresses
	Rand uint64   `json:"rand"` // with randomised addresses
}

// newTruth separates what is the same in both runs from what is not.
func newTruth(fixed, random map[function]uint64) truth {
	var t truth
	for f, n := range fixed {
		switch r := random[f]; {
		case n != r:
			t.Noise = append(t.Noise, noise{f, n, r})
		case n > 0:
			t.Counts = append(t.Counts, count{f, n})
		}
	}
	slices.SortFunc(t.Counts, func(a, b count) int { return compareFunctions(a.Func, b.Func) })
	slices.SortFunc(t.Noise, func(a, b noise) int { return compareFunctions(a.Func, b.Func) })
	return t
}

// unperturbedTruth counts the symbols of the build without optimisation.
func unperturbedTruth(ctx context.Context, c store, on machine, p program, b build) (truth, error) {
	bin, err := compile(ctx, c, p, b.truth(), false)
	if err != nil {
		return truth{}, err
	}
	return countedTruth(ctx, c, on, p, bin, func(b *image) (map[uint64]function, error) {
		if p.lang == langGo {
			return goPlaces(bin.path, b)
		}
		return b.atBody, nil
	})
}

// markedTruth counts the markers of a marked build.
func markedTruth(ctx context.Context, c store, on machine, p program, bin compiled) (truth, error) {
	return countedTruth(ctx, c, on, p, bin, func(b *image) (map[uint64]function, error) { return readMarks(bin.path, b) })
}

// countedTruth counts the places of each function twice, with and without
// address space randomisation.
func countedTruth(ctx context.Context, c store, on machine, p program, bin compiled, places func(*image) (map[uint64]function, error)) (truth, error) {
	w, err := newWorkload(p, bin)
	if err != nil {
		return truth{}, err
	}
	return memo(c, "truth", w.key(), func() (truth, error) {
		tree, err := p.tree(ctx, c)
		if err != nil {
			return truth{}, err
		}
		b, err := p.image(bin.path, tree)
		if err != nil {
			return truth{}, err
		}
		at, err := places(b)
		if err != nil {
			return truth{}, err
		}
		return w.countFunctions(ctx, on, b, at)
	})
}

// countFunctions adds up the hits of each function's addresses. Unlike a
// peer's, these must all be countable.
func (w workload) countFunctions(ctx context.Context, on machine, b *image, at map[uint64]function) (truth, error) {
	var offsets []uint64
	funcs := map[uint64]function{}
	for addr, f := range at {
		off, ok := b.offset(addr)
		if !ok {
			return truth{}, fmt.Errorf("%s: address %#x of %s is in no segment", w.bin.path, addr, f)
		}
		offsets = append(offsets, off)
		funcs[off] = f
	}
	fixed, random, err := on.hits(ctx, w, offsets)
	if err != nil {
		return truth{}, err
	}
	var sums [2]map[function]uint64
	for i, hits := range []map[uint64]uint64{fixed, random} {
		sums[i] = map[function]uint64{}
		for off, f := range funcs {
			n, ok := hits[off]
			if !ok {
				return truth{}, fmt.Errorf("%s: no probe possible at offset %#x of %s", w.bin.path, off, f)
			}
			sums[i][f] += n
		}
	}
	return newTruth(sums[0], sums[1]), nil
}
