package misses

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
)

// WriteText writes a table of all programs, and below it why a number is none.
// rates may be empty.
func WriteText(w io.Writer, s *Sample, rates map[uint32]Rate) error {
	b := bufio.NewWriter(w)
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	head := "PROGRAM\tHOOK\tRUNS\tATTACH\tPROGRAM\tMISSED\t"
	if len(rates) > 0 {
		head += "PER S\t"
	}
	fmt.Fprintln(t, head+"OWNER")
	var notes notes
	for i := range s.Programs {
		p := &s.Programs[i]
		fmt.Fprintf(t, "%d %s\t%s\t%s\t%s\t%s\t%s\t", p.ID, visible(p.Name), visible(p.HookText()), p.Runs, p.attachText(), selfText(p), p.Total.String()+notes.mark(p.Total.Why))
		if len(rates) > 0 {
			fmt.Fprintf(t, "%s\t", rates[p.ID])
		}
		fmt.Fprintln(t, visible(p.OwnerText()))
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if len(s.Programs) == 0 {
		fmt.Fprintln(b, "no program that traces is loaded")
	}
	for i, text := range notes {
		fmt.Fprintf(b, "[%d] %s\n", i+1, text)
	}
	return b.Flush()
}

// WriteReasons writes why programs missed executions, and what to do.
func WriteReasons(w io.Writer, s *Sample, reasons []Reason) error {
	b := bufio.NewWriter(w)
	for _, r := range reasons {
		i := slices.IndexFunc(s.Programs, func(p Program) bool { return p.ID == r.Program })
		if i < 0 {
			continue
		}
		p := &s.Programs[i]
		fmt.Fprintf(b, "\n%d %s (%s) missed %s:\n", p.ID, visible(p.Name), visible(p.HookText()), p.Total)
		for _, c := range r.Causes {
			fmt.Fprintf(b, "  - %s\n", visible(c.Text))
			for _, e := range c.Evidence {
				fmt.Fprintf(b, "      %s\n", visible(e))
			}
		}
		if r.Instead != "" {
			fmt.Fprintf(b, "  way out: %s\n", visible(r.Instead))
		}
	}
	return b.Flush()
}

// notes are reasons, each said once.
type notes []string

func (n *notes) mark(text string) string {
	if text == "" {
		return ""
	}
	i := slices.Index(*n, text)
	if i < 0 {
		i = len(*n)
		*n = append(*n, text)
	}
	return fmt.Sprintf(" [%d]", i+1)
}

// HookText is the first place of a program, and how many more there are.
func (p *Program) HookText() string {
	places, first := 0, ""
	for _, h := range p.Hooks {
		for _, at := range h.Places {
			if places == 0 {
				first = at
			}
			places++
		}
		if first == "" && h.Kind != "" {
			first = string(h.Kind)
		}
	}
	switch {
	case len(p.Hooks) == 0:
		return "not attached"
	case first == "":
		return "not known"
	case places > 1:
		return fmt.Sprintf("%s +%d", first, places-1)
	}
	return first
}

// OwnerText is the first process that holds a program, and how many more do.
func (p *Program) OwnerText() string {
	switch len(p.Owners) {
	case 0:
		return "-"
	case 1:
		return p.Owners[0]
	}
	return fmt.Sprintf("%s +%d", p.Owners[0], len(p.Owners)-1)
}

func (p *Program) attachText() string {
	if !slices.ContainsFunc(p.Hooks, func(h Hook) bool { return linked(h.Kind) }) {
		return "-"
	}
	return p.Attach.String()
}

func selfText(p *Program) string {
	if p.Self.NotKnown != "" {
		return "not counted"
	}
	return fmt.Sprint(p.Self.N)
}

// String gives the number, or a dash where the kernel does not count runs.
func (r Runs) String() string {
	if r.NotKnown != "" {
		return "-"
	}
	return fmt.Sprint(r.N)
}

// String gives misses in a second.
func (r Rate) String() string {
	if !r.Known {
		return "-"
	}
	return fmt.Sprintf("%.1f", r.Misses)
}

// visible keeps what others chose from steering the terminal.
func visible(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return '?'
		}
		return r
	}, s)
}

// WriteTest writes what the self-test found as a table.
func WriteTest(w io.Writer, a *Abilities) error {
	b := bufio.NewWriter(w)
	t := tabwriter.NewWriter(b, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "HOOK\tINSIDE A PROGRAM OF\tEXECUTIONS\tRAN\tLOST\tBY LINK\tBY PROGRAM\tCOUNTED")
	for _, k := range a.Kinds {
		if k.Reason != "" {
			fmt.Fprintf(t, "%s\tnot known: %s\n", k.Kind, k.Reason)
		}
		for _, n := range k.Trials {
			counted := "-"
			switch {
			case n.Lost() == 0 && n.Counted() == 0:
			case n.Observed():
				counted = "yes"
			case n.Counted() == 0:
				counted = "NO"
			default:
				counted = "PARTLY"
			}
			fmt.Fprintf(t, "%s\t%s\t%d\t%d\t%d\t%d\t%d\t%s\n", k.Kind, n.Kind, n.Expected, n.Ran, n.Lost(), n.Link, n.Program, counted)
		}
	}
	if err := t.Flush(); err != nil {
		return err
	}
	for _, o := range a.Outer {
		if o.Reason != "" {
			fmt.Fprintf(b, "nothing was nested in %s: %s\n", o.Hook, o.Reason)
		}
	}
	return b.Flush()
}
