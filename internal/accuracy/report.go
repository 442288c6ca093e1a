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
		if !row.asked(t) {
			continue
		}
		s = append(s, fmt.Sprintf("%s %.1f%%", t, row.of(t).percent()))
	}
	line := fmt.Sprintf("%d functions executed, exact: %s", len(row.Results), strings.Join(s, ", "))
	if row.Measured {
		for _, t := range row.targets() {
			if !t.met() {
				line += "; missed: " + t.String()
			}
		}
	}
	return line
}

// asked tells whether the tool was run for this row.
func (row Row) asked(tool string) bool {
	if tool == toolSurehook {
		return row.Measured
	}
	return !row.Alone
}

// Markdown writes docs/accuracy.md. command is how it was made.
func (r *Report) Markdown(w io.Writer, command string) error {
	m := &markdown{}
	m.p("# How exactly surehook counts\n")
	m.p("Made by `%s`; do not edit.\n", command)
	m.p("%s", introduction)
	r.targetTables(m)
	r.peerTable(m)
	r.executionsTable(m)
	r.soundnessTable(m)
	r.agreement(m)
	r.setup(m)
	m.p("## What is not exact, function by function\n")
	m.p("The cause is an automatic first guess. Functions of which the optimiser left no code stay in the tables.\n")
	for _, row := range r.Rows {
		row.section(m)
	}
	_, err := io.WriteString(w, m.String())
	return err
}

const introduction = `Every function of a real program that a fixed workload executes is counted live by
` + "`surehook trace --count 'uprobe:PROG:*'`" + ` and compared with the truth. Two oracles give the truth:

- **unperturbed**: the hits of every function's symbol in a build of the same source without optimisation (same
  compiler, no inlining). The measured binary is untouched. Calls that the optimiser removed leave no instruction and count
  as not exact.
- **marked**: every function begins with a nop whose address is recorded, wherever it is inlined; the hits of
  these nops are the truth for that very binary. The nop pins the start of each copy, so this oracle is easier.

Programs in C and C++ are measured with both oracles, on amd64 also beside other tools (C only). Of programs in Rust and Go only
their own functions are compared, unperturbed: std comes compiled and optimised, and Go's runtime is not asked for. Functions
of C++ and Rust are one by linkage name (constructors C1 and C2 are one function; a deleting destructor is none), which leaves out
what has no declaration (gcc's lambdas). arm64 runs emulated under a Debian kernel; jq's second command is left out there.
` + "`accuracy -heldout`" + ` measures programs that were kept apart.

A function counts as exact only when the number of executions is. Functions whose count depends on addresses (found by
counting the truth twice, with and without address space randomisation) are left out and listed.
`

// markdown collects lines.
type markdown struct{ strings.Builder }

func (m *markdown) p(format string, args ...any) { fmt.Fprintf(&m.Builder, format+"\n", args...) }

// targetTables are the summary: one table an architecture.
func (r *Report) targetTables(m *markdown) {
	m.p("## Targets\n")
	missed, total := 0, 0
	for _, row := range r.Rows {
		for _, t := range row.targets() {
			if row.Measured && !t.None {
				total++
				if !t.met() {
					missed++
				}
			}
		}
	}
	m.p("%d of %d targets are met. A figure that misses its target is **bold**.\n", total-missed, total)
	m.p("- *exact*: functions counted exactly, of all that were executed, folded ones included. At least %g %% (unperturbed), %g %% (marked).", goalUnperturbed, goalMarked)
	m.p("  Unperturbed LTO builds have no target here: whole call trees disappear.")
	m.p("- *without folded*: the same without the functions of which the build holds no code. No target, for comparison.")
	m.p("- *complete: exact*: exact ones of those whose plan is called `complete`. At least %g %%.", goalSound)
	m.p("- *timid*: exact, but called less than `complete`; share of all. At most %g %%.\n", goalTimid)
	for _, arch := range r.archs() {
		m.p("### %s\n", arch)
		m.p("| program | build | oracle | functions | folded | exact | without folded | complete: exact | timid |")
		m.p("|---|---|---|---|---|---|---|---|---|")
		for _, row := range r.Rows {
			if row.Arch == arch {
				m.p("| %s |", strings.Join(row.targetCells(), " | "))
			}
		}
		m.p("")
	}
}

// archs are the architectures in the order of the rows.
func (r *Report) archs() []string {
	var list []string
	for _, row := range r.Rows {
		if !slices.Contains(list, row.Arch) {
			list = append(list, row.Arch)
		}
	}
	return list
}

func (row Row) targetCells() []string {
	s := row.of(toolSurehook)
	cells := []string{row.Program, row.Build, row.Oracle, itoa(s.total), itoa(s.folded)}
	if !row.Measured {
		return append(cells, "not run", "", "", "")
	}
	promises := row.soundness()
	t := row.targets()
	return append(cells,
		t[targetExact].cell(), fmt.Sprintf("%.2f %%", s.unfolded()),
		fmt.Sprintf("%s of %d", t[targetSound].cell(), promises.completeExact+promises.completeWrong),
		t[targetTimid].cell())
}

