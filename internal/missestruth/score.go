package missestruth

import (
	"fmt"
	"io"
)

// Score is how predictions of starving came true.
type Score struct {
	Pairs    int // that could be made, without those whose hook loses executions alone
	Alone    int // those
	Starved  int // that lost executions
	May      int // of them: said to be starved seldom, or from an interrupt
	Foretold int // that were said to be starved
	Right    int // of them: that lost executions
	Silent   int // of them: whose inner hook was never reached
}

// score compares predictions with what became of them; both are in one order.
func score(said []Prediction, tried []Tried) Score {
	var s Score
	for i := range said {
		t := &tried[i]
		switch {
		case t.Refused != "":
			continue
		case t.Alone > 0:
			s.Alone++
			continue
		}
		s.Pairs++
		starved, foretold := t.Lost() > 0, said[i].Starved()
		if starved {
			s.Starved++
		}
		if foretold {
			s.Foretold++
		}
		switch {
		case starved && foretold:
			s.Right++
		case foretold && t.Expected == 0:
			s.Silent++
		case starved && said[i].May:
			s.May++
		}
	}
	return s
}

func (s *Score) add(o Score) {
	s.Pairs, s.Alone, s.Starved, s.May = s.Pairs+o.Pairs, s.Alone+o.Alone, s.Starved+o.Starved, s.May+o.May
	s.Foretold, s.Right, s.Silent = s.Foretold+o.Foretold, s.Right+o.Right, s.Silent+o.Silent
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
	fmt.Fprintln(w, "\n| kernel | pairs | lose alone | lost executions | of them said to | said to, seldom or from an interrupt | said to be starved | of them lost | of those that were reached |\n|---|---|---|---|---|---|---|---|---|")
	var all Score
	for i := range list {
		s := score(list[i].Said, list[i].Tried)
		fmt.Fprintln(w, scoreRow(list[i].Release, s))
		all.add(s)
	}
	fmt.Fprintln(w, scoreRow("**all**", all))
}

// WriteTotal sums up all of several lists.
func WriteTotal(w io.Writer, lists ...[]Result) {
	var all Score
	for _, list := range lists {
		for i := range list {
			all.add(score(list[i].Said, list[i].Tried))
		}
	}
	fmt.Fprintf(w, "\nTogether: of what lost executions %s was said to; of what was said to be starved %s was, of that which was reached %s.\n",
		percent(all.Right, all.Starved), percent(all.Right, all.Foretold), percent(all.Right, all.Foretold-all.Silent))
}

func scoreRow(name string, s Score) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %s | %d | %d | %s | %s |", name, s.Pairs, s.Alone, s.Starved, percent(s.Right, s.Starved), s.May,
		s.Foretold, percent(s.Right, s.Foretold), percent(s.Right, s.Foretold-s.Silent))
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
	case p.May:
		return "starved seldom, or from an interrupt"
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
	case t.Alone > 0:
		return fmt.Sprintf("%d | %d, and %d alone | %s", t.Expected, t.Lost(), t.Alone, t.Said)
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
