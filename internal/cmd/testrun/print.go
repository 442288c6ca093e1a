package main

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"
)

// maxNames is how many tests a row of the table names; the rest are counted.
const maxNames = 4

// print writes the table of skips and the closing line.
func (s *summary) print() {
	if len(s.skipped) > 0 {
		s.table()
	}
	fmt.Fprintf(s.w, "\n%d passed, %d failed, %d skipped\n", s.passed, s.failed+s.broken, len(s.skipped))
}

// table groups the skipped tests by reason and package, most tests first.
func (s *summary) table() {
	type row struct {
		reason, pkg string
		names       []string
	}
	var rows []*row
	for _, t := range s.skipped {
		reason, pkg := t.reason(), path.Base(t.pkg)
		i := slices.IndexFunc(rows, func(r *row) bool { return r.reason == reason && r.pkg == pkg })
		if i < 0 {
			i = len(rows)
			rows = append(rows, &row{reason: reason, pkg: pkg})
		}
		rows[i].names = append(rows[i].names, t.name)
	}
	slices.SortStableFunc(rows, func(a, b *row) int {
		return cmp.Or(strings.Compare(a.reason, b.reason), strings.Compare(a.pkg, b.pkg))
	})
	fmt.Fprint(s.w, "\nSkipped:\n")
	last := ""
	for _, r := range rows {
		if r.reason != last {
			fmt.Fprintf(s.w, "  %s\n", r.reason)
			last = r.reason
		}
		names := r.names
		more := ""
		if len(names) > maxNames {
			more = fmt.Sprintf(" and %d more", len(names)-maxNames)
			names = names[:maxNames]
		}
		fmt.Fprintf(s.w, "    %4d  %-12s %s%s\n", len(r.names), r.pkg, strings.Join(names, ", "), more)
	}
}

// exitCode is 1 on failures and when nothing ran: a run without tests proves
// nothing, whatever go test says of it.
func (s *summary) exitCode(goFailed bool) int {
	if s.failed+s.broken > 0 || goFailed || s.passed == 0 {
		if s.passed+s.failed+s.broken+len(s.skipped) == 0 {
			fmt.Fprintln(s.w, "no test ran")
		}
		return 1
	}
	return 0
}
