package report

import (
	"io"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

type sitesObject struct {
	Schema   string       `json:"schema"`
	Hook     string       `json:"hook"`
	Function string       `json:"function"`
	Linkage  string       `json:"linkage,omitempty"`
	DeclFile string       `json:"decl_file,omitempty"`
	DeclLine int          `json:"decl_line,omitempty"`
	Target   targetObject `json:"target"`
	Plain    judgement    `json:"plain"`
	Plan     judgement    `json:"plan"`
	Sites    []siteObject `json:"sites"`
	Lost     []lostObject `json:"lost"`
	PlanLost []lostObject `json:"plan_lost"`
	Code     *codeObject  `json:"code,omitempty"`
}

type targetObject struct {
	Path    string `json:"path"`
	BuildID string `json:"build_id"`
	Arch    string `json:"arch"`
}

type judgement struct {
	Verdict sites.Verdict  `json:"verdict"`
	Reasons []reasonObject `json:"reasons"`
}

type reasonObject struct {
	Code sites.ReasonCode `json:"code"`
	Text string           `json:"text"`
}

type siteObject struct {
	Kind       sites.Kind    `json:"kind"`
	Address    hex           `json:"address"`
	FileOffset hex           `json:"file_offset"`
	Symbol     string        `json:"symbol"`
	Offset     hex           `json:"offset"`
	Callers    []frameObject `json:"callers"`
	Condition  *string       `json:"condition"`
	Plain      bool          `json:"plain"`
	Return     bool          `json:"return"`
	Times      int           `json:"times"`
	// Attach is, of a kernel, how the place is attached, the plan's choice first.
	Attach []hook.Kind `json:"attach,omitempty"`
}

type frameObject struct {
	Function string `json:"function"`
	File     string `json:"file"`
	Line     int    `json:"line"`
}

type lostObject struct {
	Caller string `json:"caller"`
	Why    string `json:"why"`
	File   string `json:"file"`
	Line   int    `json:"line"`
	// Code is the reason of a loss of the plan, empty for the plain probe's.
	Code sites.ReasonCode `json:"code,omitempty"`
}

func sitesJSON(w io.Writer, results []sites.Result) error {
	for i := range results {
		if err := line(w, newSitesObject(&results[i])); err != nil {
			return err
		}
	}
	return nil
}

func newSitesObject(r *sites.Result) sitesObject {
	o := sitesObject{
		Schema: SitesSchema, Hook: spelled(r.Hook), Function: r.Function, Linkage: r.Linkage,
		DeclFile: r.DeclFile, DeclLine: r.DeclLine,
		Target: targetObject{Path: r.Target.Path, BuildID: r.Target.BuildID, Arch: r.Target.Arch.String()},
		Plain:  newJudgement(r.Plain), Plan: newJudgement(r.Plan),
		Sites: []siteObject{}, Lost: newLost(r.Lost), PlanLost: newLost(r.PlanLost), Code: newCode(r.Notes.Code),
	}
	for _, s := range r.Sites {
		o.Sites = append(o.Sites, newSiteObject(s))
	}
	return o
}

func newSiteObject(s sites.Site) siteObject {
	o := siteObject{
		Kind: s.Kind, Address: hex(s.Address), FileOffset: hex(s.FileOffset), Symbol: s.Symbol, Offset: hex(s.Offset),
		Callers: newFrames(s.Callers), Plain: s.Plain, Return: s.Return, Times: max(1, s.Times), Attach: s.Ways,
	}
	if s.Cond.Op != flow.Always {
		text := Condition(s.Cond)
		o.Condition = &text
	}
	return o
}

func newFrames(frames []sites.Frame) []frameObject {
	out := []frameObject{}
	for _, f := range frames {
		out = append(out, frameObject(f))
	}
	return out
}

func newJudgement(j sites.Judgement) judgement {
	out := judgement{Verdict: j.Verdict, Reasons: []reasonObject{}}
	for _, r := range j.Reasons {
		out.Reasons = append(out.Reasons, reasonObject(r))
	}
	return out
}

func newLost(lost []sites.Lost) []lostObject {
	out := []lostObject{}
	for _, l := range lost {
		out = append(out, lostObject{Caller: l.Caller, Why: l.Why, File: l.File, Line: l.Line, Code: l.Code})
	}
	return out
}
