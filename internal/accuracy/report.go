package accuracy

import (
	"fmt"
	"io"
	"slices"
	"strings"
)

// headline is a row in one line.
func (row Row) headline() string {
	var s []string
	for _, t := range tools() {
		if t == toolSurehook && !row.Measured {
			continue
		}
		s = append(s, fmt.Sprintf("%s %.1f%%", t, row.of(t).percent()))
	}
	return fmt.Sprintf("%d functions executed, exact: %s", len(row.Results), strings.Join(s, ", "))
}

// Markdown writes docs/accuracy.md. command is how it was made.
func (r *Report) Markdown(w io.Writer, command string) error {
	m := &markdown{}
	m.p("# How exactly surehook counts\n")
	m.p("Made by `%s`; do not edit.\n", command)
	m.p("%s", introduction)
	m.p("Measured on: %s.\n", strings.Join(r.Environment, "; "))
	m.p("Sources:\n")
	for _, s := range r.Sources {
		m.p("- %s", s)
	}
	m.p("")
	r.headlineTable(m)
	r.executionsTable(m)
	r.soundnessTable(m)
	r.agreement(m)
	for _, row := range r.Rows {
		row.section(m)
	}
	_, err := io.WriteString(w, m.String())
	return err
}

const introduction = `Every function of a real program that a fixed workload executes is counted live by
` + "`surehook trace --count 'uprobe:PROG:*'`" + ` and compared with the truth. Two oracles give the truth:

- **unperturbed**: the hits of every function's symbol in the -O0 build of the same source (same compiler, no inlining).
  The measured binary is untouched. Calls that the optimiser removed leave no instruction and count as not exact.
- **marked**: every function begins with a nop whose address is recorded, wherever it is inlined; the hits of
  these nops are the truth for that very binary. The nop pins the start of each copy, so this oracle is easier.

The peers' probes are counted in the same way with the same workload: ` + "`perf probe -D f`" + `, gdb's ` + "`break f`" + ` and the bare
symbol (what bpftrace, libbpf and cilium/ebpf attach to). A function counts as exact only when the number of executions is.
Functions whose count depends on addresses (found by counting the truth twice, with and without address space
randomisation) are left out and listed.
`

// markdown collects lines.
type markdown struct{ strings.Builder }

func (m *markdown) p(format string, args ...any) { fmt.Fprintf(&m.Builder, format+"\n", args...) }

func (r *Report) headlineTable(m *markdown) {
	m.p("## Functions counted exactly\n")
	m.p("In parentheses: without the functions of which the build holds no code (folded away).\n")
	m.p("| program | build | oracle | functions executed | folded | surehook | perf probe | gdb | symbol only |")
	m.p("|---|---|---|---|---|---|---|---|---|")
	for _, row := range r.Rows {
		cells := []string{row.Program, row.Build, row.Oracle, itoa(len(row.Results)), itoa(row.of(toolPerf).folded)}
		for _, t := range tools() {
			cells = append(cells, row.cell(t))
		}
		m.p("| %s |", strings.Join(cells, " | "))
	}
	m.p("")
}

// cell is a tool's share of exact functions.
func (row Row) cell(tool string) string {
	if tool == toolSurehook && !row.Measured {
		return "not run"
	}
	s := row.of(tool)
	text := fmt.Sprintf("%.1f %% (%.1f %%)", s.percent(), s.unfolded())
	if tool == toolSurehook {
		return "**" + text + "**"
	}
	return text
}

func (r *Report) executionsTable(m *markdown) {
	m.p("## Executions\n")
	m.p("Recall: executions counted of those there were. Over: counted beyond, in relation to those there were.\n")
	m.p("| program | build | oracle | executions | surehook | perf probe | gdb | symbol only |")
	m.p("|---|---|---|---|---|---|---|---|")
	for _, row := range r.Rows {
		var total uint64
		for _, x := range row.Results {
			total += x.Truth
		}
		cells := []string{row.Program, row.Build, row.Oracle, utoa(total)}
		for _, t := range tools() {
			if t == toolSurehook && !row.Measured {
				cells = append(cells, "not run")
				continue
			}
			s := row.of(t)
			cells = append(cells, fmt.Sprintf("%.4f, over %.2f %%", s.recall, 100*s.over))
		}
		m.p("| %s |", strings.Join(cells, " | "))
	}
	m.p("")
}

func (r *Report) soundnessTable(m *markdown) {
	m.p("## What the verdicts promised\n")
	m.p("`complete` promises that every execution is counted. Any other verdict is a warning.\n")
	m.p(shortfall + "\n")
	m.p("| program | build | oracle | complete and exact | complete but wrong | exact, but warned | wrong and warned | no line |")
	m.p("|---|---|---|---|---|---|---|---|")
	for _, row := range r.Rows {
		if !row.Measured {
			continue
		}
		s := row.soundness()
		m.p("| %s | %s | %s | %d | %d | %d | %d | %d |", row.Program, row.Build, row.Oracle, s.completeExact, s.completeWrong, s.warnedExact, s.warnedWrong, s.absent)
	}
	m.p("")
}

// agreement compares the truths of one program: independent ways to the same
// numbers.
func (r *Report) agreement(m *markdown) {
	m.p("## Do the oracles agree?\n")
	m.p("Every row has a truth of its own: two compilers at -O0, and markers in every optimised build.\n")
	for i, row := range r.Rows {
		first := i
		for first > 0 && r.Rows[first-1].Program == row.Program {
			first--
		}
		if first == i {
			continue
		}
		if diff := differences(r.Rows[first], row); len(diff) > 0 {
			m.p("- %s: %s %s and %s %s differ in %s", row.Program, r.Rows[first].Build, r.Rows[first].Oracle, row.Build, row.Oracle, strings.Join(diff, ", "))
		} else {
			m.p("- %s: %s %s and %s %s agree on all %d functions", row.Program, r.Rows[first].Build, r.Rows[first].Oracle, row.Build, row.Oracle, len(row.Results))
		}
	}
	m.p("")
}

// differences are the functions whose truth is not the same in two rows.
func differences(a, b Row) []string {
	truths := func(r Row) map[function]uint64 {
		t := map[function]uint64{}
		for _, x := range r.Results {
			t[x.Func] = x.Truth
		}
		return t
	}
	ta, tb := truths(a), truths(b)
	var out []string
	for f, n := range ta {
		if tb[f] != n {
			out = append(out, fmt.Sprintf("`%s` (%s: %d, %d)", f.Name, f.File, n, tb[f]))
		}
	}
	for f, n := range tb {
		if _, ok := ta[f]; !ok {
			out = append(out, fmt.Sprintf("`%s` (%s: 0, %d)", f.Name, f.File, n))
		}
	}
	slices.Sort(out)
	return out
}

// Failures are the reasons to fail the run, of all rows.
func (r *Report) Failures() []string {
	var out []string
	for _, row := range r.Rows {
		out = append(out, row.Failures()...)
	}
	return out
}

// shortfall says what the verdicts miss of their goal.
const shortfall = `The goal is none in "complete but wrong". It is not reached. With the unperturbed oracle most of these are calls, or paths
through a call, of which the optimiser left neither an instruction nor a record: an accessor whose value was at hand, a check
that jump threading decided, a result that nobody uses. surehook, perf and gdb then see the same number, and the cause is
given as folded: a guess that the numbers support and do not prove. With the marked oracle, where every copy has an
instruction of its own, what is left are errors of surehook.`
