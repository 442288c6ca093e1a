package kerneltruth

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/surehook/surehook/kernel"
)

// Score is how many predictions of a class and kind came true.
type Score struct {
	Class                  Class
	Kind                   string
	Tried, Right, NotKnown int
}

// Scores adds up predictions by class and kind.
func Scores(list []Prediction) []Score {
	at := map[[2]string]int{}
	var out []Score
	for i := range list {
		p := &list[i]
		key := [2]string{string(p.Class), p.Kind}
		n, ok := at[key]
		if !ok {
			n = len(out)
			at[key] = n
			out = append(out, Score{Class: p.Class, Kind: p.Kind})
		}
		out[n].Tried++
		switch {
		case p.Attaches == kernel.NotKnown:
			out[n].NotKnown++
		case p.Right():
			out[n].Right++
		}
	}
	slices.SortStableFunc(out, func(a, b Score) int { return cmp.Or(cmp.Compare(a.Class, b.Class), cmp.Compare(a.Kind, b.Kind)) })
	return out
}

// Wrong are the predictions that did not come true.
func Wrong(list []Prediction) []Prediction {
	var out []Prediction
	for _, p := range list {
		if p.Attaches != kernel.NotKnown && !p.Right() {
			out = append(out, p)
		}
	}
	return out
}

// WriteKernel writes a kernel's part of the page.
func WriteKernel(w io.Writer, name string, list []Prediction) {
	fmt.Fprintf(w, "\n## %s\n\n| class | hook | tried | as said | not known before |\n|---|---|---|---|---|\n", name)
	var all Score
	for _, s := range Scores(list) {
		fmt.Fprintf(w, "| %s | %s | %d | %d | %d |\n", s.Class, s.Kind, s.Tried, s.Right, s.NotKnown)
		all.Tried, all.Right, all.NotKnown = all.Tried+s.Tried, all.Right+s.Right, all.NotKnown+s.NotKnown
	}
	fmt.Fprintf(w, "| **all** | | %d | %d | %d |\n", all.Tried, all.Right, all.NotKnown)
	for _, p := range Wrong(list) {
		said := "attaches"
		if p.Attaches == kernel.No {
			said = "does not attach: " + p.Why
		}
		fmt.Fprintf(w, "\n- wrong: `%s` (%s): said: %s; the kernel: %s\n", p.Hook, p.Class, said, cmp.Or(p.Got, "attached"))
	}
}

// WriteCounts writes what was counted on a kernel.
func WriteCounts(w io.Writer, list []Counted) {
	fmt.Fprintf(w, "\n%d rounds of system calls, selectively inlined functions:\n\n| function | executed by | truth | plan | plain probe | plan's verdict |\n|---|---|---|---|---|---|\n", manyRounds-fewRounds)
	right := 0
	for _, c := range list {
		if c.Plan == c.Want {
			right++
		}
		fmt.Fprintf(w, "| `%s` | %s | %d | %d | %d | %s |\n", c.Function, c.Why, c.Want, c.Plan, c.Plain, c.PlanVerdict)
	}
	fmt.Fprintf(w, "| **exact** | | %d | %d | | |\n", len(list), right)
}
