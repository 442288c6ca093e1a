package report

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/internal/tally"
	"github.com/surehook/surehook/sites"
)

var update = flag.Bool("update", false, "write the golden files")

func parse(t *testing.T, text string) hook.Hook {
	t.Helper()
	h, err := hook.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// add is inlined at two of its four places.
func add(t *testing.T) sites.Result {
	return sites.Result{
		Hook: parse(t, "uprobe:./prog:add"), Function: "add", DeclFile: "/src/add.c", DeclLine: 3,
		Target: sites.Target{Path: "/opt/prog", BuildID: "4f1c22e07d6b", Arch: elfbin.AMD64},
		Sites: []sites.Site{
			{Kind: sites.Entry, Address: 0x401149, FileOffset: 0x1149, Symbol: "add", Plain: true},
			{Kind: sites.Clone, Address: 0x401160, FileOffset: 0x1160, Symbol: "add.constprop.0"},
			{
				Kind: sites.Inlined, Address: 0x401171, FileOffset: 0x1171, Symbol: "main", Offset: 0x21,
				Callers: []sites.Frame{{Function: "twice", File: "/src/main.c", Line: 5}, {Function: "main", File: "/src/main.c", Line: 12}},
			},
			{
				Kind: sites.Inlined, Address: 0x40118a, FileOffset: 0x118a, Symbol: "ns::a_name<that, is>::long_enough_to_be_cut(int, char const*)", Offset: 0x4,
				Callers: []sites.Frame{{Function: "ns::a_name<that, is>::long_enough_to_be_cut(int, char const*)", File: "/src/x.cc", Line: 1234}},
				Cond:    flow.Cond{Op: flow.X86CC, Code: 5, Negate: true},
			},
		},
		Plain: sites.Judgement{Verdict: sites.Partial, Reasons: []sites.Reason{
			{Code: sites.ReasonInlined, Text: "misses 2 inlined copies"}, {Code: sites.ReasonClone, Text: "misses 1 clone"},
		}},
		Plan:    sites.Judgement{Verdict: sites.Complete},
		Lost:    []sites.Lost{{Caller: "main", File: "/src/main.c", Line: 12, Why: "calls an inlined copy"}, {Caller: "twice", Why: "passes a constant"}},
		PlainAt: []uint64{0x1149},
		Notes:   sites.Notes{Bodies: 2, Copies: 2},
	}
}

// gone cannot be attached by its name.
func gone(t *testing.T) sites.Result {
	why := sites.Reason{Code: sites.ReasonUndefined, Text: "only imported"}
	return sites.Result{
		Hook: parse(t, "uprobe:./prog:gone"), Function: "gone", Target: sites.Target{Path: "/opt/prog", Arch: elfbin.ARM64},
		Plain: sites.Judgement{Verdict: sites.None, Reasons: []sites.Reason{why}}, Plan: sites.Judgement{Verdict: sites.None, Reasons: []sites.Reason{why}},
	}
}

func many(t *testing.T) []sites.Result {
	var all []sites.Result
	for range 8 {
		r := add(t)
		r.Hook = parse(t, "uprobe:./prog:*")
		all = append(all, r)
	}
	all[3].Plan.Verdict, all[3].Plain.Verdict = sites.Unknown, sites.Unknown
	all[4].Function = "ns::a_name<that, is>::long_enough_to_be_cut(int, char const*)"
	return all
}

func counts(t *testing.T) []tally.Count {
	r := add(t)
	c := tally.Count{Result: &r, Executions: 13, Plain: 2, PlainKnown: true}
	for i, n := range []uint64{2, 1, 7, 3} {
		c.BySite = append(c.BySite, tally.SiteHits{Site: &r.Sites[i], Hits: tally.Hits{Hits: n}})
	}
	// Both arms of a branch enter a copy: one address, two sites.
	r.Sites = append(r.Sites, r.Sites[3])
	r.Sites[4].Cond = r.Sites[3].Cond.Not()
	c.Executions += 4
	c.BySite = append(c.BySite, tally.SiteHits{Site: &r.Sites[4], Hits: tally.Hits{Hits: 4}})
	other := add(t)
	other.Function, other.Plan.Verdict = "full", sites.Unknown
	silent := add(t)
	silent.Function = "silent"
	nothing := gone(t)
	return []tally.Count{
		{Result: &silent, PlainKnown: true, BySite: []tally.SiteHits{{Site: &silent.Sites[0]}}},
		c,
		{Result: &other, Executions: 1, Undecided: 2, Failed: 1, BySite: []tally.SiteHits{{Site: &other.Sites[2], Hits: tally.Hits{Hits: 1}}}},
		{Result: &nothing},
	}
}

func checked(t *testing.T) []Checked {
	r, g := add(t), gone(t)
	in := check.Input{Providers: func(string) []string { return []string{"/lib/libgone.so"} }}
	return []Checked{
		{Verdict: check.Judge([]sites.Result{r}), Findings: check.Check([]sites.Result{r}, in)},
		{Verdict: check.Judge([]sites.Result{g}), Findings: check.Check([]sites.Result{g}, in)},
	}
}

func manyChecked(t *testing.T) []Checked {
	results := many(t)
	for i := range results {
		results[i].Function += string(rune('a' + i))
	}
	return []Checked{{Verdict: check.Judge(results), Findings: check.Check(results, check.Input{})}}
}

func event(t *testing.T) Event {
	r := add(t)
	return Event{
		Time: time.Date(2026, 11, 22, 1, 2, 3, 4005000, time.UTC), PID: 4711, TID: 4712, Comm: "prog",
		Result: &r, Site: &r.Sites[2],
	}
}

func TestGolden(t *testing.T) {
	one := func(r sites.Result) []sites.Result { return []sites.Result{r} }
	returns := add(t)
	returns.Hook = parse(t, "uretprobe:./prog:add")
	returns.Plan.Verdict = sites.Partial
	for i := range returns.Sites {
		if s := &returns.Sites[i]; s.Kind == sites.Inlined {
			s.Kind = sites.Exit
		} else {
			s.Return = true
		}
	}
	returns.PlanLost = []sites.Lost{returns.Lost[0]}
	returns.PlanLost[0].Code = sites.ReasonExit
	tests := map[string]func(*bytes.Buffer, Format) error{
		"sites":      func(b *bytes.Buffer, f Format) error { return Sites(b, f, []sites.Result{add(t), gone(t)}, false) },
		"sites-ret":  func(b *bytes.Buffer, f Format) error { return Sites(b, f, one(returns), false) },
		"sites-many": func(b *bytes.Buffer, f Format) error { return Sites(b, f, many(t), false) },
		"counts":     func(b *bytes.Buffer, f Format) error { return Counts(b, f, counts(t), CountOptions{}) },
		"counts-site": func(b *bytes.Buffer, f Format) error {
			return Counts(b, f, counts(t), CountOptions{BySite: true, Prove: true})
		},
		"counts-one": func(b *bytes.Buffer, f Format) error { return Counts(b, f, counts(t)[1:2], CountOptions{Prove: true}) },
		"check":      func(b *bytes.Buffer, f Format) error { return Findings(b, f, checked(t), false) },
		"check-many": func(b *bytes.Buffer, f Format) error { return Findings(b, f, manyChecked(t), false) },
		"event": func(b *bytes.Buffer, f Format) error {
			if err := EventHeader(b, f); err != nil {
				return err
			}
			e := event(t)
			if err := WriteEvent(b, f, e); err != nil {
				return err
			}
			e.Undecided, e.Site = true, &e.Result.Sites[0]
			return WriteEvent(b, f, e)
		},
	}
	for name, write := range tests {
		for _, format := range []Format{Text, JSON} {
			t.Run(name+"."+string(format), func(t *testing.T) {
				var b bytes.Buffer
				if err := write(&b, format); err != nil {
					t.Fatal(err)
				}
				golden(t, name+"."+string(format), b.Bytes())
				if format == JSON {
					validJSON(t, b.Bytes())
				} else {
					fitsWindow(t, b.String())
				}
			})
		}
	}
}

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s: -want +got (go test ./report -update writes it):\n%s", name, diff)
	}
}

