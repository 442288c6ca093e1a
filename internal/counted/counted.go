// Package counted is what was counted of functions. It is apart from package
// tally so that reports need nothing that attaches.
package counted

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
