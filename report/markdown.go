package report

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/sites"
)

// maxMarkdown is how long a comment may become, in bytes: GitHub takes 65,536
// characters.
const maxMarkdown = 60000

// markdownPage collects rows until the comment is full, and counts the others.
type markdownPage struct {
	b    strings.Builder
	left int // rows that are left out
}

func (p *markdownPage) text(s string) { p.b.WriteString(s) }

// row adds a row of a table.
func (p *markdownPage) row(cells ...string) {
	s := "| " + strings.Join(cells, " | ") + " |\n"
	if p.b.Len()+len(s) > maxMarkdown {
		p.left++
		return
	}
	p.b.WriteString(s)
}

func (p *markdownPage) head(cells ...string) {
	p.row(cells...)
	p.row(slices.Repeat([]string{"---"}, len(cells))...)
}

// writeMarkdown writes a comment for a pull request: what is to be mended
// first, then the verdicts.
func writeMarkdown(w io.Writer, d *Document) error {
	p := &markdownPage{}
	p.text("### surehook: " + d.headline() + "\n")
	d.markdownFindings(p)
	d.markdownVerdicts(p)
	if len(d.Skipped) > 0 {
		p.text("\n")
		p.head("no answer", "why")
		for _, s := range d.Skipped {
			p.row(code(s.Subject), cellText(s.Reason))
		}
	}
	if p.left > 0 {
		fmt.Fprintf(&p.b, "\nand %s more: a comment holds no more. `surehook check` prints all.\n", plural(p.left, "row"))
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// headline says what there is in one line.
func (d *Document) headline() string {
	all, answers := d.findings(), d.answers()
	parts := []string{totals(all)}
	unknown := 0
	hooks := map[string]bool{}
	for _, a := range answers {
		hooks[a.hook()+a.verdict.Origin.File+a.verdict.Origin.Program] = true
		if a.failed == "" && a.verdict.Plain == sites.Unknown {
			unknown++
		}
	}
	if unknown > 0 {
		parts = append(parts, plural(unknown, "verdict")+" not known")
	}
	text := strings.Join(parts, ", ") + " in " + plural(len(hooks), "hook")
	if len(d.Kernels) > 0 {
		text += " on " + plural(len(d.Kernels), "kernel")
	}
	return text
}

// markdownFindings is the table of findings, worst first, those of one rule on
// several kernels in one row.
func (d *Document) markdownFindings(p *markdownPage) {
	var groups []group
	for _, h := range d.Hooks {
		for _, f := range h.Findings {
			groups = append(groups, group{findings: []check.Finding{f}})
		}
	}
	for _, h := range d.Fleet {
		groups = append(groups, groupFindings(h)...)
	}
	for _, f := range d.General {
		groups = append(groups, group{findings: []check.Finding{f}})
	}
	if len(groups) == 0 {
		return
	}
	slices.SortStableFunc(groups, func(a, b group) int {
		x, y := a.findings[0], b.findings[0]
		if x.Severity == y.Severity {
			return 0
		}
		if x.Severity.AtLeast(y.Severity) {
			return -1
		}
		return 1
	})
	p.text("\n")
	p.head("severity", "rule", "hook", "what")
	for _, g := range groups {
		f := g.findings[0]
		severity := string(f.Severity)
		if f.Accepted != "" {
			severity += " (accepted: " + cellText(f.Accepted) + ")"
		}
		what := cellText(f.Message)
		if len(g.kernels) > 0 && len(d.Kernels) > 1 {
			what += " (on " + ranges(g.kernels) + ")"
		}
		rule := fmt.Sprintf("[%s](%s/blob/main/docs/rules.md#%s)", f.Rule, home, strings.ToLower(string(f.Rule)))
		p.row(severity, rule, code(subjectOf(f)), what)
	}
}

// subjectOf is the hook and where it is asked for.
func subjectOf(f check.Finding) string {
	where := f.Origin.File
	switch {
	case f.Origin.Line > 0:
		where += fmt.Sprintf(":%d", f.Origin.Line)
	case f.Origin.Program != "":
		where += " " + f.Origin.Program
	}
	return strings.TrimSpace(where + " " + spelled(f.Hook))
}

// markdownVerdicts is the table of verdicts.
func (d *Document) markdownVerdicts(p *markdownPage) {
	if len(d.Hooks) > 0 {
		p.text("\n")
		p.head("hook", "plain probe", "surehook")
		for _, h := range d.Hooks {
			p.row(code(subjectOf(check.Finding{Hook: h.Verdict.Hook, Origin: h.Verdict.Origin})), string(h.Verdict.Plain), string(h.Verdict.Plan))
		}
	}
	if len(d.Fleet) == 0 {
		return
	}
	p.text("\n")
	head := []string{"hook"}
	for i := range d.Kernels {
		head = append(head, fmt.Sprint(i+1))
	}
	p.head(head...)
	for _, h := range d.Fleet {
		row := []string{code(subjectOf(check.Finding{Hook: h.Hook, Origin: h.origin()}))}
		for _, r := range h.Results {
			row = append(row, cell(r))
		}
		p.row(row...)
	}
	p.text("\nplain probe/surehook's plan: ok every execution, part some are lost, none, ? cannot be told. Kernels:")
	for i, k := range d.Kernels {
		p.text(fmt.Sprintf(" %d %s", i+1, code(k)))
	}
	p.text("\n")
}

// code writes names as code in a cell: nothing in them is markup.
func code(name string) string {
	name = short(strings.ReplaceAll(oneLine(Visible(name)), "|", "\\|"), 160)
	fence := "`"
	for strings.Contains(name, fence) {
		fence += "`"
	}
	if len(fence) > 1 {
		return fence + " " + name + " " + fence
	}
	return fence + name + fence
}

// maxCell is how long a text in a cell is, in characters.
const maxCell = 600

// cellText makes text safe for a cell: names out of hostile files may look
// like markup, HTML, or the mention of somebody.
func cellText(text string) string {
	text = oneLine(Visible(text))
	if utf8.RuneCountInString(text) > maxCell {
		text = string([]rune(text)[:maxCell]) + "..."
	}
	var b strings.Builder
	for _, c := range text {
		switch c {
		case '<':
			b.WriteString("&lt;")
		case '>':
			b.WriteString("&gt;")
		case '&':
			b.WriteString("&amp;")
		case '@':
			b.WriteString("&#64;")
		case '|', '\\', '`', '*', '_', '[', ']', '~', '#':
			b.WriteByte('\\')
			b.WriteRune(c)
		default:
			b.WriteRune(c)
		}
	}
	return b.String()
}
