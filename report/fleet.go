package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/check"
	"github.com/surehook/surehook/hook"
	"github.com/surehook/surehook/sites"
)

// OnKernels is one kernel hook with its answer for every kernel asked for.
type OnKernels struct {
	Hook         hook.Hook
	Results      []check.KernelResult
	Alternatives []check.Alternative
}

// maxVariants is how many kernels are shown whose finding differs from the
// first one's.
const maxVariants = 6

// Fleet writes what check found for kernel hooks: as text a table of hooks and
// kernels, then each hook's findings; as JSON the objects of Findings, one
// verdict for each hook and kernel. Kernels that failed are left out.
func Fleet(w io.Writer, f Format, kernels []string, hooks []OnKernels, full bool) error {
	if f == JSON {
		return fleetJSON(w, hooks)
	}
	return buffered(w, func(b *bufio.Writer) {
		if len(kernels) > 1 {
			fleetTable(b, kernels, hooks)
		}
		for i, h := range hooks {
			if i > 0 || len(kernels) > 1 {
				b.WriteString("\n")
			}
			fleetHook(b, kernels, h, full)
		}
	})
}

func fleetJSON(w io.Writer, hooks []OnKernels) error {
	for _, h := range hooks {
		for _, r := range h.Results {
			if r.Err != nil || r.NotAsked {
				continue
			}
			for _, f := range r.Findings {
				if err := line(w, newFinding(f)); err != nil {
					return err
				}
			}
			o := newVerdict(r.Verdict)
			o.Reasons, o.PlanReasons = newJudgement(sites.Judgement{Reasons: r.Plain}).Reasons, newJudgement(sites.Judgement{Reasons: r.Plan}).Reasons
			for _, a := range h.Alternatives {
				o.Alternatives = append(o.Alternatives, alternativeObject{a.Hook.String(), a.Why, a.Exact})
			}
			if err := line(w, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// fleetTable has a row a hook and a column a kernel, under the kernel's number.
func fleetTable(w *bufio.Writer, kernels []string, hooks []OnKernels) {
	fleetRows(w, kernels, hooks)
	w.WriteString("\n")
	legend(w, kernels)
}

func fleetRows(w *bufio.Writer, kernels []string, hooks []OnKernels) {
	rows := columns{}
	head := []string{""}
	for i := range kernels {
		head = append(head, fmt.Sprint(i+1))
	}
	rows.add(head...)
	for _, h := range hooks {
		row := []string{short(spelled(h.Hook), 40)}
		for _, r := range h.Results {
			row = append(row, cell(r))
		}
		rows.add(row...)
	}
	rows.print(w, "")
}

// legend explains the cells and numbers of tables.
func legend(w *bufio.Writer, kernels []string) {
	w.WriteString("  plain probe / surehook's plan: ok every execution, part some are lost, none, ? cannot be told\n")
	for i, k := range kernels {
		fmt.Fprintf(w, "  %2d  %s\n", i+1, k)
	}
}

// cell is both verdicts, once if they agree.
func cell(r check.KernelResult) string {
	switch {
	case r.NotAsked:
		return "-"
	case r.Err != nil:
		return "error"
	}
	words := map[sites.Verdict]string{sites.Complete: "ok", sites.Partial: "part", sites.None: "none", sites.Unknown: "?"}
	plain, plan := words[r.Verdict.Plain], words[r.Verdict.Plan]
	if plain == plan {
		return plain
	}
	return plain + "/" + plan
}

func fleetHook(w *bufio.Writer, kernels []string, h OnKernels, full bool) {
	var all []check.Finding
	for _, r := range h.Results {
		all = append(all, r.Findings...)
	}
	fmt.Fprintf(w, "%s\n", wrap(spelled(h.Hook)+": "+fleetHeadline(kernels, h)+"; "+totals(all), width, "  "))
	groups := groupFindings(h)
	if len(groups) > maxFindings && !full {
		byRule(w, all)
	} else {
		for _, g := range groups {
			fleetFinding(w, g, len(kernels), full)
		}
	}
	if len(h.Alternatives) > 0 {
		where := "on this kernel"
		if len(kernels) > 1 {
			where = "on all of these kernels"
		}
		if slices.ContainsFunc(h.Results, func(r check.KernelResult) bool { return r.NotAsked }) {
			where = "on the kernels that it is for"
		}
		fmt.Fprintf(w, "\n  instead, %s (near: it may fire more or less often)\n", where)
		rows := columns{}
		for _, a := range h.Alternatives {
			how := "near"
			if a.Exact {
				how = "same"
			}
			rows.add(a.Hook.String(), how, a.Why)
		}
		rows.print(w, "    ")
	}
	if len(groups) > 0 {
		fmt.Fprintf(w, "\n  more: surehook explain %s\n", groups[0].findings[0].Rule)
	}
}

// fleetHeadline says the verdicts: of one kernel in words, of several how many
// there are of each.
func fleetHeadline(kernels []string, h OnKernels) string {
	asked := slices.Clone(h.Results)
	asked = slices.DeleteFunc(asked, func(r check.KernelResult) bool { return r.NotAsked })
	if len(asked) == 1 && asked[0].Err == nil {
		v := asked[0].Verdict
		return fmt.Sprintf("on %s plain probe %s, surehook %s", cmp.Or(v.Kernel, kernels[0]), v.Plain, v.Plan)
	}
	among := ""
	if len(asked) < len(h.Results) {
		among = fmt.Sprintf(" %d that it is for", len(asked))
	}
	count := func(of func(check.Verdict) sites.Verdict) string {
		n, ok := map[sites.Verdict]int{}, 0
		for _, r := range h.Results {
			if r.Err == nil && !r.NotAsked {
				n[of(r.Verdict)]++
				ok++
			}
		}
		var parts []string
		for _, v := range []sites.Verdict{sites.Complete, sites.Partial, sites.None, sites.Unknown} {
			switch {
			case n[v] > 0 && n[v] == ok:
				return string(v) + " on all" + among
			case n[v] > 0:
				parts = append(parts, fmt.Sprintf("%s on %d", v, n[v]))
			}
		}
		if len(parts) == 0 {
			return "no answer"
		}
		return strings.Join(parts, ", ")
	}
	return "plain probe " + count(func(v check.Verdict) sites.Verdict { return v.Plain }) +
		"; surehook " + count(func(v check.Verdict) sites.Verdict { return v.Plan })
}

// group is the findings of one rule and severity on several kernels.
type group struct {
	findings []check.Finding
	kernels  []int // their numbers, from 1
}

func groupFindings(h OnKernels) []group {
	var out []group
	at := map[string]int{}
	for i, r := range h.Results {
		times := map[string]int{} // two findings of a rule on one kernel are two things
		for _, f := range r.Findings {
			key := string(f.Rule) + string(f.Severity) + f.Function
			times[key]++
			key += fmt.Sprint(times[key])
			g, ok := at[key]
			if !ok {
				g = len(out)
				at[key] = g
				out = append(out, group{})
			}
			out[g].findings = append(out[g].findings, f)
			out[g].kernels = append(out[g].kernels, i+1)
		}
	}
	return out
}

func fleetFinding(w *bufio.Writer, g group, kernels int, full bool) {
	first := g.findings[0]
	on := ""
	if kernels > 1 {
		on = "on " + ranges(g.kernels)
	}
	findingOn(w, first, on)
	seen := map[string]bool{first.Message: true}
	shown := 0
	for i, f := range g.findings {
		if seen[f.Message] {
			continue
		}
		seen[f.Message] = true
		if shown++; shown > maxVariants && !full {
			fmt.Fprintf(w, "    and others: --full, or --format json\n")
			return
		}
		fmt.Fprintf(w, "    %s\n", wrap(fmt.Sprintf("on %d: %s", g.kernels[i], f.Message), width-4, "      "))
	}
}

// ranges writes numbers that ascend as "1-3, 5".
func ranges(list []int) string {
	var parts []string
	for i := 0; i < len(list); {
		j := i
		for j+1 < len(list) && list[j+1] <= list[j]+1 {
			j++
		}
		switch {
		case list[j] == list[i]:
			parts = append(parts, fmt.Sprint(list[i]))
		default:
			parts = append(parts, fmt.Sprintf("%d-%d", list[i], list[j]))
		}
		i = j + 1
	}
	return strings.Join(parts, ", ")
}
