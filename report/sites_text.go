package report

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/sites"
)

// maxFull is how many functions are shown in full as text; more become a table.
const maxFull = 6

// Sites writes every site of the results. As text many functions become a
// table, one line each, unless full is set.
func Sites(w io.Writer, f Format, results []sites.Result, full bool) error {
	if f == JSON {
		return sitesJSON(w, results)
	}
	return buffered(w, func(b *bufio.Writer) {
		if len(results) > maxFull && !full {
			sitesTable(b, results)
			return
		}
		for i := range results {
			if i > 0 {
				b.WriteString("\n")
			}
			sitesFull(b, &results[i])
		}
	})
}

func sitesFull(w *bufio.Writer, r *sites.Result) {
	fmt.Fprintf(w, "%s\n", wrap(spelled(r.Hook)+": "+headline(r), width, "  "))
	about := columns{}
	about.add("function", strings.TrimSpace(r.Function+"  "+position(r.DeclFile, r.DeclLine)))
	about.add(map[bool]string{false: "file", true: "kernel"}[r.Target.Kernel], r.Target.Path)
	about.add("build", strings.TrimSpace(r.Target.Arch.String()+"  "+r.Target.BuildID))
	reasons(&about, "plain", r.Plain)
	reasons(&about, "surehook", r.Plan)
	about.print(w, "  ")
	if len(r.Sites) > 0 {
		fmt.Fprintf(w, "\n  %s\n", plural(len(r.Sites), "place")+" where an execution "+ends(r)+" (* is where the plain probe is)")
		siteRows(r).print(w, "  ")
	}
	codeRows(w, r.Notes.Code)
	lostRows(w, "the plain probe does not see", r.Lost)
	lostRows(w, "even surehook does not see", r.PlanLost)
	whatNow(w, r)
}

// whatNow ends the report with the command to go on with, if one helps.
func whatNow(w *bufio.Writer, r *sites.Result) {
	switch {
	case r.Plain.Verdict == sites.Complete || len(r.Sites) == 0:
	default:
		fmt.Fprintf(w, "\n  to count every one of them\n    surehook trace --count '%s'\n", spelled(r.Hook))
	}
}

// ends says what an execution does at the sites.
func ends(r *sites.Result) string {
	if r.Hook.Kind.Return() {
		return "returns"
	}
	return "begins"
}

// headline says both verdicts in one sentence.
func headline(r *sites.Result) string {
	hit := 0
	for _, s := range r.Sites {
		if s.Plain {
			hit++
		}
	}
	text := "plain probe " + string(r.Plain.Verdict)
	switch {
	case len(r.PlainAt) == 0 && !(r.Target.Kernel && hit > 0):
		text += " (cannot attach)"
	case r.Plain.Verdict != sites.Complete && hit < len(r.Sites):
		text += fmt.Sprintf(" (hits %d of %d places)", hit, len(r.Sites))
	}
	return text + ", surehook " + string(r.Plan.Verdict)
}

func reasons(c *columns, name string, j sites.Judgement) {
	if len(j.Reasons) == 0 {
		c.add(name, string(j.Verdict))
	}
	for i, r := range j.Reasons {
		if i == 0 {
			c.add(name, string(j.Verdict)+": "+r.Text)
		} else {
			c.add("", strings.Repeat(" ", len(j.Verdict)+2)+r.Text)
		}
	}
}

func siteRows(r *sites.Result) *columns {
	rows := &columns{}
	add := func(mark, kind, address, offset, by, where, callers string) {
		if r.Target.Kernel {
			rows.add(mark, kind, by, address, where, callers)
		} else if offsetsDiffer(r.Sites) {
			rows.add(mark, kind, address, offset, where, callers)
		} else {
			rows.add(mark, kind, address, where, callers)
		}
	}
	add("", "KIND", "ADDRESS", "FILE OFFSET", "BY", "WHERE", "CALLED FROM")
	for i := range r.Sites {
		s := &r.Sites[i]
		mark, last := "", chain(s.Callers)
		if s.Plain {
			mark = "*"
		}
		if s.Cond.Op != flow.Always {
			last = strings.TrimSpace(last + " (if" + keep + strings.ReplaceAll(Condition(s.Cond), " ", keep) + ")")
		}
		if s.Times > 1 {
			last = strings.TrimSpace(last + fmt.Sprintf(" (%d calls a hit)", s.Times))
		}
		add(mark, string(s.Kind), fmt.Sprintf("%#x", s.Address), fmt.Sprintf("%#x", s.FileOffset), by(s), where(s), last)
	}
	return rows
}

// by is the kind of probe that the plan puts on a place of a kernel.
func by(s *sites.Site) string {
	if len(s.Ways) == 0 {
		return ""
	}
	return string(s.Ways[0])
}

// offsetsDiffer tells whether a file offset is not just the address again, as
// it is in most position-independent files.
func offsetsDiffer(all []sites.Site) bool {
	return slices.ContainsFunc(all, func(s sites.Site) bool { return s.FileOffset != s.Address })
}

func lostRows(w *bufio.Writer, title string, lost []sites.Lost) {
	if len(lost) == 0 {
		return
	}
	fmt.Fprintf(w, "\n  %s\n", title)
	rows := columns{}
	for _, l := range lost {
		rows.add(short(l.Caller, 40), position(l.File, l.Line), l.Why)
	}
	rows.print(w, "    ")
}

// sitesTable writes one line a function, after the totals.
func sitesTable(w *bufio.Writer, results []sites.Result) {
	plain, plan := map[sites.Verdict]int{}, map[sites.Verdict]int{}
	rows := columns{right: map[int]bool{3: true, 4: true, 5: true, 6: true}}
	rows.add("FUNCTION", "PLAIN", "SUREHOOK", "BODIES", "CLONES", "INLINED", "MISSED", "")
	for i := range results {
		r := &results[i]
		plain[r.Plain.Verdict]++
		plan[r.Plan.Verdict]++
		n, missed := map[sites.Kind]int{}, 0
		for _, s := range r.Sites {
			n[s.Kind]++
			if !s.Plain {
				missed++
			}
		}
		rows.add(short(r.Function, 36), string(r.Plain.Verdict), string(r.Plan.Verdict), count(n[sites.Entry]+n[sites.Offset]),
			count(n[sites.Clone]), count(n[sites.Inlined]), count(missed), position(r.DeclFile, r.DeclLine))
	}
	fmt.Fprintf(w, "%s: %s\n", spelled(results[0].Hook), plural(len(results), "function"))
	fmt.Fprintf(w, "  plain probe  %s\n  surehook     %s\n\n", verdicts(plain), verdicts(plan))
	rows.print(w, "")
}

// count writes zero as a dot, so that a table's numbers stand out.
func count(n int) string {
	if n == 0 {
		return "."
	}
	return fmt.Sprint(n)
}

func verdicts(n map[sites.Verdict]int) string {
	var parts []string
	for _, v := range []sites.Verdict{sites.Complete, sites.Partial, sites.None, sites.Unknown} {
		parts = append(parts, fmt.Sprintf("%s %d", v, n[v]))
	}
	return strings.Join(parts, ", ")
}
