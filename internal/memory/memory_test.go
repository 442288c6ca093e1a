package memory

import "testing"

func TestFirst(t *testing.T) {
	for info, want := range map[string]int64{
		"":                          minFirstCollection,
		"MemTotal: 9 kB\n":          minFirstCollection,
		"MemAvailable:\n":           minFirstCollection,
		"MemAvailable: -5 kB\n":     minFirstCollection,
		"MemAvailable: x kB\n":      minFirstCollection,
		"MemAvailable: 100000 kB\n": minFirstCollection,
		"MemFree: 1 kB\nMemAvailable:   4194304 kB\nBuffers: 5 kB\n": 256 << 20,
		"MemAvailable: 1099511627775 kB\n":                           firstCollection,
		"MemAvailable: 549755813887 kB\n":                            firstCollection,
	} {
		if got := first([]byte(info)); got != want {
			t.Errorf("%q: %d, not %d", info, got, want)
		}
	}
}