// cell is the figure, bold when it misses its target.
func (t Target) cell() string {
	if t.met() {
		return fmt.Sprintf("%.2f %%", t.Measured)
	}
	return fmt.Sprintf("**%.2f %%**", t.Measured)
}

// peerTable compares with other tools.
func (r *Report) peerTable(m *markdown) {
	m.p("## Beside other tools\n")
	m.p("Functions counted exactly. The other tools' probes are counted in the same way with the same workload: `perf probe -D f`, gdb's")
	m.p("`break f` and the bare symbol (what bpftrace, libbpf and cilium/ebpf attach to).\n")
	m.p("| program | build | oracle | surehook | perf probe | gdb | symbol only |")
	m.p("|---|---|---|---|---|---|---|")
	for _, row := range r.Rows {
		if row.Alone {
			continue
		}
		cells := []string{row.Program, row.Build, row.Oracle}
		for _, t := range tools() {
			cells = append(cells, row.cell(t))
		}
		m.p("| %s |", strings.Join(cells, " | "))
	}
	m.p("")
}

// cell is a tool's share of exact functions.
func (row Row) cell(tool string) string {
	if !row.asked(tool) {
		return "not run"
	}
	text := fmt.Sprintf("%.1f %%", row.of(tool).percent())
	if tool == toolSurehook {
		return "**" + text + "**"
	}
	return text
}

func (r *Report) executionsTable(m *markdown) {
	m.p("## Executions\n")
	m.p("Recall: executions counted of those there were. Over: counted beyond, in relation to those there were.\n")
	m.p("| build | oracle | executions | surehook | perf probe | gdb | symbol only |")
	m.p("|---|---|---|---|---|---|---|")
	for _, row := range r.Rows {
		var total uint64
		for _, x := range row.Results {
			total += x.Truth
		}
		cells := []string{row.label(), row.Oracle, utoa(total)}
		for _, t := range tools() {
			if !row.asked(t) {
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
	m.p("`complete` promises that every execution is counted. Any other verdict is a warning. Number of functions:\n")
	m.p("| build | oracle | complete and exact | complete but wrong | exact, but warned | wrong and warned | no line |")
	m.p("|---|---|---|---|---|---|---|")
	for _, row := range r.Rows {
		if !row.Measured {
			continue
		}
		s := row.soundness()
		m.p("| %s | %s | %d | %d | %d | %d | %d |", row.label(), row.Oracle, s.completeExact, s.completeWrong, s.warnedExact, s.warnedWrong, s.absent)
	}
	m.p("")
	m.p(shortfall + "\n")
	m.p(missed)
}

// missed says why targets are missed. The figures are in the tables.
const missed = `## What is missed, and why

By weight, of the figures that are bold above; [KNOWN_ISSUES.md](../KNOWN_ISSUES.md) says more of each.

- **Calls that left nothing** (most of the unperturbed rows, zstd and Rust first): an accessor folded into its caller,
  a path that jump threading decided beforehand, a result that nobody used. No tool sees them in the
  program; where a trace of them is left the verdict warns, where none is it says complete.
- **Rust**: builders and other small functions that are passed by value are entered at several places that share a record.
- **clang** merges equal code of several places and drops its record (warned: merged-call), turns a
  function's own self call into a loop (not told from a loop of the source), and turns or unrolls the
  caller's loop over a copy.
- **Link-time optimisation**: as above, and clones without statement rows.
- **arm64**: gcc schedules the row of a copy's beginning before the branch that decides whether it begins.
- **Exact, but warned**: a copy whose beginning nothing proves, code that may have been merged, a first statement in a loop
  that may once have been a self call. These are doubts that some wrong functions need; dropping them would turn warnings
  into wrong promises.
`

// shortfall says what "complete but wrong" is made of.
const shortfall = `With the unperturbed oracle most of "complete but wrong" are calls, or paths
through a call, of which the optimiser left neither an instruction nor a record: an accessor whose value was at hand, a check
that jump threading decided, a result that nobody uses. surehook, perf and gdb then see the same number, and the cause is
given as folded: a guess that the numbers support and do not prove. With the marked oracle, where every copy has an
instruction of its own, what is left are errors of surehook.`

// setup says what was measured with what.
func (r *Report) setup(m *markdown) {
	m.p("## Setup\n")
	m.p("Measured on: %s.\n", strings.Join(r.Environment, "; "))
	for _, s := range r.Sources {
		m.p("- %s", s)
	}
	m.p("")
}

// Failures are the reasons to fail the run, of all rows.
func (r *Report) Failures() []string {
	var out []string
	for _, row := range r.Rows {
		out = append(out, row.Failures()...)
	}
	return out
}
