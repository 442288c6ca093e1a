package accuracy

import (
	"fmt"
	"slices"
	"strings"
)

// agreement compares the truths of one program: independent ways to the same
// numbers.
func (r *Report) agreement(m *markdown) {
	m.p("## Do the oracles agree?\n")
	m.p("Every row has a truth of its own: a build without optimisation of each compiler, and markers in every optimised build.\n")
	for i, row := range r.Rows {
		first := i
		for first > 0 && r.Rows[first-1].Program == row.Program && r.Rows[first-1].Arch == row.Arch {
			first--
		}
		if first == i {
			continue
		}
		with := r.Rows[first].name() + " and " + row.name()
		if diff := differences(r.Rows[first], row); len(diff) > 0 {
			m.p("- %s differ in %s", with, strings.Join(diff, ", "))
		} else {
			m.p("- %s agree on all %d functions", with, len(row.Results))
		}
	}
	m.p("")
}

// differences are the functions whose truth is not the same in two rows.
func differences(a, b Row) []string {
	truths := func(r Row) map[function]uint64 {
		t := map[function]uint64{}
		for _, x := range r.Results {
			t[x.Func] = x.Truth
		}
		return t
	}
	ta, tb := truths(a), truths(b)
	var out []string
	for f, n := range ta {
		if tb[f] != n {
			out = append(out, fmt.Sprintf("`%s` (%d, %d)", f, n, tb[f]))
		}
	}
	for f, n := range tb {
		if _, ok := ta[f]; !ok {
			out = append(out, fmt.Sprintf("`%s` (0, %d)", f, n))
		}
	}
	slices.Sort(out)
	return out
}