// fitsWindow allows long lines only where a command is to be pasted.
func fitsWindow(t *testing.T, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if utf8.RuneCountInString(line) >= 100 && !strings.Contains(line, "surehook trace") {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("blanks at the end: %q", line)
		}
	}
}

func validJSON(t *testing.T, b []byte) {
	t.Helper()
	for line := range bytes.SplitSeq(bytes.TrimSpace(b), []byte("\n")) {
		var object map[string]any
		if err := json.Unmarshal(line, &object); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		schema, _ := object["schema"].(string)
		if !strings.HasPrefix(schema, "surehook.") || !strings.HasSuffix(schema, "/1") {
			t.Errorf("schema %q", schema)
		}
		noNullArray(t, object)
	}
}

// noNullArray: null is allowed only where docs/json.md says so.
func noNullArray(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			if value == nil && key != "kernel" && key != "plain" && key != "condition" {
				t.Errorf("%s is null", key)
			}
			noNullArray(t, value)
		}
	case []any:
		for _, value := range v {
			noNullArray(t, value)
		}
	}
}

// TestDocsNameEveryField: docs/json.md is the contract.
func TestDocsNameEveryField(t *testing.T) {
	docs, err := os.ReadFile("../docs/json.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.json")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for line := range bytes.SplitSeq(bytes.TrimSpace(b), []byte("\n")) {
			var object map[string]any
			if err := json.Unmarshal(line, &object); err != nil {
				t.Fatal(err)
			}
			schema, _ := object["schema"].(string)
			_, section, ok := bytes.Cut(docs, []byte("\n## "+schema+"\n"))
			if !ok {
				t.Fatalf("docs/json.md has no section %s", schema)
			}
			section, _, _ = bytes.Cut(section, []byte("\n## "))
			for key := range object {
				if key != "schema" && !bytes.Contains(section, []byte("`"+key+"`")) && !bytes.Contains(section, []byte("`"+key+".")) {
					t.Errorf("docs/json.md, %s: no field %s", schema, key)
				}
			}
		}
	}
}

