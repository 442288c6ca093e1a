package check

import (
	"fmt"
	"strings"
)

// Explain is the rule's gotcha with its worked example, as plain text of at
// most 80 columns.
func (r Rule) Explain() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s  %s\n", r.Code, r.Title)
	fmt.Fprintf(&b, "severity %s, gotcha: %s\n\n", r.Severity, r.Code.Gotcha())
	fmt.Fprintf(&b, "%s\n\n", wrap(r.Summary, 78))
	fmt.Fprintf(&b, "%s\n\n", strings.TrimSpace(r.Explanation))
	fmt.Fprintf(&b, "What to do\n%s\n", indent(wrap(r.Remedy, 76), "  "))
	return b.String()
}

// Markdown is docs/rules.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("<!-- Generated from the table in package check by \"go generate ./check\". DO NOT EDIT. -->\n")
	b.WriteString("# Rules\n\nWhat `surehook check` finds. `surehook explain CODE` prints the same text.\n" +
		"The severity is the default; a finding may be milder when nothing is lost.\n\n")
	b.WriteString("| code | title | severity | what it means |\n|---|---|---|---|\n")
	for _, r := range Rules() {
		fmt.Fprintf(&b, "| [%s](#%s) | %s | %s | %s |\n", r.Code, strings.ToLower(string(r.Code)), r.Title, r.Severity, r.Summary)
	}
	gotcha := ""
	for _, r := range Rules() {
		if g := r.Code.Gotcha(); g != gotcha {
			gotcha = g
			fmt.Fprintf(&b, "\n## %s%s\n", strings.ToUpper(g[:1]), g[1:])
		}
		fmt.Fprintf(&b, "\n<a id=%q></a>\n### %s: %s\n\n*%s.* %s\n\n%s\n\n**What to do.** %s\n", strings.ToLower(string(r.Code)),
			r.Code, r.Title, r.Severity, r.Summary, strings.TrimSpace(r.Explanation), r.Remedy)
	}
	return b.String()
}

// wrap breaks text at spaces into lines of at most width bytes.
func wrap(text string, width int) string {
	var b strings.Builder
	column := 0
	for _, word := range strings.Fields(text) {
		switch {
		case column == 0:
		case column+1+len(word) > width:
			b.WriteByte('\n')
			column = 0
		default:
			b.WriteByte(' ')
			column++
		}
		b.WriteString(word)
		column += len(word)
	}
	return b.String()
}

func indent(text, by string) string { return by + strings.ReplaceAll(text, "\n", "\n"+by) }
