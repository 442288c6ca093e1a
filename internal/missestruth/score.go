package missestruth

import (
	"fmt"
	"io"
)

// Score is how predictions of starving came true.
type Score struct {
	Pairs     int  // that could be made, without those whose hook loses executions alone
	Alone     int  // those
	Starved   int  // that lost executions
	May       int  // of them: said to be starved seldom, or from an interrupt
	Sure      Said // said to be starved each time
	Good      Said // said to be starved unless something fails
	Condition Said // said to be starved under a condition
}

// Said is what became of pairs of which one thing was said.
type Said struct {
	Pairs  int
	Right  int // that lost executions
	Silent int // whose inner hook was never reached
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
		starved := t.Lost() > 0
		if starved {
			s.Starved++
		}
		switch {
		case said[i].Surely():
			s.Sure.count(t)
		case said[i].UnlessFails():
			s.Good.count(t)
		case said[i].Starved():
			s.Condition.count(t)
		case starved && said[i].May:
			s.May++
		}
	}
	return s
}

func (s *Said) count(t *Tried) {
	s.Pairs++
	switch {
	case t.Lost() > 0:
		s.Right++
	case t.Expected == 0:
		s.Silent++
	}
}

func (s *Said) add(o Said) {
	s.Pairs, s.Right, s.Silent = s.Pairs+o.Pairs, s.Right+o.Right, s.Silent+o.Silent
}

func (s *Score) add(o Score) {
	s.Pairs, s.Alone, s.Starved, s.May = s.Pairs+o.Pairs, s.Alone+o.Alone, s.Starved+o.Starved, s.May+o.May
	s.Sure.add(o.Sure)
	s.Good.add(o.Good)
	s.Condition.add(o.Condition)
}

// said is what was said to be starved: SH601.
func (s Score) said() Said {
	all := s.Sure
	all.add(s.Good)
	return all
}

// any is what was said to be starved, or to be under a condition.
func (s Score) any() Said {
	all := s.said()
	all.add(s.Condition)
	return all
}

// percent writes a part of a whole.
func percent(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return fmt.Sprintf("%d %% (%d of %d)", (100*part+whole/2)/whole, part, whole)
}

// WriteScores writes how predictions came true by kernel and in all: of what lost
// executions how much was said to, and of what was said how much came true.
func WriteScores(w io.Writer, list []Result) {
	fmt.Fprintln(w, "\n| kernel | pairs | lose alone | lost executions | of them said to each time | each time, or unless something fails | or under a condition | seldom, or from an interrupt |\n|---|---|---|---|---|---|---|---|")
	var all Score
	for i := range list {
		s := score(list[i].Said, list[i].Tried)
		fmt.Fprintln(w, lostRow(list[i].Release, s))
		all.add(s)
	}
	fmt.Fprintln(w, lostRow("**all**", all))
	fmt.Fprintln(w, "\n| kernel | said to be starved each time | of them lost | unless something fails | of them lost | under a condition | of them lost | of all that were reached |\n|---|---|---|---|---|---|---|---|")
	for i := range list {
		fmt.Fprintln(w, saidRow(list[i].Release, score(list[i].Said, list[i].Tried)))
	}
	fmt.Fprintln(w, saidRow("**all**", all))
}

// WriteTotal sums up all of several lists.
func WriteTotal(w io.Writer, lists ...[]Result) {
	var all Score
	for _, list := range lists {
		for i := range list {
			all.add(score(list[i].Said, list[i].Tried))
		}
	}
	said, any := all.said(), all.any()
	fmt.Fprintf(w, "\nTogether: of what was said to be starved, each time or unless something fails (SH601), %s was, of what was said to be under a condition (SH602) %s. Of what lost executions %s was said to be starved, %s that or under a condition.\n",
		percent(said.Right, said.Pairs), percent(all.Condition.Right, all.Condition.Pairs), percent(said.Right, all.Starved), percent(any.Right, all.Starved))
}

func lostRow(name string, s Score) string {
	return fmt.Sprintf("| %s | %d | %d | %d | %s | %s | %s | %d |", name, s.Pairs, s.Alone, s.Starved,
		percent(s.Sure.Right, s.Starved), percent(s.said().Right, s.Starved), percent(s.any().Right, s.Starved), s.May)
}

func saidRow(name string, s Score) string {
	any := s.any()
	return fmt.Sprintf("| %s | %d | %s | %d | %s | %d | %s | %s |", name, s.Sure.Pairs, percent(s.Sure.Right, s.Sure.Pairs), s.Good.Pairs, percent(s.Good.Right, s.Good.Pairs),
		s.Condition.Pairs, percent(s.Condition.Right, s.Condition.Pairs), percent(any.Right, any.Pairs-any.Silent))
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
	case p.Surely():
		return "starved"
	case p.UnlessFails():
		return "starved " + p.Nesting.Condition
	case p.Starved():
		return "starved under a condition"
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
