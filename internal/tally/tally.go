// Package tally makes attach plans of resolved functions, and counts of
// functions from the counts of probes.
package tally

import (
	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// Options of New.
type Options struct {
	// NoPlain leaves out the probes that only the plain probe would have:
	// they are not counted, and Count.Plain is not known for some functions.
	NoPlain bool
}

// Tally knows which probe counts for which function and site. It is immutable.
type Tally struct {
	plans []attach.Plan
	funcs []function
	refs  map[probeID][]Ref
}

// probeID is a probe by its indices, as attach.Event has them.
type probeID struct{ plan, probe int }

// Ref is a site of a function, by the indices in the results given to New.
type Ref struct{ Result, Site int }

// function is one result with the probes of its sites and of its plain probe.
type function struct {
	result *sites.Result
	sites  []probeID // by site
	plain  []probeID
	known  bool // plain holds every probe of the plain probe
}

// New plans the probes of all results: one plan a file, one probe for each
// file offset, condition and direction, shared by the functions that need it.
func New(results []sites.Result, opts Options) *Tally {
	b := builder{
		t:     &Tally{refs: map[probeID][]Ref{}},
		plans: map[string]int{},
		seen:  map[probeKey]probeID{},
	}
	for i := range results {
		b.add(i, &results[i], opts)
	}
	return b.t
}

// Plans are for attach.Open, in this order.
func (t *Tally) Plans() []attach.Plan { return t.plans }

// Probes is the number of probes in all plans.
func (t *Tally) Probes() int {
	n := 0
	for _, p := range t.plans {
		n += len(p.Probes)
	}
	return n
}

// Refs are the sites that begin where the probe hit, by the indices of an
// attach.Event; none if only the plain probe is there.
func (t *Tally) Refs(plan, probe int) []Ref { return t.refs[probeID{plan, probe}] }

// probeKey is what makes two probes equal.
type probeKey struct {
	plan  int
	probe attach.Probe
}

type builder struct {
	t     *Tally
	plans map[string]int // by path
	seen  map[probeKey]probeID
}

func (b *builder) add(index int, r *sites.Result, opts Options) {
	f := function{result: r, known: len(plainProbes(r)) > 0}
	for i, s := range r.Sites {
		id := b.probe(path(r.Target), place(r.Target, s))
		f.sites = append(f.sites, id)
		if refs := b.t.refs[id]; len(refs) == 0 || refs[len(refs)-1].Result != index {
			b.t.refs[id] = append(refs, Ref{Result: index, Site: i})
		}
	}
	for _, p := range plainProbes(r) {
		if _, ok := b.has(path(r.Target), p); !ok && opts.NoPlain {
			f.known = false
			continue
		}
		f.plain = append(f.plain, b.probe(path(r.Target), p))
	}
	b.t.funcs = append(b.t.funcs, f)
}

// path is that of a plan: none for the kernel.
func path(t sites.Target) string {
	if t.Kernel {
		return ""
	}
	return t.Path
}

// place is the probe of a site.
func place(t sites.Target, s sites.Site) attach.Probe {
	if !t.Kernel {
		return attach.Probe{Offset: s.FileOffset, Cond: s.Cond, Return: s.Return}
	}
	p := attach.Probe{Symbol: s.Symbol, Offset: s.Offset, Cond: s.Cond, Return: s.Return, Ways: ways(s.Ways)}
	if s.Namesake {
		p.Address = s.Address
		if s.Kind == sites.Inlined {
			p.Address -= s.Offset
		}
	}
	return p
}

// ways are those of a kernel's site. That a kprobe is the only one is the
// zero value, so that a hook on an offset and a copy share a probe there.
func ways(kinds []hook.Kind) (w attach.Ways) {
	by := map[hook.Kind]attach.Way{
		hook.Kprobe: attach.ByKprobe, hook.Kretprobe: attach.ByKprobe, hook.Fentry: attach.ByFentry, hook.Fexit: attach.ByFentry,
		hook.KprobeMulti: attach.ByKprobeMulti, hook.KretprobeMulti: attach.ByKprobeMulti,
		hook.Tracepoint: attach.ByTracepoint, hook.RawTracepoint: attach.ByRawTracepoint, hook.LSM: attach.ByLSM,
	}
	n := 0
	for _, k := range kinds {
		if n < len(w) && by[k] != attach.NoWay {
			w[n] = by[k]
			n++
		}
	}
	if w == (attach.Ways{attach.ByKprobe}) {
		return attach.Ways{}
	}
	return w
}

// plainProbes are what bpftrace or libbpf would attach.
func plainProbes(r *sites.Result) []attach.Probe {
	var list []attach.Probe
	for _, s := range r.Sites {
		if r.Target.Kernel && s.Plain {
			list = append(list, place(r.Target, s))
		}
	}
	for _, offset := range r.PlainAt {
		list = append(list, attach.Probe{Offset: offset, Cond: flow.Cond{}, Return: r.Hook.Kind.Return()})
	}
	return list
}

func (b *builder) has(path string, p attach.Probe) (probeID, bool) {
	plan, ok := b.plans[path]
	if !ok {
		return probeID{}, false
	}
	id, ok := b.seen[probeKey{plan, p}]
	return id, ok
}

// probe gives the index of the probe, adding it if it is new.
func (b *builder) probe(path string, p attach.Probe) probeID {
	if id, ok := b.has(path, p); ok {
		return id
	}
	plan, ok := b.plans[path]
	if !ok {
		plan = len(b.t.plans)
		b.plans[path] = plan
		b.t.plans = append(b.t.plans, attach.Plan{Path: path})
	}
	probes := &b.t.plans[plan].Probes
	id := probeID{plan, len(*probes)}
	*probes = append(*probes, p)
	b.seen[probeKey{plan, p}] = id
	return id
}
