package vmsuite

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/surehook/surehook/internal/boundary"
	"github.com/surehook/surehook/internal/vmtest"
)

// shown is what the kernels say of a claim.
type shown struct {
	boundary.Claim
	has []string // by column: yes, no, or empty
}

// claims collects what tests recorded of claims, in their order.
func claims(columns []*column) []*shown {
	var list []*shown
	for i, c := range columns {
		for _, s := range suites() {
			for _, r := range c.results[s.pkg] {
				for _, record := range boundary.Records(r.Output) {
					at := slices.IndexFunc(list, func(s *shown) bool { return s.Claim == record.Claim })
					if at < 0 {
						at = len(list)
						list = append(list, &shown{record.Claim, make([]string, len(columns))})
					}
					list[at].has[i] = map[bool]string{true: "yes", false: "no"}[record.Has]
				}
			}
		}
	}
	return list
}

// checkClaims wants every claim shown on both sides of its versions, if the
// kernels that ran have both.
func checkClaims(t *testing.T, columns []*column) {
	for _, c := range claims(columns) {
		yes, no := slices.Contains(c.has, "yes"), slices.Contains(c.has, "no")
		switch {
		case c.OneSided != "" && yes && no:
			t.Errorf("%s: both sides are shown, but the claim says that they cannot be: %s", c.Name, c.OneSided)
		case c.OneSided == "" && (!yes || !no) && len(columns) >= len(vmtest.Kernels())-2:
			t.Errorf("%s (since %s, until %q) is shown on one side only: %q; add a kernel to vmtest.Kernels", c.Name, c.Since, c.Until, c.has)
		}
	}
}

// renderClaims makes the table of claims.
func renderClaims(columns []*column) string {
	var b strings.Builder
	b.WriteString("\n## Claims of versions\n\nWhat a feature probe says on each kernel. A probe that contradicts the claimed versions fails its test.\n\n| claim | versions |")
	line := "\n|---|---|"
	for _, c := range columns {
		b.WriteString(" " + c.kernel.Name() + " |")
		line += "---|"
	}
	b.WriteString(line + "\n")
	for _, c := range claims(columns) {
		versions := "since " + c.Since
		if c.Until != "" {
			versions += ", until " + c.Until
		}
		if c.OneSided != "" {
			versions += " (" + c.OneSided + ")"
		}
		fmt.Fprintf(&b, "| %s | %s |", c.Name, versions)
		for _, has := range c.has {
			if has == "" {
				has = "-"
			}
			b.WriteString(" " + has + " |")
		}
		b.WriteString("\n")
	}
	return b.String()
}
