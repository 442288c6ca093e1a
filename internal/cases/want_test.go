package cases

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/surehook/surehook/flow"
	"github.com/surehook/surehook/internal/counted"
	"github.com/surehook/surehook/sites"
)

// knownWrong begins the line by which a person admits that a complete
// verdict's count is wrong.
const knownWrong = "  known wrong: "

// want is the want section as found, and checks the counts. old is the
// section as written, for its known wrongs.
func (p *probed) want(old string) string {
	var b strings.Builder
	for i := range p.results {
		r := &p.results[i]
		label := p.label(i)
		b.WriteString(label + "\n")
		writeJudgement(&b, "plain", r.Plain)
		writeJudgement(&b, "plan", r.Plan)
		fmt.Fprintf(&b, "  sites %s; conditional %d\n", kinds(r.Sites), conditional(r.Sites))
		writeCode(&b, r.Notes.Code)
		if p.live {
			p.writeCount(&b, i, mark(old, label))
		}
	}
	for _, e := range p.errs {
		b.WriteString(e)
	}
	return b.String()
}

// label is the hook, with the function where the hook does not say which.
func (p *probed) label(i int) string {
	r, same := &p.results[i], 0
	for k := range p.results {
		if p.of[k] == p.of[i] && p.results[k].Function == r.Function {
			same++
		}
	}
	switch {
	case same > 1:
		return p.of[i] + " " + r.Function + "@" + filepath.Base(r.DeclFile)
	case !strings.HasSuffix(p.of[i], ":"+r.Function):
		return p.of[i] + " " + r.Function
	}
	return p.of[i]
}

func writeJudgement(b *strings.Builder, which string, j sites.Judgement) {
	var codes []string
	for _, r := range j.Reasons {
		codes = append(codes, string(r.Code))
	}
	slices.Sort(codes)
	fmt.Fprintf(b, "  %s %s: %s\n", which, j.Verdict, strings.Join(slices.Compact(codes), " "))
}

// writeCode says who calls the function by the machine code.
func writeCode(b *strings.Builder, e *sites.CodeEvidence) {
	switch {
	case e == nil:
	case e.NoCaller != sites.NoConfidence:
		fmt.Fprintf(b, "  no caller, confidence %s\n", e.NoCaller)
	default:
		fmt.Fprintf(b, "  callers %d: calls %d, tail calls %d\n", len(e.Callers), e.Calls, e.Tails)
	}
}

func kinds(at []sites.Site) string {
	if len(at) == 0 {
		return "none"
	}
	var out []string
	for _, k := range []sites.Kind{sites.Entry, sites.Clone, sites.Inlined, sites.Offset, sites.Exit} {
		n := 0
		for _, s := range at {
			if s.Kind == k {
				n++
			}
		}
		if n > 0 {
			out = append(out, fmt.Sprintf("%s %d", k, n))
		}
	}
	return strings.Join(out, ", ")
}

func conditional(at []sites.Site) (n int) {
	for _, s := range at {
		if s.Cond.Op != flow.Always {
			n++
		}
	}
	return n
}

// writeCount compares the executions with the truth.
func (p *probed) writeCount(b *strings.Builder, i int, mark string) {
	c, r := &p.counts[i], &p.results[i]
	truth, ok := p.truthOf(p.of[i], r)
	if !ok {
		p.t.Errorf("no truth for %s", p.label(i))
		return
	}
	fmt.Fprintf(b, "  seen %d of %d; plain %s%s\n", c.Executions, truth, plain(r, c), undecided(c.Undecided))
	wrong := r.Plan.Verdict == sites.Complete && (c.Executions != truth || c.Undecided > 0) ||
		r.Plain.Verdict == sites.Complete && (!c.PlainKnown || c.Plain != truth)
	switch {
	case !wrong:
	case mark != "":
		b.WriteString(mark)
	default:
		for _, s := range c.BySite {
			p.t.Logf("%6d hits at %#x %s+%#x %s %v", s.Hits.Hits, s.Site.Address, s.Site.Symbol, s.Site.Offset, s.Site.Kind, s.Site.Cond)
		}
		p.t.Errorf("%s: %d of %d executions seen, plain %d: yet the plan is %s, plain %s",
			p.label(i), c.Executions, truth, c.Plain, r.Plan.Verdict, r.Plain.Verdict)
	}
}

// plain says what the plain probe counted. Before a stack check that depends
// on the moment: a stack also grows when its goroutine is to be preempted. What
// is a hazard on some kernels is none on others, and counts there.
func plain(r *sites.Result, c *counted.Count) string {
	because := func(code sites.ReasonCode) bool {
		return slices.ContainsFunc(r.Plain.Reasons, func(x sites.Reason) bool { return x.Code == code })
	}
	grows := because(sites.ReasonStack)
	switch {
	case !c.PlainKnown || because(sites.ReasonHazard) && c.Plain == c.Executions:
		return "none"
	case grows && c.Plain >= c.Executions:
		return "as many or more"
	}
	return fmt.Sprint(c.Plain)
}

func undecided(n uint64) string {
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("; undecided %d", n)
}

// mark gives the known wrong line of a function, with its line end.
func mark(want, label string) string {
	under := false
	for _, l := range strings.SplitAfter(want, "\n") {
		if !strings.HasPrefix(l, " ") {
			under = strings.TrimSpace(l) == label
		} else if under && strings.HasPrefix(l, knownWrong) {
			return l
		}
	}
	return ""
}

// withoutCounts leaves out the lines that need the program to be run.
func withoutCounts(want string) string {
	var out []string
	for _, l := range strings.SplitAfter(want, "\n") {
		if !strings.HasPrefix(l, "  seen ") && !strings.HasPrefix(l, knownWrong) {
			out = append(out, l)
		}
	}
	return strings.Join(out, "")
}
