package benchtruth

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/surehook/surehook/bench"
)

// The page's generated part stands between these lines.
const (
	begin = "<!-- begin: made by make benchtruth -->"
	end   = "<!-- end -->"
)

// Replace puts text between the marks of page.
func Replace(page, text string) (string, error) {
	head, rest, ok := strings.Cut(page, begin)
	_, tail, closed := strings.Cut(rest, end)
	if !ok || !closed {
		return "", fmt.Errorf("the page has no %q followed by %q", begin, end)
	}
	return head + begin + "\n\n" + text + "\n" + end + tail, nil
}

// Check is one subject measured by both, in turns.
type Check struct {
	Subject Subject
	Ours    []float64 // cost in ns, one a turn
	Theirs  []float64
	Slow    int   // turns of which some was measured while the processor was slow
	Err     error // the other could not measure it
}

// near is how far the two may be apart, as a share.
const near = 0.10

// Off is by how much our median is above theirs, as a share of it.
func (c Check) Off() float64 { return middle(c.Ours)/middle(c.Theirs) - 1 }

// Good tells that they are not far apart.
func (c Check) Good() bool { return c.Err == nil && math.Abs(c.Off()) <= near }

// slow says of how many turns some was measured while the processor was slow.
func (c Check) slow() string {
	if c.Slow == 0 {
		return ""
	}
	return fmt.Sprintf("; %d of %d turns measured while the processor was slow", c.Slow, len(c.Ours))
}

func middle(values []float64) float64 {
	v := slices.Sorted(slices.Values(values))
	n := len(v)
	if n%2 == 1 {
		return v[n/2]
	}
	return (v[n/2-1] + v[n/2]) / 2
}

// Render writes what the runs gave.
func Render(runs []*bench.Report, checks []Check, orders []Order) string {
	p := &page{}
	r := runs[0]
	p.add("Linux %s on %s, %s, CPU %d; %d runs of %d rounds, seeds 1 to %d. Intervals of %.0f %% confidence.\n",
		r.Kernel, r.Arch, r.Machine, r.CPU, len(runs), rounds(r), len(runs), 100*r.Confidence)
	p.add("Noise: %s.\n", noise(runs))
	p.add("![Cost of hookpoints](bench.svg)\n")
	p.stability(Compare(runs))
	for _, w := range r.Works() {
		p.figures(runs, w)
	}
	p.missing(r)
	p.published(runs)
	p.checks(checks)
	p.orders(orders)
	return p.b.String()
}

type page struct{ b strings.Builder }

func (p *page) add(format string, args ...any) { fmt.Fprintf(&p.b, format+"\n", args...) }

func rounds(r *bench.Report) int {
	n := 0
	for _, f := range r.Figures {
		n = max(n, f.Rounds)
	}
	return n
}

func noise(runs []*bench.Report) string {
	var interrupted, requests, slow uint64
	most, waited := 0.0, 0.0
	measured := 0
	for _, r := range runs {
		interrupted, requests, most = interrupted+r.Noise.Interrupted, requests+r.Noise.Requests, max(most, r.Noise.Stolen)
		slow, waited = slow+r.Noise.Slow, waited+r.Noise.Waited
		for _, f := range r.Figures {
			measured += f.Rounds
		}
	}
	return fmt.Sprintf("%d interruptions in %d measurements, at most %.1f %% of the CPU taken by the hypervisor; "+
		"%.0f s waited for the processor to be as quick as at its best, %d of %d rounds measured when it was not",
		interrupted, requests, 100*most, waited, slow, measured)
}