func TestCondition(t *testing.T) {
	tests := []struct {
		cond flow.Cond
		want string
	}{
		{flow.Cond{}, ""},
		{flow.Cond{Op: flow.X86CC, Code: 4}, "je taken"},
		{flow.Cond{Op: flow.X86CC, Code: 4}.Not(), "je not taken"},
		{flow.Cond{Op: flow.X86RCXZ, Width: 32}, "jecxz taken"},
		{flow.Cond{Op: flow.X86RCXZ, Width: 64}, "jrcxz taken"},
		{flow.Cond{Op: flow.ARM64CC, Code: 11}, "b.lt taken"},
		{flow.Cond{Op: flow.ARM64CBZ, Reg: 3, Width: 32}.Not(), "cbz w3 not taken"},
		{flow.Cond{Op: flow.ARM64CBZ, Reg: 31, Width: 64}, "cbz xzr taken"},
		{flow.Cond{Op: flow.ARM64TBZ, Reg: 0, Bit: 5}, "tbz x0, #5 taken"},
		{flow.Cond{Op: flow.RegTarget, Delta: 0x40}, "jump goes to +0x40 from here"},
		{flow.Cond{Op: flow.MemTarget, Delta: -0x40, Negate: true}, "jump does not go to -0x40 from here"},
	}
	for _, tt := range tests {
		if got := Condition(tt.cond); got != tt.want {
			t.Errorf("%+v: got %q, want %q", tt.cond, got, tt.want)
		}
	}
}

func TestParseFormat(t *testing.T) {
	if f, err := ParseFormat("json"); err != nil || f != JSON {
		t.Error(f, err)
	}
	if f, err := ParseFormat("xml"); err == nil || f != "" {
		t.Error(f, err)
	}
}
