package missestruth

import (
	"fmt"
	"io"
)

// Score is how predictions of starving came true.
type Score struct {
	Pairs             int // that could be made
	Silent            int // of them, whose inner hook was never reached
	Starved, Foretold int // that lost executions; that were said to
	Right             int // both
	SilentForetold    int // said to be starved, but never reached
}

// score compares predictions with what became of them; both are in one order.
func score(said []Prediction, tried []Tried) Score {
	var s Score
	for i := range said {
		t := &tried[i]
		if t.Refused != "" {
			continue
		}
		s.Pairs++
		starved, foretold := t.Lost() > 0, said[i].Starved()
		if t.Expected == 0 {
			s.Silent++
			if foretold {
				s.SilentForetold++
			}
		}
		if starved {
			s.Starved++
		}
		if foretold {
			s.Foretold++
		}
		if starved && foretold {
			s.Right++
		}
	}
	return s
}

// percent writes a part of a whole.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %% (%d of %d)", (100*part+whole/2)/whole, part, whole)
}

// WriteScores writes how predictions came true by kernel and in all.
func WriteScores(w io.Writer, list []Result) {
	fmt.Fprintln(w, "\n| kernel | pairs | lost executions | said to | recall | precision | precision where the hook was reached |\n|---|---|---|---|---|---|---|")
	var all Score
	for i := range list {
		s := score(list[i].Said, list[i].Tried)
		fmt.Fprintln(w, scoreRow(list[i].Release, s))
		all.Pairs, all.Silent, all.Starved, all.Foretold = all.Pairs+s.Pairs, all.Silent+s.Silent, all.Starved+s.Starved, all.Foretold+s.Foretold
		all.Right, all.SilentForetold = all.Right+s.Right, all.SilentForetold+s.SilentForetold
	}
	fmt.Fprintln(w, scoreRow("**all**", all))
}

func scoreRow(name string, s Score) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %s | %s | %s |", name, s.Pairs, s.Starved, s.Foretold, percent(s.Right, s.Starved), percent(s.Right, s.Foretold), percent(s.Right, s.Foretold-s.SilentForetold))
}

// WritePairs lists the pairs that were chosen, by kernel.
func WritePairs(w io.Writer, list []Result) {
	for i := range list {
		r := &list[i]
		fmt.Fprintf(w, "\n<details><summary>%s</summary>\n\n| outer | inner | what the outer program calls | said | reached | lost | misses |\n|---|---|---|---|---|---|---|\n", r.Release)
		for j := range r.Tried {
			t := &r.Tried[j]
			fmt.Fprintf(w, "| `%s` | `%s` | %s | %s | %s |\n", t.Outer, t.Inner, actionText(t.Action), said(&r.Said[j]), became(t))
		}
		fmt.Fprintln(w, "\n</details>")
	}
}

func said(p *Prediction) string {
	switch {
	case p.Starved():
		return "starved"
	case p.Nesting.Unlikely:
		return "reached seldom"
	case len(p.Nesting.Path) > 0:
		return "nested, not starved"
	}
	return "no direct call leads there"
}

func became(t *Tried) string {
	switch {
	case t.Refused != "":
		return "cannot attach | |"
	case !t.Right():
		return fmt.Sprintf("%d | %d | **%s**", t.Expected, t.Lost(), t.Said)
	}
	return fmt.Sprintf("%d | %d | %s", t.Expected, t.Lost(), t.Said)
}

func actionText(n uint32) string {
	for _, a := range actions() {
		if uint32(a.does) == n {
			return "`" + a.calls[0] + "`"
		}
	}
	return "?"
}
