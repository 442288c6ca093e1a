package sites

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/dwarfinfo"
)

// TestWorse: what is known to be lost outweighs what is not known.
func TestWorse(t *testing.T) {
	order := []Verdict{Complete, Unknown, Partial, None}
	for i, a := range order {
		for k, b := range order {
			if got := worse(a, b); got != order[max(i, k)] {
				t.Errorf("%s and %s: %s", a, b, got)
			}
		}
	}
}

func codes(j Judgement) []ReasonCode {
	var out []ReasonCode
	for _, r := range j.Reasons {
		out = append(out, r.Code)
	}
	return out
}

func TestJudgePlan(t *testing.T) {
	none := func() strangers { return strangers{} }
	read := &Binary{data: &dwarfinfo.Data{}, stray: none}
	gaps := &Binary{data: &dwarfinfo.Data{}, gaps: []Reason{{ReasonGap, "split"}}}
	site := []Site{{Kind: Entry}}
	doubt := func(c ReasonCode) tally { return tally{doubts: []Reason{{c, "why"}}} }
	tests := []struct {
		name    string
		b       *Binary
		r       Result
		t       tally
		verdict Verdict
		codes   []ReasonCode
	}{
		{"all seen", read, Result{Sites: site}, tally{}, Complete, []ReasonCode{ReasonEntry}},
		{"a doubt", read, Result{Sites: site}, doubt(ReasonMerged), Unknown, []ReasonCode{ReasonMerged}},
		{"an edge that cannot be counted", read, Result{Sites: site}, doubt(ReasonCondition), Partial, []ReasonCode{ReasonCondition}},
		{"lost", read, Result{Sites: site, PlanLost: []Lost{{Caller: "g"}}}, tally{}, Partial, []ReasonCode{ReasonUnreached}},
		{"lost and a doubt", read, Result{Sites: site, PlanLost: []Lost{{Caller: "g"}}}, doubt(ReasonMerged), Partial, []ReasonCode{ReasonMerged, ReasonUnreached}},
		{"debug information not read", gaps, Result{Sites: site}, tally{}, Unknown, []ReasonCode{ReasonGap}},
		{"a body without", read, Result{Sites: site}, tally{noDebug: true}, Unknown, []ReasonCode{ReasonNoDebug}},
		{"indirect function", read, Result{Sites: site}, tally{ifunc: true}, Partial, []ReasonCode{ReasonIFunc}},
		{"nothing left", read, Result{}, tally{}, None, []ReasonCode{ReasonNoSymbol}},
		{"nothing found, not all read", gaps, Result{}, tally{}, Unknown, []ReasonCode{ReasonGap}},
		{"all lost", read, Result{PlanLost: []Lost{{Caller: "g"}}}, tally{}, None, []ReasonCode{ReasonUnreached}},
	}
	for _, tt := range tests {
		j := tt.b.judgePlan(&tt.r, &function{name: "f"}, &tt.t)
		if j.Verdict != tt.verdict {
			t.Errorf("%s: %s, want %s", tt.name, j.Verdict, tt.verdict)
		}
		if diff := cmp.Diff(tt.codes, codes(j)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
		for _, r := range j.Reasons {
			if r.Text == "" {
				t.Errorf("%s: %s without a text", tt.name, r.Code)
			}
		}
	}
}

func TestJudgePlain(t *testing.T) {
	b := &Binary{data: &dwarfinfo.Data{}}
	complete := Judgement{Complete, nil}
	unknown := Judgement{Unknown, []Reason{{ReasonGap, "split"}}}
	body, inlined, clone := Site{Kind: Entry, Plain: true}, Site{Kind: Inlined}, Site{Kind: Clone}
	tests := []struct {
		name    string
		sites   []Site
		plan    Judgement
		verdict Verdict
		codes   []ReasonCode
	}{
		{"the body is all", []Site{body}, complete, Complete, []ReasonCode{ReasonEntry}},
		{"copies besides", []Site{body, inlined}, complete, Partial, []ReasonCode{ReasonInlined}},
		{"clones besides", []Site{body, clone}, complete, Partial, []ReasonCode{ReasonClone}},
		{"both", []Site{body, inlined, clone}, complete, Partial, []ReasonCode{ReasonInlined, ReasonClone}},
		{"no site at the symbol", []Site{inlined}, complete, Partial, []ReasonCode{ReasonInlined, ReasonNoSymbol}},
		{"no better than the plan", []Site{body}, unknown, Unknown, []ReasonCode{ReasonGap}},
		{"copies, and not all is known", []Site{body, inlined}, unknown, Partial, []ReasonCode{ReasonInlined, ReasonGap}},
	}
	for _, tt := range tests {
		j := b.judgePlain(&Result{Sites: tt.sites, Plan: tt.plan, PlainAt: []uint64{0x10}}, &function{name: "f"}, &tally{})
		if j.Verdict != tt.verdict {
			t.Errorf("%s: %s, want %s", tt.name, j.Verdict, tt.verdict)
		}
		if diff := cmp.Diff(tt.codes, codes(j)); diff != "" {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
}

// TestUniqueSites: one hit at one place is one execution, unless the
// conditions differ.
func TestUniqueSites(t *testing.T) {
	var y tally
	in := []Site{{Address: 3}, {Address: 1}, {Address: 3}}
	got := uniqueSites(in, &y)
	if len(got) != 2 || got[0].Address != 1 || got[1].Address != 3 || len(y.doubts) != 1 || y.doubts[0].Code != ReasonMerged {
		t.Errorf("%+v, doubts %+v", got, y.doubts)
	}
}
