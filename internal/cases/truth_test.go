package cases

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/dwarfinfo"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/sites"
)

// TestTruth compares what a person wrote with the program built without
// optimization: there every execution begins at the function's symbol.
func TestTruth(t *testing.T) {
	for name, c := range readCases(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := &probed{testCase: c, t: t, dir: t.TempDir(), graphs: map[*dwarfinfo.Func]*flow.Graph{}}
			if err := c.unpack(p.dir); err != nil {
				t.Fatal(err)
			}
			v := c.variants[0].unoptimized()
			if v == nil {
				return // Go, Rust
			}
			v.make(t, p.dir)
			p.resolve()
			defer p.binary.Close()
			unable := p.count()
			if unable == attach.ErrHazard.Error() {
				return
			}
			if unable != "" {
				t.Skip("executions were not counted: " + unable)
			}
			if p.compare(t) == 0 {
				t.Log("without optimization there is nothing to compare")
			}
		})
	}
}

// unoptimized is the variant built without optimization, nil if none of its
// commands optimizes. It takes the linker's folding away too.
func (v *variant) unoptimized() *variant {
	level := regexp.MustCompile(` -O[123s]\b`)
	folding := regexp.MustCompile(` -Wl,--icf=all`)
	out := *v
	out.build = nil
	found := false
	for _, line := range v.build {
		if level.MatchString(line) {
			line, found = level.ReplaceAllString(line, " -O0"), true
		}
		out.build = append(out.build, folding.ReplaceAllString(line, ""))
	}
	if !found {
		return nil
	}
	return &out
}

// compare tests the truths and gives their number. Left out are parts, which
// exist with optimization only, what is inlined without (always_inline), and
// indirect functions, whose symbol is the resolver's.
func (p *probed) compare(t *testing.T) int {
	type key struct {
		hook, name string
		truth      uint64
	}
	seen := map[key]uint64{}
	for i := range p.counts {
		r := &p.results[i]
		truth, ok := p.truthOf(p.of[i], r)
		other := func(s sites.Site) bool { return s.Kind != sites.Entry && (s.Kind != sites.Exit || len(s.Callers) > 0) }
		if ok && !strings.Contains(r.Function, ".") && !r.Hook.HasOffset && len(r.Sites) > 0 &&
			!slices.ContainsFunc(r.Sites, other) && !slices.ContainsFunc(r.Notes.Symbols, elfbin.Symbol.IFunc) {
			name, _ := p.truthKey(p.of[i], r)
			seen[key{p.of[i], name, truth}] += p.counts[i].Executions
		}
	}
	for k, n := range seen {
		if n != k.truth {
			t.Errorf("%s: the truth of %s is said to be %d, without optimization it is %d", k.hook, k.name, k.truth, n)
		}
	}
	return len(seen)
}
