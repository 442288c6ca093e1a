package pricelist

import (
	"fmt"
	"html"
	"io"
	"math"
	"slices"
	"strings"

	"github.com/surehook/surehook/bench"
)

// The chart's measures, in pixels.
const (
	chartLeft  = 190 // names
	chartPlot  = 560
	chartRight = 96 // figures of the first work
	chartTop   = 96 // title, legend, scale
	chartRow   = 22
	chartFoot  = 44
)

// style has two sets of colours, for light and dark surroundings. Works differ
// in shape as well.
const style = `
.chart { --page: #ffffff; --ink: #1b1f24; --dim: #59636e; --line: #d8dee4; --w0: #1f6fd0; --w1: #b4541a; --w2: #6a4fb3; }
@media (prefers-color-scheme: dark) {
.chart { --page: #14171b; --ink: #e7ebef; --dim: #9aa4af; --line: #343b43; --w0: #6cb0ff; --w1: #f0a06a; --w2: #b9a3f5; }
}
.chart text { font: 13px system-ui, sans-serif; fill: var(--ink); }
.chart .title { font-size: 16px; font-weight: 600; }
.chart .dim { fill: var(--dim); font-size: 12px; }
.chart .page { fill: var(--page); }
.chart .grid { stroke: var(--line); stroke-width: 1; }
.chart .w0 { fill: var(--w0); stroke: var(--w0); }
.chart .w1 { fill: var(--w1); stroke: var(--w1); }
.chart .w2 { fill: var(--w2); stroke: var(--w2); }
`

// row is what the chart has of one kind: its figures by work.
type row struct {
	kind    string
	figures [3]*bench.Figure // by bench.Works; nil: not asked for
	reason  string           // it is not available here
}

// rows gives what is to be shown, without what nothing was attached for.
func rows(r *bench.Report) []row {
	var out []row
	at := map[string]int{}
	for i := range r.Figures {
		f := &r.Figures[i]
		if f.Control() {
			continue
		}
		n, ok := at[f.Kind]
		if !ok {
			n = len(out)
			at[f.Kind] = n
			out = append(out, row{kind: f.Kind})
		}
		if f.Unavailable != "" {
			out[n].reason = f.Unavailable
			continue
		}
		for k, w := range bench.Works() {
			if f.Work == w {
				out[n].figures[k] = f
			}
		}
	}
	return out
}

// scale is a logarithmic axis.
type scale struct{ low, high float64 } // powers of ten, in ns

func newScale(list []row) scale {
	s := scale{math.Inf(1), math.Inf(-1)}
	for _, r := range list {
		for _, f := range r.figures {
			if f != nil {
				s.low, s.high = min(s.low, max(f.Cost.Low, 1)), max(s.high, f.Cost.High, 10)
			}
		}
	}
	if s.low > s.high { // nothing to show
		return scale{1, 1000}
	}
	s.low, s.high = math.Pow(10, math.Floor(math.Log10(s.low))), math.Pow(10, math.Ceil(math.Log10(s.high)))
	if s.low == s.high {
		s.high *= 10
	}
	return s
}

// x is where a cost is; what lies below the scale is at its edge.
func (s scale) x(ns float64) float64 {
	at := math.Log10(max(ns, s.low)/s.low) / math.Log10(s.high/s.low)
	return chartLeft + chartPlot*min(at, 1)
}

// SVG writes a chart of all figures.
func SVG(w io.Writer, r *bench.Report) error {
	list := rows(r)
	c := &canvas{scale: newScale(list)}
	width, height := chartLeft+chartPlot+chartRight, chartTop+chartRow*len(list)+chartFoot
	c.add(`<svg xmlns="http://www.w3.org/2000/svg" class="chart" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="Cost of hookpoints">`,
		width, height, width, height)
	c.add("<style>%s</style>", style)
	c.add(`<rect class="page" width="%d" height="%d"/>`, width, height)
	c.add(`<text class="title" x="16" y="28">%s, Linux %s on %s</text>`, html.EscapeString(what(r)), html.EscapeString(r.Kernel), html.EscapeString(r.Arch))
	c.legend(r)
	c.grid(height)
	if works := r.Works(); len(works) > 0 {
		c.add(`<text class="dim" x="%d" y="%d">%s, median</text>`, chartLeft+chartPlot+14, chartTop-40, works[0])
	}
	for i, row := range list {
		c.row(row, chartTop+chartRow*i)
	}
	c.add(`<text class="dim" x="16" y="%d">Logarithmic scale, ns a call. Marks are medians, lines their intervals of %.0f %% confidence. CPU %d%s.</text>`,
		height-16, 100*r.Confidence, r.CPU, html.EscapeString(machine(r)))
	c.add("</svg>")
	_, err := io.WriteString(w, c.b.String())
	return err
}