func (p *page) stability(list []Stability) {
	p.add("### Do the runs rank alike?\n")
	p.add("| program | same ranks in all runs | pairs | ordered alike by all | told apart by none | told apart by some, alike | contrary |\n|---|---|---|---|---|---|---|")
	for _, s := range list {
		contrary := "0"
		if len(s.Contrary) > 0 {
			contrary = fmt.Sprintf("%d: %s", len(s.Contrary), strings.Join(s.Contrary, "; "))
		}
		p.add("| %s | %s | %d | %d | %d | %d | %s |", s.Work, yes(s.Same), s.Pairs, s.Ordered, s.Tied, s.Sometimes, contrary)
	}
	p.add("")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

// figures has one row a kind: the median of the runs' medians, the least and
// the greatest bound of their intervals, and the ranks of each run.
func (p *page) figures(runs []*bench.Report, w bench.Work) {
	p.add("### Cost, %s program\n", w)
	p.add("| hookpoint | cost, ns | from | to | untraced | ranks by run | calls lost | put on |\n|---|---|---|---|---|---|---|---|")
	for _, f := range runs[0].Figures {
		if f.Work != w || f.Unavailable != "" {
			continue
		}
		var cost, untraced []float64
		low, high := math.Inf(1), math.Inf(-1)
		var ranks []string
		var lost, calls uint64
		for _, r := range runs {
			g := find(r, f.Kind, w)
			if g == nil || g.Unavailable != "" {
				ranks = append(ranks, "-")
				continue
			}
			cost, untraced = append(cost, g.Cost.Median), append(untraced, g.Untraced.Median)
			low, high = min(low, g.Cost.Low), max(high, g.Cost.High)
			ranks = append(ranks, fmt.Sprint(g.Rank))
			lost, calls = lost+g.Runs.Lost(), calls+g.Runs.Calls
		}
		seen := "-"
		if calls > 0 {
			seen = fmt.Sprintf("%d of %d", lost, calls)
		}
		p.add("| %s | %.1f | %.1f | %.1f | %.1f | %s | %s | %s |", f.Kind, middle(cost), low, high, middle(untraced), strings.Join(ranks, " "), seen, f.Place)
	}
	p.add("")
}

// missing lists what the kernel does not have.
func (p *page) missing(r *bench.Report) {
	work := r.Works()[0]
	any := false
	for _, f := range r.Figures {
		if f.Work != work || f.Unavailable == "" {
			continue
		}
		if !any {
			p.add("Not available here:\n")
			any = true
		}
		p.add("- %s: %s", f.Kind, f.Unavailable)
	}
	if any {
		p.add("")
	}
}

func (p *page) published(runs []*bench.Report) {
	p.add("### Beside the published table\n")
	p.add("Theirs is of a call of %d ns: %s\n", bench.PublishedUntraced, bench.PublishedSource)
	p.add("| program | theirs | ns | here | ns |\n|---|---|---|---|---|")
	for _, f := range bench.Published() {
		here := "not available"
		var cost []float64
		for _, r := range runs {
			if g := find(r, f.Kind, f.Work); g != nil && g.Unavailable == "" {
				cost = append(cost, g.Cost.Median)
			}
		}
		if len(cost) > 0 {
			here = fmt.Sprintf("%.1f", middle(cost))
		}
		p.add("| %s | %s | %g | %s | %s |", f.Work, f.Name, f.Cost, f.Kind, here)
	}
	p.add("")
}

func (p *page) checks(list []Check) {
	p.add("### Against an independent measurement\n")
	p.add("A C program with its own loop and clock, traced by bpftrace with an empty program. The two measure in turns, after the runs; ns, medians of the turns.\n")
	p.add("| hookpoint | here | independent | apart | within %.0f %% |\n|---|---|---|---|---|", 100*near)
	for _, c := range list {
		if c.Err != nil || len(c.Ours) == 0 || len(c.Theirs) == 0 {
			why := "not available here"
			if c.Err != nil {
				why = strings.ReplaceAll(c.Err.Error(), "\n", "; ")
			}
			p.add("| %s | | | not measured: %s | |", c.Subject.Kind, why)
			continue
		}
		p.add("| %s | %.1f | %.1f | %+.1f %% | %s |", c.Subject.Kind, middle(c.Ours), middle(c.Theirs), 100*c.Off(), yes(c.Good())+c.slow())
	}
	p.add("")
}

func (p *page) orders(list []Order) {
	if len(list) == 0 {
		return
	}
	p.add("### Order on other kernels\n")
	p.add("In virtual machines without hardware support: times mean nothing there, only the order, of the empty program. " +
		"Kinds that are not told apart stand together with `=`.\n")
	p.add("| kernel | order | published order (tp_btf, fentry, kprobe) |\n|---|---|---|")
	for _, o := range list {
		p.add("| %s | %s | %s |", o.Kernel, o.Text(), o.Published())
	}
	p.add("")
}
