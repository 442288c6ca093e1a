package boundary

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHolds(t *testing.T) {
	since, between := Claim{Since: "6.6"}, Claim{Since: "6.18", Until: "7.2"}
	for _, c := range []struct {
		claim   Claim
		release string
		want    bool
	}{
		{since, "6.6.0-1-amd64", true}, {since, "6.12.117+deb13", true}, {since, "7.0", true}, {since, "6.1.0-50", false}, {since, "5.10.0-32", false},
		{between, "6.17.13", false}, {between, "6.18", true}, {between, "7.1.13", true}, {between, "7.2.0", false}, {between, "7.3.4", false},
	} {
		if got, err := c.claim.Holds(c.release); got != c.want || err != nil {
			t.Errorf("%+v on %s: %v, %v", c.claim, c.release, got, err)
		}
	}
	if _, err := since.Holds("next"); err == nil {
		t.Error("no version, no error")
	}
}

func TestRecords(t *testing.T) {
	a, b := Claim{"x links", "6.6", "", ""}, Claim{"y", "5.8", "7.2", "none is older"}
	out := "    a_test.go:1: " + a.line(true) + "\n    a_test.go:2: other\n    a_test.go:3: " + b.line(false) + "\n"
	if diff := cmp.Diff([]Record{{a, true}, {b, false}}, Records(out)); diff != "" {
		t.Error(diff)
	}
}
