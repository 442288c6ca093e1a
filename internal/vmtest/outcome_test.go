package vmtest

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func sampleOutcome() *Outcome {
	return &Outcome{
		Kernel: "6.12.0",
		Steps:  []Done{{Exit: 3, Stdout: bytes.Repeat([]byte("0123456789abcdef\n"), 1000), Error: "x", Seconds: 0.5}},
		Files:  map[string][]byte{"/tmp/x": {0, 1, 2, 255}},
	}
}

// TestOutcome checks the way over a serial line, which adds carriage returns
// and other lines, and that damage is noticed.
func TestOutcome(t *testing.T) {
	var line bytes.Buffer
	if err := sampleOutcome().Encode(&line); err != nil {
		t.Fatal(err)
	}
	terminal := "noise\r\n" + strings.ReplaceAll(line.String(), "\n", "\r\n")
	got, err := decodeOutcome([]byte(terminal))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sampleOutcome(), got); diff != "" {
		t.Error(diff)
	}
	for name, damaged := range map[string]string{
		"empty":          "",
		"cut":            terminal[:len(terminal)/2],
		"end only":       EndLine + "\n",
		"a lost letter":  strings.Replace(terminal, ReportLine+terminal[len("noise\r\n"+ReportLine):][:20], ReportLine, 1),
		"another letter": strings.Replace(terminal, "A", "B", 1),
	} {
		if _, err := decodeOutcome([]byte(damaged)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzOutcome(f *testing.F) {
	var line bytes.Buffer
	if err := sampleOutcome().Encode(&line); err != nil {
		f.Fatal(err)
	}
	f.Add(line.Bytes())
	f.Add([]byte(ReportLine + "H4sIAAAAAAAA\n" + EndLine + "\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if o, err := decodeOutcome(data); (o == nil) == (err == nil) {
			t.Errorf("%v, %v", o, err)
		}
	})
}
