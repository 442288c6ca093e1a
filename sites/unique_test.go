package sites

import "testing"

// TestHitsForSeveralCopies: a hit stands for both of two copies where the line table
// marks the beginning of both; else that is a doubt.
func TestHitsForSeveralCopies(t *testing.T) {
	site := Site{Kind: Inlined, Address: 0x10, Times: 1}
	tests := []struct {
		name   string
		in     []Site
		marked int
		times  int
		doubts int
	}{
		{"one", []Site{site}, 1, 1, 0},
		{"two marked", []Site{site, site}, 2, 2, 0},
		{"one of two marked", []Site{site, site}, 1, 1, 1},
		{"none marked", []Site{site, site}, 0, 1, 1},
		{"two of three marked", []Site{site, site, site}, 2, 2, 1},
	}
	for _, tt := range tests {
		ty := &tally{marked: map[siteID]int{site.id(): tt.marked}}
		out := uniqueSites(append([]Site(nil), tt.in...), ty)
		if len(out) != 1 || out[0].Times != tt.times || len(ty.doubts) != tt.doubts {
			t.Errorf("%s: %d sites, %d times, %d doubts; want 1, %d, %d", tt.name, len(out), out[0].Times, len(ty.doubts), tt.times, tt.doubts)
		}
	}
}
