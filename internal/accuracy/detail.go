package accuracy

import (
	"fmt"
	"io"
	"strings"
)

// section lists what is not exact in one build, folded away for readers.
func (row Row) section(m *markdown) {
	wrong := row.wrong()
	if !row.Measured || len(wrong) == 0 {
		m.p("**%s**: %s.\n", row.name(), map[bool]string{true: "all " + itoa(len(row.Results)) + " functions exact", false: "not run"}[row.Measured])
	} else {
		m.p("<details><summary><b>%s</b>: %d of %d functions not exact</summary>\n", row.name(), len(wrong), len(row.Results))
		row.wrongTable(m, wrong)
		m.p("</details>\n")
	}
	for _, t := range tools() {
		if s := row.of(t); s.refused > 0 {
			m.p("%d of %s's probes were not attached (a nop that this kernel cannot probe safely, or no instruction begins there) and count nothing. Had they made every function they belong to exact, it would be at %.1f %%.\n", s.refused, t, ratio(s.atMost, s.total))
		}
	}
	if len(row.Noise) > 0 {
		m.p("Left out, because the count depends on addresses or time: %s.\n", noiseList(row.Noise))
	}
}

func (row Row) wrongTable(m *markdown, wrong []Result) {
	m.p("| function | truth | surehook | perf probe | gdb | cause | verdict | warned |")
	m.p("|---|---|---|---|---|---|---|---|")
	for _, r := range wrong {
		warned := "yes"
		switch {
		case r.complete():
			warned = "**no**"
		case r.Verdict == verdictAbsent:
			warned = "no line"
		}
		perf, gdb := utoa(r.Counts[toolPerf]), utoa(r.Counts[toolGDB])
		if row.Alone {
			perf, gdb = "", ""
		}
		m.p("| `%s` (%s) | %d | %d | %s | %s | %s | %s | %s |", strings.ReplaceAll(r.Func.pretty(), "|", "\\|"), r.place(), r.Truth, r.Counts[toolSurehook], perf, gdb, r.Cause, r.Verdict, warned)
	}
	m.p("")
}

func noiseList(list []noise) string {
	var s []string
	for _, n := range list {
		s = append(s, fmt.Sprintf("`%s` (%d, then %d)", n.Func, n.N, n.Rand))
	}
	return strings.Join(s, ", ")
}

// Only writes everything known of one function, for whoever tunes the core.
func (r *Report) Only(w io.Writer, name string) error {
	for _, row := range r.Rows {
		for _, x := range row.Results {
			if x.Func.Name != name && x.Func.String() != name {
				continue
			}
			if err := row.detail(w, x); err != nil {
				return err
			}
		}
	}
	return nil
}

func (row Row) detail(w io.Writer, x Result) error {
	m := &markdown{}
	m.p("%s %s %s: %s line %d: truth %d, verdict %s, cause %q", row.Program, row.Build, row.Oracle, x.Func, x.Line, x.Truth, x.Verdict, x.Cause)
	for _, reason := range x.Reasons {
		m.p("  reason: %s", reason)
	}
	for _, t := range tools() {
		m.p("  %-8s %8d%s", t, x.Counts[t], mark(x.exact(t)))
		sites := x.Places[t]
		if t == toolSurehook {
			sites = x.Sites
		}
		for _, s := range sites {
			m.p("    %-10s %8d", s.Address, s.Hits)
		}
	}
	_, err := io.WriteString(w, m.String())
	return err
}

func mark(exact bool) string {
	if exact {
		return " exact"
	}
	return ""
}
