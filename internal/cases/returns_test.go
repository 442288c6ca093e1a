package cases

import (
	"path/filepath"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/counted"
	"github.com/surehook/surehook/sites"
)

// returning resolves every entry hook of the case once more, for returns: in
// the same run what begins returns. By index in p.results. Results whose plan is
// not complete prove nothing and are left out.
func (p *probed) returning() (back []sites.Result, of []int) {
	for i, r := range p.results {
		if r.Hook.Kind != hook.Uprobe || r.Hook.HasOffset || r.Hook.HasAddress || r.Plan.Verdict != sites.Complete ||
			r.Target.Path != filepath.Join(p.dir, p.results[0].Hook.Target) {
			continue
		}
		h := r.Hook
		h.Kind = hook.Uretprobe
		results, err := p.binary.Resolve(h)
		if err != nil {
			p.t.Errorf("%s: %v", h, err)
			continue
		}
		for _, b := range results {
			if b.Function == r.Function && b.DeclFile == r.DeclFile && b.Plan.Verdict == sites.Complete {
				back, of = append(back, b), append(of, i)
			}
		}
	}
	return back, of
}

// checkReturns tests that what is called complete returned as often as it
// began or, where not all executions return, as often as a person says.
func (p *probed) checkReturns(back []counted.Count, of []int) {
	for k, c := range back {
		want, less := p.returns[c.Result.Function]
		if !less {
			want = p.counts[of[k]].Executions
		}
		if c.Executions == want {
			continue
		}
		p.t.Errorf("%s: %d returns of %d, yet the plan is complete", c.Result.Function, c.Executions, want)
		for _, s := range c.BySite {
			p.t.Logf("%6d hits at %#x %s+%#x %s %v", s.Hits.Hits, s.Site.Address, s.Site.Symbol, s.Site.Offset, s.Site.Kind, s.Site.Cond)
		}
	}
}
