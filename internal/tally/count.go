package tally

import "github.com/surehook/surehook/sites"

// Hits is what one probe has counted.
type Hits struct {
	Hits      uint64 // its condition held
	Undecided uint64 // its condition could not be decided
}

// SiteHits is a site with its hits.
type SiteHits struct {
	Site *sites.Site
	Hits
}

// Count is what was counted of one function.
type Count struct {
	Result     *sites.Result
	Executions uint64 // hits of all sites; a lower bound if Undecided is not 0 or probes failed
	Undecided  uint64
	// Plain is what the plain probe alone would have counted, valid if
	// PlainKnown: it is not when the plain probe cannot be attached.
	Plain      uint64
	PlainKnown bool
	BySite     []SiteHits // in the order of Result.Sites
	Failed     int        // sites whose probe was not attached
}

// Count reads the counter of every probe once and adds up by function, in the
// order of the results. failed tells which probes are not attached; may be nil.
func (t *Tally) Count(read func(plan, probe int) Hits, failed func(plan, probe int) bool) []Count {
	hits := make(map[probeID]Hits, len(t.refs))
	for plan := range t.plans {
		for probe := range t.plans[plan].Probes {
			hits[probeID{plan, probe}] = read(plan, probe)
		}
	}
	if failed == nil {
		failed = func(int, int) bool { return false }
	}
	counts := make([]Count, len(t.funcs))
	for i, f := range t.funcs {
		counts[i] = f.count(hits, failed)
	}
	return counts
}

func (f function) count(hits map[probeID]Hits, failed func(plan, probe int) bool) Count {
	c := Count{Result: f.result, PlainKnown: f.known}
	added := make(map[probeID]bool, len(f.sites))
	for i, id := range f.sites {
		c.BySite = append(c.BySite, SiteHits{Site: &f.result.Sites[i], Hits: hits[id]})
		if added[id] { // two sites at one place: one hit is one execution
			continue
		}
		added[id] = true
		c.Executions += hits[id].Hits
		c.Undecided += hits[id].Undecided
		if failed(id.plan, id.probe) {
			c.Failed++
		}
	}
	for _, id := range f.plain {
		c.Plain += hits[id].Hits
		if failed(id.plan, id.probe) {
			c.PlainKnown = false
		}
	}
	return c
}
