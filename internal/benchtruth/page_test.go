package benchtruth

import (
	"errors"
	"strings"
	"testing"

	"github.com/surehook/surehook/bench"
)

func TestReplace(t *testing.T) {
	page := "head\n" + begin + "\nold\n" + end + "\ntail\n"
	got, err := Replace(page, "new")
	if want := "head\n" + begin + "\n\nnew\n" + end + "\ntail\n"; err != nil || got != want {
		t.Errorf("%q %v, want %q", got, err, want)
	}
	for _, bad := range []string{"", begin, end + begin, "text"} {
		if _, err := Replace(bad, "new"); err == nil {
			t.Errorf("%q has no place for the results", bad)
		}
	}
}

func TestCheck(t *testing.T) {
	tests := []struct {
		ours, theirs []float64
		err          error
		good         bool
	}{
		{[]float64{100, 109, 500}, []float64{100, 100, 1}, nil, true},
		{[]float64{111}, []float64{100}, nil, false},
		{[]float64{89}, []float64{100}, nil, false},
		{[]float64{91, 92}, []float64{100}, nil, true},
		{[]float64{100}, []float64{100}, errors.New("no"), false},
	}
	for _, test := range tests {
		if c := (Check{Ours: test.ours, Theirs: test.theirs, Err: test.err}); c.Good() != test.good {
			t.Errorf("%+v: %t", test, c.Good())
		}
	}
}

func TestOrder(t *testing.T) {
	f := func(kind string, rank int) bench.Figure {
		return bench.Figure{Kind: kind, Work: bench.Empty, Rank: rank}
	}
	tests := []struct {
		figures         []bench.Figure
		text, published string
	}{
		{[]bench.Figure{f("kprobe", 3), f("tp_btf", 1), f("fentry", 2)}, "tp_btf < fentry < kprobe", "yes"},
		{[]bench.Figure{f("kprobe", 2), f("tp_btf", 1), f("fentry", 1)}, "tp_btf = fentry < kprobe", "not contradicted: not all are told apart"},
		{[]bench.Figure{f("kprobe", 3), f("tp_btf", 2), f("fentry", 1)}, "fentry < tp_btf < kprobe", "no"},
		{[]bench.Figure{f("kprobe", 2), f("tp_btf", 1), f("fentry", 0)}, "tp_btf < kprobe", "fentry is not available"},
	}
	for _, test := range tests {
		o := Order{Figures: test.figures}
		if o.Text() != test.text || o.Published() != test.published {
			t.Errorf("%s, %s; want %s, %s", o.Text(), o.Published(), test.text, test.published)
		}
	}
}

// TestRender: everything that was measured, and that was not, is on the page.
func TestRender(t *testing.T) {
	run := func(rank int, cost float64) *bench.Report {
		return &bench.Report{Kernel: "6.1", Arch: "amd64", Confidence: 0.96, Figures: []bench.Figure{
			{Kind: "tp_btf", Work: bench.Empty, Rank: rank, Rounds: 9, Cost: bench.Interval{Median: cost, Low: cost - 1, High: cost + 1},
				Runs: bench.Runs{Calls: 100, Ran: 99}},
			{Kind: "kprobe", Work: bench.Empty, Unavailable: "no kprobes"},
		}}
	}
	checks := []Check{{Subject: Subject{Kind: "usdt"}, Err: errors.New("no tracer")}, {Subject: Subject{Kind: "tp_btf"}, Ours: []float64{95}, Theirs: []float64{100}},
		{Subject: Subject{Kind: "uprobe"}, Ours: []float64{130, 130}, Theirs: []float64{100, 100}, Slow: 1}}
	text := Render([]*bench.Report{run(1, 30), run(2, 32), run(1, 31)}, checks, []Order{{Kernel: "7.3", Err: "did not boot"}})
	for _, want := range []string{
		"| tp_btf | 31.0 | 29.0 | 33.0 | 0.0 | 1 2 1 | 3 of 300 |", "- kprobe: no kprobes", "| usdt | | | not measured: no tracer | |",
		"| tp_btf | 95.0 | 100.0 | -5.0 % | yes |",
		"| uprobe | 130.0 | 100.0 | +30.0 % | no; 1 of 2 turns measured while the processor was slow |", "| 7.3 | did not boot |", "| empty | tracepoint | 15 | tp_btf | 31.0 |",
		"| empty | kprobe | 137 | kprobe | not available |", "| empty | no | 0 |",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the page lacks %q:\n%s", want, text)
		}
	}
}
