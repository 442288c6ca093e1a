package kernel

import (
	"slices"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// Result is a function of a kernel as package sites gives those of files: the
// places of a probe on its code, without verdicts. Sites are named by symbol
// and offset; their addresses are as linked, or 0 where not known.
func Result(h hook.Hook, f Function, id Identity) sites.Result {
	r := sites.Result{
		Hook: h, Function: f.Name,
		Target: sites.Target{Path: id.Name, BuildID: id.BuildID, Arch: id.Arch, Kernel: true},
	}
	if len(f.Sources) > 0 {
		r.DeclFile = f.Sources[0]
	}
	addBodies(&r, h, f)
	addCopies(&r, h, f)
	return r
}

// addBodies adds the entries. Of several functions of the hook's name the plain
// probe is put on the first.
func addBodies(r *sites.Result, h hook.Hook, f Function) {
	plain := false
	for _, s := range f.Symbols {
		if s.Kind == Part && s.Name != h.Function || s.Kind == Cold || s.Init {
			continue
		}
		site := sites.Site{Kind: sites.Entry, Address: s.Address, Symbol: s.Name, Return: h.Kind.Return(), Times: 1, Namesake: Ambiguous(f, s.Name)}
		if s.Kind == Clone {
			site.Kind = sites.Clone
		}
		if s.Name == h.Function && !plain {
			site.Plain, plain = true, true
		}
		r.Sites = append(r.Sites, site)
		r.Notes.Bodies++
	}
}

// Ambiguous tells whether only an address says which symbol of a name is meant.
func Ambiguous(f Function, symbol string) bool {
	return Namesakes(f, symbol) > 1 || slices.ContainsFunc(f.Symbols, func(s Symbol) bool { return s.Name == symbol && s.Variable })
}

// Namesakes is how many symbols of a function have the name.
func Namesakes(f Function, symbol string) int {
	n := 0
	for _, s := range f.Symbols {
		if s.Name == symbol && !s.Init {
			n++
		}
	}
	return n
}

// addCopies adds the inlined copies, which only a probe at the beginning of
// executions sees.
func addCopies(r *sites.Result, h hook.Hook, f Function) {
	r.Notes.Copies = len(f.Copies)
	for _, c := range f.Copies {
		if !h.Kind.Return() {
			r.Sites = append(r.Sites, sites.Site{
				Kind: sites.Inlined, Address: c.Address, Symbol: c.Caller, Offset: c.Offset, Cond: c.Cond, Times: c.Times,
				Callers: []sites.Frame{{Function: c.Caller}},
			})
		}
		r.Lost = append(r.Lost, sites.Lost{Caller: c.Caller, Why: "inlined copy"})
		if h.Kind.Return() {
			r.PlanLost = append(r.PlanLost, sites.Lost{Caller: c.Caller, Why: "inlined copy, whose return no probe sees", Code: sites.ReasonReturn})
		}
	}
}
