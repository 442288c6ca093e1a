package pricelist

import (
	"bytes"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/surehook/surehook/bench"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// example is a report with all that a report can have.
func example() *bench.Report {
	in := func(low, median, high float64) bench.Interval {
		return bench.Interval{Low: low, Median: median, High: high}
	}
	ten := uint64(10)
	one := in(0.9, 1, 1.1)
	return &bench.Report{
		Kernel: "6.18.1 <&>", Arch: "amd64", Machine: "Example CPU", CPU: 3, Seed: 1, Confidence: 0.9609375,
		Noise: bench.Noise{Interrupted: 3, Requests: 400, Stolen: 0.012},
		Figures: []bench.Figure{
			{Kind: "nothing (function)", Place: "a function", Work: bench.Empty, Untraced: one, Cost: in(-0.1, 0, 0.1), Rank: 1, Rounds: 9},
			{Kind: "tp_btf", Place: "sys_enter", Work: bench.Empty, Untraced: in(97, 98, 99), Cost: in(29, 30.25, 31), Rank: 2, Rounds: 9,
				Runs: bench.Runs{Calls: 2000, Ran: 2031, ByKernel: true}},
			{Kind: "fentry", Place: "the entry", Work: bench.Empty, Unavailable: "this kernel has no <trampolines> and gives a reason that is so long that no chart could ever show it whole"},
			{Kind: "kprobe", Place: "the entry", Work: bench.Empty, Untraced: in(97, 98, 99), Cost: in(25000, 30000, 45000), Rank: 3, Rounds: 9,
				Runs: bench.Runs{Calls: 2000, Ran: 1990, Recursion: &ten}, Note: "the kernel gets there by int3"},
			{Kind: "tp_btf", Place: "sys_enter", Work: bench.Complex, Untraced: in(97, 98, 99), Cost: in(80, 90, 101), Rank: 1, Rounds: 9,
				Runs: bench.Runs{Calls: 2000, Ran: 2000}},
		},
	}
}

func TestGolden(t *testing.T) {
	few := example()
	few.Confidence, few.Figures = 0.5, few.Figures[:2]
	few.Figures[0].Rank, few.Figures[1].Rank = 0, 0
	for name, test := range map[string]struct {
		write  func(io.Writer, *bench.Report) error
		report *bench.Report
	}{
		"report.txt": {Text, example()}, "report.json": {JSON, example()}, "report.svg": {SVG, example()}, "report.html": {HTML, example()},
		"few.txt": {Text, few}, "empty.svg": {SVG, &bench.Report{}}, "empty.txt": {Text, &bench.Report{}},
	} {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			if err := test.write(&got, test.report); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, got.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got.String()); diff != "" {
				t.Errorf("-update if that is meant:\n%s", diff)
			}
			if filepath.Ext(name) == ".svg" {
				wellFormed(t, got.Bytes())
			}
		})
	}
}

func wellFormed(t *testing.T, b []byte) {
	d := xml.NewDecoder(bytes.NewReader(b))
	for {
		if _, err := d.Token(); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Error(err)
			}
			return
		}
	}
}

// TestWriteErrors: an error of the writer is not lost.
func TestWriteErrors(t *testing.T) {
	for name, write := range map[string]func(io.Writer, *bench.Report) error{"text": Text, "json": JSON, "svg": SVG, "html": HTML} {
		if err := write(full{}, example()); !errors.Is(err, errFull) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

var errFull = errors.New("full")

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errFull }
