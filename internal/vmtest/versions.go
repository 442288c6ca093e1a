package vmtest

import (
	"cmp"
	"strings"
)

// compareVersions orders kernel releases of one series: runs of digits by
// their value, all else by its bytes.
func compareVersions(a, b string) int {
	for a != "" && b != "" {
		an, bn := digits(a), digits(b)
		if an == 0 || bn == 0 {
			if a[0] != b[0] {
				return cmp.Compare(a[0], b[0])
			}
			a, b = a[1:], b[1:]
			continue
		}
		x, y := strings.TrimLeft(a[:an], "0"), strings.TrimLeft(b[:bn], "0")
		if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
			return c
		}
		a, b = a[an:], b[bn:]
	}
	return cmp.Compare(len(a), len(b))
}

// digits is how many digits s begins with.
func digits(s string) int { return len(s) - len(strings.TrimLeft(s, "0123456789")) }
