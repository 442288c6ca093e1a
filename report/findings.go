package report

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/sites"
)

// maxFindings is how many findings of one hook are shown in full as text;
// more are listed by rule.
const maxFindings = 12

// maxNames is how many functions are listed by rule.
const maxNames = 40

// Checked is one hook with its verdict and findings.
type Checked struct {
	Verdict  check.Verdict
	Findings []check.Finding
}

type findingObject struct {
	Schema   string         `json:"schema"`
	Rule     check.Code     `json:"rule"`
	Severity check.Severity `json:"severity"`
	Hook     string         `json:"hook"`
	Kernel   *string        `json:"kernel"`
	Message  string         `json:"message"`
	Evidence []string       `json:"evidence"`
	Remedy   string         `json:"remedy"`
	Function string         `json:"function"`
	Accepted string         `json:"accepted,omitempty"`
	originObject
}

// originObject is where a hook was found; all empty if it was given.
type originObject struct {
	File    string `json:"file,omitempty"`
	Program string `json:"program,omitempty"`
	Where   string `json:"where,omitempty"`
}

func newOrigin(o check.Origin) originObject { return originObject{o.File, o.Program, o.Where} }

type verdictObject struct {
	Schema    string        `json:"schema"`
	Hook      string        `json:"hook"`
	Kernel    *string       `json:"kernel"`
	Plain     sites.Verdict `json:"plain"`
	Plan      sites.Verdict `json:"plan"`
	Functions int           `json:"functions"`

	// Of kernel hooks only.
	Reasons      []reasonObject      `json:"reasons,omitempty"`
	PlanReasons  []reasonObject      `json:"plan_reasons,omitempty"`
	Alternatives []alternativeObject `json:"alternatives,omitempty"`

	originObject
}

type alternativeObject struct {
	Hook  string `json:"hook"`
	Why   string `json:"why"`
	Exact bool   `json:"exact"`
}

func newFinding(f check.Finding) findingObject {
	return findingObject{
		Schema: FindingSchema, Rule: f.Rule, Severity: f.Severity, Hook: spelled(f.Hook), Kernel: optional(f.Kernel),
		Message: f.Message, Evidence: list(f.Evidence), Remedy: f.Remedy, Function: f.Function, Accepted: f.Accepted,
		originObject: newOrigin(f.Origin),
	}
}

func newVerdict(v check.Verdict) verdictObject {
	return verdictObject{
		Schema: VerdictSchema, Hook: spelled(v.Hook), Kernel: optional(v.Kernel), Plain: v.Plain, Plan: v.Plan, Functions: v.Functions,
		originObject: newOrigin(v.Origin),
	}
}

// Findings writes the findings of each hook and its verdict. JSON has the
// findings of a hook first, then its verdict; text the verdict first.
func Findings(w io.Writer, f Format, hooks []Checked, full bool) error {
	if f == JSON {
		return findingsJSON(w, hooks)
	}
	return buffered(w, func(b *bufio.Writer) {
		for i, h := range hooks {
			if i > 0 {
				b.WriteString("\n")
			}
			checkedText(b, h, full)
		}
	})
}

func findingsJSON(w io.Writer, hooks []Checked) error {
	for _, h := range hooks {
		for _, f := range h.Findings {
			if err := line(w, newFinding(f)); err != nil {
				return err
			}
		}
		if err := line(w, newVerdict(h.Verdict)); err != nil {
			return err
		}
	}
	return nil
}

func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func checkedText(w *bufio.Writer, h Checked, full bool) {
	v := h.Verdict
	text := fmt.Sprintf("%s: plain probe %s, surehook %s; %s", spelled(v.Hook), v.Plain, v.Plan, totals(h.Findings))
	fmt.Fprintf(w, "%s\n", wrap(text, width, "  "))
	if len(h.Findings) > maxFindings && !full {
		byRule(w, h.Findings)
	} else {
		for _, f := range h.Findings {
			findingText(w, f)
		}
	}
	if len(h.Findings) > 0 {
		fmt.Fprintf(w, "\n  more: surehook explain %s\n", h.Findings[0].Rule)
	}
}

func totals(findings []check.Finding) string {
	n := map[check.Severity]int{}
	accepted := 0
	for _, f := range findings {
		if f.Accepted != "" {
			accepted++
			continue
		}
		n[f.Severity]++
	}
	var parts []string
	for _, s := range []check.Severity{check.Error, check.Warning} {
		if n[s] > 0 {
			parts = append(parts, plural(n[s], string(s)))
		}
	}
	if n[check.Info] > 0 {
		parts = append(parts, plural(n[check.Info], "note"))
	}
	if accepted > 0 {
		parts = append(parts, fmt.Sprintf("%d accepted", accepted))
	}
	if len(parts) == 0 {
		return "nothing to report"
	}
	return strings.Join(parts, ", ")
}

func findingText(w *bufio.Writer, f check.Finding) { findingOn(w, f, "") }

// findingOn writes a finding; on says on which kernels, "" if there is one or
// none.
func findingOn(w *bufio.Writer, f check.Finding, on string) {
	title := ""
	if r, ok := check.Find(string(f.Rule)); ok {
		title = "  " + r.Title
	}
	if on != "" {
		title += "  (" + on + ")"
	}
	if f.Accepted != "" {
		fmt.Fprintf(w, "\n  accepted %s%s: %s\n    %s\n", f.Rule, title, wrap(f.Accepted, width-24, "    "), wrap(f.Message, width-4, "    "))
		return
	}
	fmt.Fprintf(w, "\n  %s %s%s\n    %s\n", f.Severity, f.Rule, title, wrap(f.Message, width-4, "    "))
	for _, e := range f.Evidence {
		fmt.Fprintf(w, "      %s\n", wrap(e, width-8, "        "))
	}
	if f.Remedy == "" {
		return
	}
	fmt.Fprintf(w, "    what to do\n")
	for text := range strings.SplitSeq(f.Remedy, "\n") {
		fmt.Fprintf(w, "      %s\n", command(text))
	}
}

// command breaks a long bpftrace command inside its quotes, where a newline
// may stand, so that it can still be pasted.
func command(text string) string {
	if len(text) <= width-6 {
		return text
	}
	if at := strings.Index(text, " -e 'u"); at >= 0 {
		return text[:at] + " -e '\n        " + strings.ReplaceAll(text[at+len(" -e '"):], ", u", ",\n        u")
	}
	if strings.HasPrefix(text, "surehook ") {
		return text
	}
	if strings.HasPrefix(text, "# ") {
		return wrap(text, width-6, "      # ")
	}
	return wrap(text, width-6, "      ")
}

// byRule lists many findings by rule: how many, and on which functions.
func byRule(w *bufio.Writer, findings []check.Finding) {
	var order []check.Code
	rules := map[check.Code][]check.Finding{}
	for _, f := range findings {
		if rules[f.Rule] == nil {
			order = append(order, f.Rule)
		}
		rules[f.Rule] = append(rules[f.Rule], f)
	}
	for _, code := range order {
		group := rules[code]
		r, _ := check.Find(string(code))
		fmt.Fprintf(w, "\n  %s  %s: %s\n", code, r.Title, totals(group))
		var names []string
		for i, f := range group {
			if i == maxNames {
				names = append(names, fmt.Sprintf("and %d more", len(group)-i))
				break
			}
			names = append(names, short(f.Function, 40))
		}
		fmt.Fprintf(w, "    %s\n", wrap(strings.Join(names, " "), width-4, "    "))
	}
	fmt.Fprintf(w, "\n  each of them with evidence and remedy: --full, or --format json\n")
}
