package check

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

func TestRules(t *testing.T) {
	covered := map[Code]bool{}
	for _, tt := range ruleCases() {
		t.Run(tt.name, func(t *testing.T) {
			r := tt.result
			r.Hook, r.Target.Path = parse(t, tt.hook), file
			findings := Check([]sites.Result{r, r}, tt.in) // twice the same is said once
			var got []string
			for _, f := range findings {
				got = append(got, string(f.Rule)+" "+string(f.Severity))
				covered[f.Rule] = true
				wellFormed(t, f)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Fatalf("-want +got:\n%s", diff)
			}
			if len(findings) > 0 && !strings.Contains(findings[0].Message, tt.message) {
				t.Errorf("message %q, want %q in it", findings[0].Message, tt.message)
			}
			if len(findings) > 0 && !strings.Contains(findings[0].Remedy, tt.remedy) {
				t.Errorf("remedy:\n%s\nwant in it:\n%s", findings[0].Remedy, tt.remedy)
			}
		})
	}
	for _, r := range Rules() {
		if !covered[r.Code] && r.run != nil {
			t.Errorf("no case for %s", r.Code)
		}
	}
}

// wellFormed checks what holds for every finding; hooks in commands must parse.
func wellFormed(t *testing.T, f Finding) {
	t.Helper()
	if f.Message == "" || strings.HasSuffix(f.Message, ".") || strings.Contains(f.Message, "\n") {
		t.Errorf("%s: message is not one sentence without full stop: %q", f.Rule, f.Message)
	}
	if f.Remedy == "" {
		t.Errorf("%s: no remedy", f.Rule)
	}
	if strings.Contains(f.Remedy, "-e ' {") {
		t.Errorf("%s: a command without a probe: %s", f.Rule, f.Remedy)
	}
	for line := range strings.SplitSeq(f.Remedy, "\n") {
		_, quoted, ok := strings.Cut(line, "surehook trace --count '")
		if !ok {
			continue
		}
		text, _, _ := strings.Cut(quoted, "'")
		if _, err := hook.Parse(text); err != nil {
			t.Errorf("%s: remedy cannot be pasted: %v", f.Rule, err)
		}
	}
}

func TestTable(t *testing.T) {
	rules := Rules()
	for i, r := range rules {
		if i > 0 && rules[i-1].Code >= r.Code {
			t.Errorf("%s comes after %s", r.Code, rules[i-1].Code)
		}
		if r.Title == "" || r.Summary == "" || r.Remedy == "" || r.run == nil && r.kernel == nil && r.program == nil && !r.beyond && r.Code[2] != '0' || r.Severity.rank() == 0 || r.Code.Gotcha() == "" {
			t.Errorf("%s is not complete", r.Code)
		}
		if !strings.Contains(r.Explanation, "\n    ") {
			t.Errorf("%s has no worked example", r.Code)
		}
		for line := range strings.SplitSeq(r.Explain(), "\n") {
			if len(line) > 80 {
				t.Errorf("%s: line of %d columns: %s", r.Code, len(line), line)
			}
		}
	}
}

func TestDocsAreGenerated(t *testing.T) {
	b, err := os.ReadFile("../docs/rules.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(b), Markdown()); diff != "" {
		t.Errorf("docs/rules.md is stale; run go generate ./check\n%s", diff)
	}
}

func TestJudge(t *testing.T) {
	verdicts := []sites.Verdict{sites.Complete, sites.Partial, sites.None, sites.Unknown}
	want := map[string]sites.Verdict{
		"complete complete": sites.Complete, "complete partial": sites.Partial, "complete none": sites.Partial, "complete unknown": sites.Unknown,
		"partial partial": sites.Partial, "partial none": sites.Partial, "partial unknown": sites.Partial,
		"none none": sites.None, "none unknown": sites.Unknown, "unknown unknown": sites.Unknown,
	}
	for i, a := range verdicts {
		for _, b := range verdicts[i:] {
			for _, pair := range [][]sites.Verdict{{a, b}, {b, a}} {
				var results []sites.Result
				for _, v := range pair {
					results = append(results, sites.Result{Plain: sites.Judgement{Verdict: v}, Plan: complete})
				}
				got := Judge(results)
				if got.Plain != want[string(a)+" "+string(b)] || got.Plan != sites.Complete || got.Functions != 2 {
					t.Errorf("%v: %+v", pair, got)
				}
			}
		}
	}
	if got := Judge(nil); got.Plain != sites.Unknown || got.Plan != sites.Unknown {
		t.Errorf("nothing: %+v", got)
	}
}

func TestSeverities(t *testing.T) {
	order := []Severity{Info, Warning, Error, Never}
	for i, limit := range order {
		for j, s := range order[:3] {
			if s.AtLeast(limit) != (j >= i) {
				t.Errorf("%s at least %s: %v", s, limit, s.AtLeast(limit))
			}
		}
		if got, err := ParseSeverity(string(limit)); err != nil || got != limit {
			t.Errorf("%s: %v, %v", limit, got, err)
		}
	}
	if _, err := ParseSeverity("bad"); err == nil {
		t.Error("no error")
	}
	if got := Worst([]Finding{{Severity: Info}, {Severity: Error}, {Severity: Warning}}); got != Error {
		t.Error(got)
	}
}

func TestManyProbesAreBeyondBpftrace(t *testing.T) {
	r := sites.Result{Function: "add", Hook: parse(t, "uprobe:./prog:add"), Target: sites.Target{Path: file}}
	for i := range uint64(maxBpftraceProbes + 1) {
		r.Sites = append(r.Sites, inlined(0x1000+i, "main", i+1, 1))
	}
	if got := Command(&r); got != "" {
		t.Errorf("a command of %d bytes", len(got))
	}
	r.Sites = slices.Delete(r.Sites, 0, 1)
	if got := Command(&r); !strings.HasPrefix(got, "bpftrace -e 'uprobe:/opt/prog:0x1001, ") {
		t.Errorf("got %.80s", got)
	}
}

// TestStartFilesOnce: a glob that matches several functions of the start files
// says of them all what is to say once.
func TestStartFilesOnce(t *testing.T) {
	var results []sites.Result
	for _, name := range []string{"_start", "frame_dummy"} {
		unknown := sites.Judgement{Verdict: sites.Unknown, Reasons: []sites.Reason{{Code: sites.ReasonNoDebug, Text: name + " is not described"}}}
		results = append(results, sites.Result{Function: name, Plain: unknown, Plan: unknown, Notes: sites.Notes{StartFile: true}})
	}
	if got := Check(results, Input{}); len(got) != 1 || got[0].Rule != SH407 {
		t.Errorf("%d findings: %+v", len(got), got)
	}
}
