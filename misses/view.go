package misses

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"
)

// View is what a terminal shows of samples: how they are sorted, which are
// shown, and from which on. The zero value sorts by misses a second.
type View struct {
	order  order
	filter string
	typing bool // keys go to the filter
	only   bool // programs with misses only
	first  int  // row at the top
}

// order is what rows are sorted by.
type order int

const (
	byRate order = iota
	byMissed
	byRuns
	byName
	byID
)

func (o order) String() string {
	return [...]string{"misses per second", "misses", "runs per second", "name", "number"}[o]
}

// help is the last line of a frame.
const help = "sort: [r]ate [m]isses r[u]ns [n]ame [i]d   [/] filter   [e] only with misses   [j][k] scroll   [q] quit"

// Key takes a key that was typed; it tells whether that ends the view.
func (v *View) Key(key byte) (quit bool) {
	const escape, enter, back, del = 27, '\n', 8, 127
	if v.typing {
		switch {
		case key == enter:
			v.typing = false
		case key == escape:
			v.typing, v.filter = false, ""
		case key == back || key == del:
			_, n := utf8.DecodeLastRuneInString(v.filter)
			v.filter = v.filter[:len(v.filter)-n]
		case key >= ' ':
			v.filter += string([]byte{key})
		}
		v.first = 0
		return false
	}
	if i := strings.IndexByte("rmuni", key); i >= 0 {
		v.order, v.first = order(i), 0
		return false
	}
	switch key {
	case 'q':
		return true
	case '/':
		v.typing = true
	case escape:
		v.filter, v.first = "", 0
	case 'e':
		v.only, v.first = !v.only, 0
	case 'j':
		v.first++
	case 'k':
		v.first = max(v.first-1, 0)
	}
	return false
}

// Frame gives the lines of a screen of rows by columns characters.
func (v *View) Frame(s *Sample, rates map[uint32]Rate, rows, columns int) []string {
	shown := v.choose(s, rates)
	room := max(rows-4, 1)
	v.first = max(min(v.first, len(shown)-room), 0)
	missing, unseen := 0, 0
	for i := range s.Programs {
		switch t := s.Programs[i].Total; {
		case t.N > 0:
			missing++
		case t.Known == NotObservable || t.Known == AtLeast:
			unseen++
		}
	}
	lines := []string{
		fmt.Sprintf("surehook misses  %s  %d programs, %d with misses, %d whose misses are not all counted", s.Time.Format("15:04:05"), len(s.Programs), missing, unseen),
		v.state(len(shown)),
		frameRow("ID", "NAME", "HOOK", "RUNS/S", "ATTACH", "PROGRAM", "MISSED", "PER S", "OWNER"),
	}
	for _, p := range shown[v.first:min(v.first+room, len(shown))] {
		r, ok := rates[p.ID]
		runs := "-"
		if ok && p.Runs.NotKnown == "" {
			runs = fmt.Sprintf("%.0f", r.Runs)
		}
		lines = append(lines, frameRow(fmt.Sprint(p.ID), p.Name, p.HookText(), runs, p.attachText(), selfText(p), p.Total.String(), r.String(), p.OwnerText()))
	}
	for len(lines) < rows-1 {
		lines = append(lines, "")
	}
	lines = append(lines[:max(rows-1, 0)], help)
	for i, l := range lines {
		lines[i] = cut(visible(l), columns)
	}
	return lines
}

// state says how rows are chosen.
func (v *View) state(shown int) string {
	text := fmt.Sprintf("%d shown, by %s", shown, v.order)
	if v.only {
		text += ", with misses"
	}
	if v.filter != "" || v.typing {
		text += ", filter: " + v.filter
	}
	if v.typing {
		text += "_  (Enter keeps it, Esc drops it)"
	}
	return text
}

func (v *View) choose(s *Sample, rates map[uint32]Rate) []*Program {
	var out []*Program
	for i := range s.Programs {
		p := &s.Programs[i]
		if v.only && p.Total.N == 0 || v.filter != "" && !strings.Contains(p.Name+" "+p.HookText()+" "+strings.Join(p.Owners, " "), v.filter) {
			continue
		}
		out = append(out, p)
	}
	slices.SortStableFunc(out, func(a, b *Program) int {
		switch v.order {
		case byRate:
			return cmp.Or(cmp.Compare(rates[b.ID].Misses, rates[a.ID].Misses), cmp.Compare(b.Total.N, a.Total.N))
		case byMissed:
			return cmp.Compare(b.Total.N, a.Total.N)
		case byRuns:
			return cmp.Compare(rates[b.ID].Runs, rates[a.ID].Runs)
		case byName:
			return cmp.Compare(a.Name, b.Name)
		}
		return cmp.Compare(a.ID, b.ID)
	})
	return out
}

// frameRow lays out the columns.
func frameRow(id, name, hook, runs, attach, self, missed, rate, owner string) string {
	return fmt.Sprintf("%6s  %-20s  %-38s  %9s  %9s  %9s  %14s  %8s  %s", id, cut(visible(name), 20), cut(visible(hook), 38), runs, attach, self, missed, rate, owner)
}

// cut shortens a line to so many characters.
func cut(s string, columns int) string {
	if utf8.RuneCountInString(s) <= columns {
		return s
	}
	r := []rune(s)
	return string(r[:max(columns-1, 0)]) + "…"
}
