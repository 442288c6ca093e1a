package tally

import "github.com/surehook/surehook/internal/counted"

// The results, where packages that do not attach can use them too.
type (
	Hits     = counted.Hits     // what one probe has counted
	SiteHits = counted.SiteHits // a site with its hits
	Count    = counted.Count    // what was counted of one function
)

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
		c.Executions += hits[id].Hits * uint64(max(1, f.result.Sites[i].Times))
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
