package accuracy

import (
	"bytes"
	"flag"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write testdata/report.md")

func TestGuess(t *testing.T) {
	body := facts{Bodies: []uint64{0x10}}
	with := func(n, perf, gdb uint64, sites ...site) Result {
		return Result{Truth: 10, Counts: map[string]uint64{toolSurehook: n, toolPerf: perf, toolGDB: gdb}, Sites: sites}
	}
	for _, test := range []struct {
		name string
		r    Result
		x    *facts
		want cause
	}{
		{"no debug information entry", with(0, 0, 0), nil, causeFolded},
		{"only empty copies", with(0, 0, 0), &facts{Empty: 2}, causeFolded},
		{"loop head", with(53, 53, 53, site{"0x10", 53}), &body, causeLoop},
		{"two places", with(15, 0, 0, site{"0x10", 8}, site{"0x20", 7}), &body, causeDouble},
		{"part", with(8, 0, 0), &facts{Copies: 1, Clones: []string{"f.part.0.isra.0"}}, causePart},
		{"nobody sees more", with(8, 8, 8), &body, causeInPart},
		{"nobody sees any", with(0, 0, 0), &body, causeSilent},
		{"empty besides", with(8, 0, 0), &facts{Copies: 1, Empty: 1}, causeEmpty},
		{"ranges", with(8, 0, 0), &facts{Copies: 1, Split: 1}, causeEntries},
		{"plain", with(8, 0, 0), &body, causeUnder},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := guess(test.r, test.x); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
	r := with(8, 0, 0)
	r.Reasons = []string{"recursion: x"}
	if got := guess(r, &body); got != causeRecursion {
		t.Errorf("got %q", got)
	}
}

// sample is a row in which everything happens once.
func sample() Row {
	funcs := []function{{"exact", "a.c"}, {"broken", "a.c"}, {"cautious", "a.c"}, {"warned", "b.c"}, {"gone", "b.h"}}
	t := truth{Noise: []noise{{function{"hash", "a.c"}, 10, 12}}}
	for i, f := range funcs {
		t.Counts = append(t.Counts, count{f, uint64(10 * (i + 1))})
	}
	own := map[function]*ours{
		funcs[0]:       {Executed: 10, Verdict: "complete", Sites: []site{{"0x1010", 10}}},
		funcs[1]:       {Executed: 19, Verdict: "complete", Sites: []site{{"0x1020", 19}}},
		funcs[2]:       {Executed: 30, Verdict: "unknown"},
		{"warned", ""}: {Executed: 41, Verdict: "partial", Reasons: []string{"merged: x"}},
	}
	var peers []peerCount
	for _, tool := range []string{toolPerf, toolGDB, toolSymbol} {
		peers = append(peers, newPeerCount(funcs[0], tool, []uint64{0x10, 0x10}, map[uint64]uint64{0x10: 10}))
	}
	peers = append(peers, newPeerCount(funcs[1], toolPerf, []uint64{0x20, 0x30}, map[uint64]uint64{0x20: 20}))
	b := &image{functions: map[function]*facts{}}
	for i, f := range funcs[:4] {
		b.functions[f] = &facts{Line: i + 1, Bodies: []uint64{uint64(i)}}
	}
	return newRow(Row{Program: "prog", Build: "gcc-O2", Oracle: oracleUnperturbed, Arch: archAMD64}, t, peers, own, b)
}

func TestRow(t *testing.T) {
	row := sample()
	if got, want := row.soundness(), (soundness{1, 1, 1, 1, 1}); got != want {
		t.Errorf("soundness %+v, want %+v", got, want)
	}
	s := row.of(toolSurehook)
	if s.exact != 2 || s.total != 5 || s.folded != 1 || s.recall != (10+19+30+40)/150. || s.over != 1/150. {
		t.Errorf("share %+v", s)
	}
	if p := row.of(toolPerf); p.exact != 2 || p.refused != 1 || p.atMost != 2 {
		t.Errorf("perf's share %+v", p)
	}
	want := []string{
		"prog gcc-O2 unperturbed: functions exact: 40.00 %, target at least 98 %",
		"prog gcc-O2 unperturbed: exact of those called complete: 50.00 %, target at least 99.5 %",
		"prog gcc-O2 unperturbed: exact, but called less than complete: 20.00 %, target at most 3 %",
	}
	if diff := cmp.Diff(want, row.Failures()); diff != "" {
		t.Error(diff)
	}
	row.Results[3].Refused[toolPerf] = 1 // perf might have counted it
	if p := row.of(toolPerf); p.exact != 2 || p.atMost != 3 || len(row.Failures()) != 4 {
		t.Errorf("with a refused probe: %+v, %q", p, row.Failures())
	}
	delete(row.Results[3].Refused, toolPerf)
	row.Results[2].Counts[toolSurehook] = 0
	if got := row.Failures(); len(got) != 3 || got[2] != "prog gcc-O2 unperturbed: 1 functions exact, perf probe up to 2" {
		t.Errorf("a row below perf: %q", got)
	}
	row.Measured = false
	if got := row.Failures(); got != nil {
		t.Errorf("a row that was not measured fails: %q", got)
	}
}

// TestTargets checks each goal at its edge.
func TestTargets(t *testing.T) {
	row := func(oracle string, lto bool, exact, broken, timid int) Row {
		r := Row{Program: "p", Build: "b", Oracle: oracle, LTO: lto, Measured: true}
		add := func(n int, verdict string, count uint64) {
			for range n {
				r.Results = append(r.Results, Result{Truth: 1, Counts: map[string]uint64{toolSurehook: count}, Verdict: verdict})
			}
		}
		add(exact, "complete", 1)
		add(broken, "complete", 0)
		add(timid, "unknown", 1)
		return r
	}
	for _, test := range []struct {
		name string
		row  Row
		want []string
	}{
		{"all met at the edge", row(oracleMarked, false, 965, 4, 29), nil},
		{"unperturbed, 97.99", row(oracleUnperturbed, false, 9799, 201, 0), []string{"functions exact: 97.99 %", "complete: 97.99 %"}},
		{"LTO has no goal for exactness", row(oracleUnperturbed, true, 90, 10, 0), []string{"complete: 90.00 %"}},
		{"LTO marked has", row(oracleMarked, true, 90, 10, 0), []string{"functions exact: 90.00 %", "complete: 90.00 %"}},
		{"timid", row(oracleMarked, false, 969, 0, 31), []string{"less than complete: 3.10 %"}},
		{"nothing called complete", row(oracleMarked, false, 0, 0, 10), []string{"less than complete: 100.00 %"}},
		{"no functions", row(oracleUnperturbed, false, 0, 0, 0), []string{"functions exact: 0.00 %"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := test.row.Failures()
			if len(got) != len(test.want) {
				t.Fatalf("got %q, want %q", got, test.want)
			}
			for i, w := range test.want {
				if !strings.Contains(got[i], w) {
					t.Errorf("got %q, want %q in it", got[i], w)
				}
			}
		})
	}
}

func TestReport(t *testing.T) {
	other := sample()
	other.Oracle = oracleMarked
	other.Results[0].Truth++
	other.LTO = true
	alone := sample()
	alone.Arch, alone.Alone = archARM64, true
	good := sample()
	good.Program, good.Results, good.Noise = "other", good.Results[:1], nil
	rep := &Report{Environment: []string{"Linux", "gcc"}, Sources: []string{"prog: from there"}, Rows: []Row{sample(), other, good, alone}}
	var got bytes.Buffer
	if err := rep.Markdown(&got, "make accuracy"); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile("testdata/report.md", got.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile("testdata/report.md")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got.String()); diff != "" {
		t.Error(diff)
	}
}
