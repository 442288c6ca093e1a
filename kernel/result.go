package kernel

import (
	"fmt"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// Result is a function of a kernel as package sites gives those of files: the
// places of a kprobe or kretprobe with their verdicts. Sites are named by
// symbol and offset; their addresses are as linked, or 0 where not known.
// inlining says why copies are not known, "" if they are.
func Result(h hook.Hook, f Function, id Identity, inlining string) sites.Result {
	r := sites.Result{
		Hook: h, Function: f.Name, Plan: f.Plan,
		Target: sites.Target{Path: id.Name, BuildID: id.BuildID, Arch: id.Arch, Kernel: true},
	}
	if len(f.Sources) > 0 {
		r.DeclFile = f.Sources[0]
	}
	named := addBodies(&r, h, f)
	addCopies(&r, h, f)
	r.Plain = plainJudgement(&r, h, named, inlining)
	if h.Kind.Return() && len(f.Copies) > 0 {
		if r.Plan.Verdict = sites.Partial; len(r.Sites) == 0 {
			r.Plan.Verdict = sites.None
		}
		r.Plan.Reasons = append(r.Plan.Reasons, sites.Reason{Code: sites.ReasonReturn, Text: "a kretprobe does not see inlined copies return"})
	}
	return r
}

// addBodies adds the entries; named is how many of them have the hook's name.
func addBodies(r *sites.Result, h hook.Hook, f Function) (named int) {
	for _, s := range f.Symbols {
		if s.Kind == Part || s.Kind == Cold || s.Init {
			continue
		}
		site := sites.Site{Kind: sites.Entry, Address: s.Address, Symbol: s.Name, Return: h.Kind.Return(), Times: 1}
		if s.Kind == Clone {
			site.Kind = sites.Clone
		}
		if s.Name == h.Function {
			site.Plain, r.PlainSymbol = true, s.Name
			named++
		}
		r.Sites = append(r.Sites, site)
		r.Notes.Bodies++
	}
	return named
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
			r.PlanLost = append(r.PlanLost, sites.Lost{Caller: c.Caller, Why: "inlined copy", Code: sites.ReasonReturn})
		}
	}
}

// plainJudgement judges the probe by name.
func plainJudgement(r *sites.Result, h hook.Hook, named int, inlining string) sites.Judgement {
	var j sites.Judgement
	say := func(code sites.ReasonCode, format string, args ...any) {
		j.Reasons = append(j.Reasons, sites.Reason{Code: code, Text: fmt.Sprintf(format, args...)})
	}
	switch {
	case named == 0:
		j.Verdict = sites.None
		say(sites.ReasonNoSymbol, "no symbol %s", h.Function)
	case len(r.Lost) > 0:
		j.Verdict = sites.Partial
		say(sites.ReasonInlined, "%d inlined copies are missed", len(r.Lost))
	case named > 1:
		j.Verdict = sites.Unknown
		say(sites.ReasonMerged, "%d functions have the name; kernels refuse it or take one of them", named)
	case inlining != "":
		j.Verdict = sites.Unknown
		say(sites.ReasonNoDebug, "%s", inlining)
	case r.Notes.Bodies > named:
		j.Verdict = sites.Partial
		say(sites.ReasonClone, "%d clones besides", r.Notes.Bodies-named)
	default:
		j = sites.Judgement{Verdict: r.Plan.Verdict, Reasons: r.Plan.Reasons}
	}
	return j
}
