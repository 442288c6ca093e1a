// Package pricelist shows what package bench measured: as a table, as JSON, as
// a chart.
package pricelist

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/surehook/surehook/bench"
)

// Text writes tables of a report, one a work.
func Text(w io.Writer, r *bench.Report) error {
	t := &table{w: w}
	t.head(r)
	for _, work := range r.Works() {
		figures := of(r, work)
		t.printf("\n%s\n", title(work))
		t.work(figures)
		if r.Workload == nil {
			t.published(figures, work)
		}
	}
	t.notes(r)
	return t.err
}

// head says what was measured, and in which unit.
func (t *table) head(r *bench.Report) {
	on := fmt.Sprintf("Linux %s, %s, CPU %d%s", r.Kernel, r.Arch, r.CPU, machine(r))
	if w := r.Workload; w != nil {
		t.printf("Cost of %s in %q on %s\n", w.Hook, strings.Join(w.Command, " "), on)
		t.printf("ns of processor time a hit, %d hits a run; medians with intervals of %.0f %% confidence;\n"+
			"untraced is all that the command does, by its hits\n", w.Hits, 100*r.Confidence)
		return
	}
	t.printf("Cost of hookpoints on %s\n", on)
	t.printf("ns a call, medians with intervals of %.0f %% confidence; untraced is the call alone\n", 100*r.Confidence)
}

// table writes until an error.
type table struct {
	w   io.Writer
	err error
}

func (t *table) printf(format string, args ...any) {
	if t.err == nil {
		_, t.err = fmt.Fprintf(t.w, format, args...)
	}
}

func machine(r *bench.Report) string {
	if r.Machine == "" {
		return ""
	}
	return ", " + r.Machine
}

func title(w bench.Work) string {
	switch w {
	case bench.Empty:
		return "empty program"
	case bench.Simple:
		return "simple program: increments in a hash map by thread"
	case bench.Complex:
		return "complex program: increments in a hash map by thread, number from the clock, command"
	}
	return string(w)
}

// of gives the figures of one work.
func of(r *bench.Report, w bench.Work) []bench.Figure {
	var out []bench.Figure
	for _, f := range r.Figures {
		if f.Work == w {
			out = append(out, f)
		}
	}
	return out
}

func (t *table) work(figures []bench.Figure) {
	if t.err != nil {
		return
	}
	tw := tabwriter.NewWriter(t.w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(tw, "rank\thookpoint\tcost\tinterval\tuntraced\tcalls lost\tput on")
	for _, f := range figures {
		if f.Unavailable != "" {
			continue
		}
		fmt.Fprintf(tw, "%s\t%s\t%+.1f\t%+.1f to %+.1f\t%.1f\t%s\t%s\n",
			place(f), f.Kind, f.Cost.Median, f.Cost.Low, f.Cost.High, f.Untraced.Median, lost(f), f.Place)
	}
	t.err = tw.Flush()
	t.unavailable(figures)
	for _, f := range figures {
		if f.Note != "" {
			t.printf("%s: %s\n", f.Kind, f.Note)
		}
	}
}

// unavailable says what this kernel does not have and why, what has one reason
// in one line.
func (t *table) unavailable(figures []bench.Figure) {
	var reasons []string
	kinds := map[string][]string{}
	for _, f := range figures {
		if f.Unavailable == "" {
			continue
		}
		if kinds[f.Unavailable] == nil {
			reasons = append(reasons, f.Unavailable)
		}
		kinds[f.Unavailable] = append(kinds[f.Unavailable], f.Kind)
	}
	for _, why := range reasons {
		t.printf("not available here: %s: %s\n", strings.Join(kinds[why], ", "), why)
	}
}

// place is a figure's rank.
func place(f bench.Figure) string {
	if f.Rank == 0 {
		return "-"
	}
	return strconv.Itoa(f.Rank)
}

// published sets what others have published beside what was measured.
func (t *table) published(figures []bench.Figure, w bench.Work) {
	words := ""
	for _, p := range bench.Published() {
		for _, f := range figures {
			if p.Work != w || p.Kind != f.Kind {
				continue
			}
			here := "not available here"
			if f.Unavailable == "" {
				here = fmt.Sprintf("here %+.1f", f.Cost.Median)
			}
			words += fmt.Sprintf("; %s %+g (%s: %s)", p.Name, p.Cost, f.Kind, here)
		}
	}
	if words != "" {
		t.printf("published: %s\n", words[2:])
	}
}

// lost says how many calls the program did not see, of how many.
func lost(f bench.Figure) string {
	switch r := f.Runs; {
	case r.Calls == 0:
		return "-"
	case r.Recursion != nil && *r.Recursion > 0:
		return fmt.Sprintf("%d of %d (%d for recursion)", r.Lost(), r.Calls, *r.Recursion)
	case r.Ran > r.Calls:
		return fmt.Sprintf("0 of %d (ran %d more)", r.Calls, r.Ran-r.Calls)
	default:
		return fmt.Sprintf("%d of %d", r.Lost(), r.Calls)
	}
}

// notes says what else there is to know.
func (t *table) notes(r *bench.Report) {
	if r.Ranked() {
		t.printf("\nEqual ranks: the rounds do not tell these apart, or they differ by less than %.0f %%, which runs do as well.\n"+
			"What has the rank of \"nothing\" cannot be told from nothing.\n", 100*bench.Resolution)
	} else {
		t.printf("\nNo ranks: with so few rounds intervals do not hold what they promise; --rounds %d or more gives 95 %%.\n", bench.RankedRounds)
	}
	if r.Workload != nil {
		return
	}
	t.printf("Published, of a call of %d ns: %s\n", bench.PublishedUntraced, bench.PublishedSource)
	n := r.Noise
	if n.Requests > 0 {
		t.printf("Noise: %d interruptions in %d measurements", n.Interrupted, n.Requests)
		if n.Stolen > 0 {
			t.printf(", %.1f %% of the CPU taken by the hypervisor", 100*n.Stolen)
		}
		if n.Waited > 0 || n.Slow > 0 {
			t.printf(", %.0f s waited for the processor to be as quick as at its best, %d rounds measured when it was not", n.Waited, n.Slow)
		}
		t.printf(".\n")
	}
}
