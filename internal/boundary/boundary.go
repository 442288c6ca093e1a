// Package boundary holds claims like "since Linux 6.6" against the running
// kernel. Tests call it on every kernel of package vmtest; vmsuite wants each
// claim shown on both sides of its versions.
package boundary

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// Claim is that kernels of some versions have a feature, or a fault.
type Claim struct {
	Name  string
	Since string // the first version with it: 6.6
	Until string // the first version without it again; empty: there is none
	// OneSided says why no kernel shows the other side; empty: some do.
	OneSided string
}

// Holds tells whether a kernel has the feature if the claim is right. release
// is as uname -r says it.
func (c Claim) Holds(release string) (bool, error) {
	v, err := parse(release)
	if err != nil {
		return false, err
	}
	since, err := parse(c.Since)
	if err != nil {
		return false, err
	}
	if c.Until == "" {
		return v >= since, nil
	}
	until, err := parse(c.Until)
	return v >= since && v < until, err
}

// Test fails when a feature probe contradicts the claim: has is what the probe
// said of the running kernel.
func (c Claim) Test(t *testing.T, release string, has bool) {
	t.Helper()
	t.Log(c.line(has))
	want, err := c.Holds(release)
	if err != nil {
		t.Fatal(err)
	}
	if has != want {
		t.Errorf("Linux %s: %s: probed %v, claimed %v (since %s, until %q)", release, c.Name, has, want, c.Since, c.Until)
	}
}

// line is a record that Records reads.
func (c Claim) line(has bool) string {
	return fmt.Sprintf("claim: %s | %s | %s | %s | %v", c.Name, c.Since, c.Until, c.OneSided, has)
}

// Record is what Test said of a claim on one kernel.
type Record struct {
	Claim
	Has bool
}

var record = regexp.MustCompile(`(?m)claim: ([^|\n]*) \| ([^|\n]*) \| ([^|\n]*) \| ([^|\n]*) \| (true|false)$`)

// Records finds what Test logged in the output of tests.
func Records(output string) []Record {
	var list []Record
	for _, m := range record.FindAllStringSubmatch(output, -1) {
		list = append(list, Record{Claim{m[1], m[2], m[3], strings.TrimSpace(m[4])}, m[5] == "true"})
	}
	return list
}

// parse gives major and minor version as one number.
func parse(release string) (int, error) {
	var major, minor int
	if n, _ := fmt.Sscanf(release, "%d.%d", &major, &minor); n != 2 {
		return 0, fmt.Errorf("%q is no version of Linux", release)
	}
	return major<<16 | minor, nil
}
