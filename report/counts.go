package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/surehook/surehook/internal/counted"
	"github.com/surehook/surehook/sites"
)

// CountOptions say how much of a count is shown as text; JSON has it all.
type CountOptions struct {
	BySite bool // hits of each site
	Prove  bool // what the plain probe saw
}

type countObject struct {
	Schema     string        `json:"schema"`
	Hook       string        `json:"hook"`
	Function   string        `json:"function"`
	Linkage    string        `json:"linkage,omitempty"`
	Executions uint64        `json:"executions"`
	Plain      *uint64       `json:"plain"`
	Verdict    sites.Verdict `json:"verdict"`
	BySite     []hitsObject  `json:"by_site"`
	Undecided  uint64        `json:"undecided"`
	Failed     int           `json:"failed"`
	Path       string        `json:"path"`
	File       string        `json:"file"`
	Line       int           `json:"line"`
}

type hitsObject struct {
	Address hex           `json:"address"`
	Hits    uint64        `json:"hits"`
	Kind    sites.Kind    `json:"kind"`
	Callers []frameObject `json:"callers"`
	Symbol  string        `json:"symbol"`
	Offset  hex           `json:"offset"`
}

// Counts writes what was counted, one line a function as JSON; functions
// without a site are left out.
func Counts(w io.Writer, f Format, counts []counted.Count, opts CountOptions) error {
	counts = slices.DeleteFunc(slices.Clone(counts), func(c counted.Count) bool { return len(c.BySite) == 0 })
	if f == JSON {
		for _, c := range counts {
			if err := line(w, newCountObject(c)); err != nil {
				return err
			}
		}
		return nil
	}
	return buffered(w, func(b *bufio.Writer) { countsText(b, counts, opts) })
}

func newCountObject(c counted.Count) countObject {
	r := c.Result
	o := countObject{
		Schema: CountSchema, Hook: spelled(r.Hook), Function: r.Function, Linkage: r.Linkage, Executions: c.Executions, Verdict: countVerdict(c),
		BySite: []hitsObject{}, Undecided: c.Undecided, Failed: c.Failed, Path: r.Target.Path, File: r.DeclFile, Line: r.DeclLine,
	}
	if c.PlainKnown {
		o.Plain = &c.Plain
	}
	for _, s := range bySite(c) {
		o.BySite = append(o.BySite, hitsObject{Address: hex(s.Site.Address), Hits: s.Hits.Hits, Kind: s.Site.Kind, Callers: newFrames(s.Site.Callers), Symbol: s.Site.Symbol, Offset: hex(s.Site.Offset)})
	}
	return o
}

// countVerdict is the plan's verdict, made worse by probes that are not there.
func countVerdict(c counted.Count) sites.Verdict {
	v := c.Result.Plan.Verdict
	if (c.Failed > 0 || c.Undecided > 0) && v == sites.Complete {
		return sites.Partial
	}
	return v
}

// bySite adds up the sites of one address: a branch that both arms enter.
func bySite(c counted.Count) []counted.SiteHits {
	var out []counted.SiteHits
	type place struct { // a running kernel's copies have no addresses
		symbol       string
		offset, addr uint64
		ret          bool
	}
	index := map[place]int{}
	for _, s := range c.BySite {
		at := place{s.Site.Symbol, s.Site.Offset, s.Site.Address, s.Site.Return}
		if i, ok := index[at]; ok {
			if s.Site.Cond != out[i].Site.Cond {
				out[i].Hits.Hits += s.Hits.Hits
			}
			continue
		}
		index[at] = len(out)
		out = append(out, s)
	}
	return out
}

func countsText(w *bufio.Writer, counts []counted.Count, opts CountOptions) {
	if len(counts) == 1 || opts.BySite || opts.Prove {
		var silent silence
		for _, c := range byExecutions(counts) {
			if len(counts) > 1 && silent.takes(c) {
				continue
			}
			countFull(w, c, opts)
		}
		silent.print(w)
		return
	}
	countsTable(w, counts)
}

func byExecutions(counts []counted.Count) []counted.Count {
	sorted := slices.Clone(counts)
	slices.SortStableFunc(sorted, func(a, b counted.Count) int { return cmp.Compare(b.Executions, a.Executions) })
	return sorted
}

func countFull(w *bufio.Writer, c counted.Count, opts CountOptions) {
	fmt.Fprintf(w, "%s: %s%s\n", c.Result.Function, plural64(c.Executions, noun(c.Result)), doubt(c))
	if opts.BySite {
		rows := columns{right: map[int]bool{0: true}}
		for _, s := range bySite(c) {
			rows.add(fmt.Sprint(s.Hits.Hits), string(s.Site.Kind), fmt.Sprintf("%#x", s.Site.Address), where(s.Site), chain(s.Site.Callers))
		}
		rows.print(w, "  ")
	}
	if opts.Prove {
		fmt.Fprintf(w, "  %s\n", Proof(c))
	}
}

// noun is what is counted.
func noun(r *sites.Result) string {
	if r.Hook.Kind.Return() {
		return "return"
	}
	return "execution"
}

// Proof compares the plain probe with the plan in one sentence.
func Proof(c counted.Count) string {
	if !c.PlainKnown {
		return fmt.Sprintf("plain probe cannot attach: 0 of %s", plural64(c.Executions, noun(c.Result)))
	}
	return fmt.Sprintf("plain probe saw %d of %s", c.Plain, plural64(c.Executions, noun(c.Result)))
}

// doubt says what makes the number less than exact; "" if nothing does.
func doubt(c counted.Count) string {
	var parts []string
	if c.Result.Plan.Verdict != sites.Complete {
		parts = append(parts, "plan "+string(c.Result.Plan.Verdict))
	}
	if c.Undecided > 0 {
		parts = append(parts, fmt.Sprintf("%d hits undecided", c.Undecided))
	}
	if c.Failed > 0 {
		parts = append(parts, plural(c.Failed, "place")+" not attached")
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, ", ") + ")"
}

func countsTable(w *bufio.Writer, counts []counted.Count) {
	rows := columns{right: map[int]bool{0: true, 1: true}}
	rows.add("EXECUTIONS", "PLAIN", "FUNCTION", "")
	var silent silence
	for _, c := range byExecutions(counts) {
		if silent.takes(c) {
			continue
		}
		plain := "-"
		if c.PlainKnown {
			plain = fmt.Sprint(c.Plain)
		}
		rows.add(fmt.Sprint(c.Executions), plain, short(c.Result.Function, 48), strings.TrimSpace(doubt(c)))
	}
	rows.print(w, "")
	silent.print(w)
}

// silence is the functions without a hit, which get one line together. Where
// not every execution would have been a hit, nobody knows that they did not run.
type silence struct{ known, unknown int }

func (s *silence) takes(c counted.Count) bool {
	switch {
	case c.Executions+c.Plain+c.Undecided > 0, c.Failed > 0:
		return false
	case c.Result.Plan.Verdict == sites.Complete:
		s.known++
	default:
		s.unknown++
	}
	return true
}

func (s *silence) print(w *bufio.Writer) {
	if s.known > 0 {
		fmt.Fprintf(w, "%s did not run\n", plural(s.known, "function"))
	}
	if s.unknown > 0 {
		fmt.Fprintf(w, "%s without a hit, of which it is not known whether every execution is one\n", plural(s.unknown, "function"))
	}
}

func plural64(n uint64, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}
