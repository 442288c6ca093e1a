package accuracy

import (
	"context"
	"fmt"
	"maps"
	"slices"
)

// The tools that are compared.
const (
	toolSurehook = "surehook"
	toolPerf     = "perf"
	toolGDB      = "gdb"
	toolSymbol   = "symbol" // bpftrace, libbpf, cilium
)

// tools are the columns of the report.
func tools() []string { return []string{toolSurehook, toolPerf, toolGDB, toolSymbol} }

// peerCount is what one peer's probes for a function count.
type peerCount struct {
	Func     function `json:"func"`
	Tool     string   `json:"tool"`
	Offsets  []uint64 `json:"offsets"`           // of the peer's probes in the file
	Hits     []uint64 `json:"hits"`              // of each
	Refused  int      `json:"refused,omitempty"` // probes the engine refused; they count nothing
	Executed uint64   `json:"n"`
}

// places are file offsets by function.
type places map[function][]uint64

// countPeers asks every peer where it would put its probes for the functions
// and counts all these places in one run.
func countPeers(ctx context.Context, c store, p program, bin compiled, funcs []function) ([]peerCount, error) {
	w, err := newWorkload(p, bin)
	if err != nil {
		return nil, err
	}
	key := keyOf(w.key(), funcs, peerVersion, firstLine(ctx, "perf", "--version"), firstLine(ctx, "gdb", "--version"))
	return memo(c, "peers", key, func() ([]peerCount, error) {
		tree, err := p.tree(ctx, c)
		if err != nil {
			return nil, err
		}
		b, err := p.image(bin.path, tree)
		if err != nil {
			return nil, err
		}
		answers := map[string]places{toolSymbol: symbolPlaces(b, funcs)}
		if answers[toolPerf], err = perfPlaces(ctx, bin.path, b, funcs); err != nil {
			return nil, err
		}
		if answers[toolGDB], err = gdbPlaces(ctx, bin.path, b, funcs); err != nil {
			return nil, err
		}
		return w.countPlaces(ctx, answers, funcs)
	})
}

// peerVersion changes the keys of the peers' results when this code changes.
const peerVersion = 1

// countPlaces counts the union of all answers live.
func (w workload) countPlaces(ctx context.Context, answers map[string]places, funcs []function) ([]peerCount, error) {
	union := map[uint64]bool{}
	for _, a := range answers {
		for _, offs := range a {
			for _, o := range offs {
				union[o] = true
			}
		}
	}
	hits, err := w.countOffsets(ctx, slices.Collect(maps.Keys(union)), false)
	if err != nil {
		return nil, fmt.Errorf("counting the peers' places: %w", err)
	}
	var out []peerCount
	for _, tool := range tools() {
		for _, f := range funcs {
			if offs, ok := answers[tool][f]; ok {
				out = append(out, newPeerCount(f, tool, offs, hits))
			}
		}
	}
	return out, nil
}

// newPeerCount adds up the hits of a peer's places; a place given twice counts
// once, for the benefit of the doubt.
func newPeerCount(f function, tool string, offs []uint64, hits map[uint64]uint64) peerCount {
	pc := peerCount{Func: f, Tool: tool}
	offs = slices.Clone(offs)
	slices.Sort(offs)
	for _, o := range slices.Compact(offs) {
		n, ok := hits[o]
		if !ok {
			pc.Refused++
		}
		pc.Offsets = append(pc.Offsets, o)
		pc.Hits = append(pc.Hits, n)
		pc.Executed += n
	}
	return pc
}

// symbolPlaces are the addresses of the symbols.
func symbolPlaces(b *image, funcs []function) places {
	at := places{}
	for _, f := range funcs {
		for _, addr := range b.symbolAddresses(f) {
			if off, ok := b.offset(addr); ok {
				at[f] = append(at[f], off)
			}
		}
	}
	return at
}

// ambiguous are the names that several of the binary's functions have.
func ambiguous(b *image) map[string]bool {
	seen, twice := map[string]bool{}, map[string]bool{}
	for f := range b.functions {
		if seen[f.Name] {
			twice[f.Name] = true
		}
		seen[f.Name] = true
	}
	return twice
}