// what is the chart's title.
func what(r *bench.Report) string {
	if r.Workload != nil {
		return "What a hit of " + r.Workload.Hook + " costs"
	}
	return "What a call costs more"
}

// canvas collects the chart's elements.
type canvas struct {
	b     strings.Builder
	scale scale
}

func (c *canvas) add(format string, args ...any) { fmt.Fprintf(&c.b, format+"\n", args...) }

func (c *canvas) legend(r *bench.Report) {
	x := 16.0
	for i, w := range bench.Works() {
		if !slices.Contains(r.Works(), w) {
			continue
		}
		c.mark(i, x+5, 50)
		c.add(`<text x="%.0f" y="54">%s program</text>`, x+16, w)
		x += 140
	}
}

func (c *canvas) grid(height int) {
	for ns := c.scale.low; ns <= c.scale.high*1.001; ns *= 10 {
		x := c.scale.x(ns)
		c.add(`<line class="grid" x1="%.1f" x2="%.1f" y1="%d" y2="%d"/>`, x, x, chartTop-10, height-chartFoot+4)
		c.add(`<text class="dim" x="%.1f" y="%d" text-anchor="middle">%s</text>`, x, chartTop-16, span(ns))
	}
}

// span writes a time for the axis.
func span(ns float64) string {
	switch {
	case ns >= 1e6:
		return fmt.Sprintf("%g ms", ns/1e6)
	case ns >= 1e3:
		return fmt.Sprintf("%g µs", ns/1e3)
	}
	return fmt.Sprintf("%g ns", ns)
}

// reasonWidth is how many letters of a reason fit the plot.
const reasonWidth = 74

func (c *canvas) row(r row, y int) {
	mid := float64(y) + chartRow/2
	c.add(`<text x="%d" y="%.1f" text-anchor="end">%s</text>`, chartLeft-12, mid+4, html.EscapeString(r.kind))
	if r.figures == [3]*bench.Figure{} {
		c.add(`<text class="dim" x="%d" y="%.1f">not available here: %s<title>%s</title></text>`, chartLeft+8, mid+4,
			html.EscapeString(shorten(r.reason, reasonWidth)), html.EscapeString(r.reason))
		return
	}
	labelled := false
	for i, f := range r.figures {
		if f == nil {
			continue
		}
		c.add(`<g class="w%d"><title>%s, %s: %.1f ns (%.1f to %.1f), rank %d, calls lost %s</title>`, i,
			html.EscapeString(f.Kind), f.Work, f.Cost.Median, f.Cost.Low, f.Cost.High, f.Rank, lost(*f))
		c.add(`<line x1="%.1f" x2="%.1f" y1="%.1f" y2="%.1f" stroke-width="2"/>`, c.scale.x(f.Cost.Low), c.scale.x(f.Cost.High), mid, mid)
		c.mark(i, c.scale.x(f.Cost.Median), mid)
		c.add("</g>")
		if !labelled {
			c.add(`<text class="dim" x="%d" y="%.1f">%.0f ns</text>`, chartLeft+chartPlot+14, mid+4, f.Cost.Median)
			labelled = true
		}
	}
}

// mark draws the shape of the work with that index.
func (c *canvas) mark(i int, x, y float64) {
	switch i {
	case 0:
		c.add(`<circle class="w0" cx="%.1f" cy="%.1f" r="4.5"/>`, x, y)
	case 1:
		c.add(`<rect class="w1" x="%.1f" y="%.1f" width="8" height="8"/>`, x-4, y-4)
	default:
		c.add(`<path class="w2" d="M%.1f %.1fl5.5 5.5l-5.5 5.5l-5.5 -5.5z"/>`, x, y-5.5)
	}
}

func shorten(s string, n int) string {
	letters := []rune(s)
	if len(letters) <= n {
		return s
	}
	return string(letters[:n-1]) + "…"
}
