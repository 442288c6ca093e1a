package memory

import (
	"math"
	"runtime/debug"
	"testing"
)

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

// TestCollectFrom: only a collection that was put off comes earlier.
func TestCollectFrom(t *testing.T) {
	before := debug.SetMemoryLimit(-1)
	defer debug.SetMemoryLimit(before)
	for _, tt := range []struct{ limit, from, want int64 }{
		{math.MaxInt64, 100 << 20, math.MaxInt64}, {400 << 20, 100 << 20, 100 << 20}, {64 << 20, 100 << 20, 64 << 20},
	} {
		debug.SetMemoryLimit(tt.limit)
		CollectFrom(tt.from)
		if got := debug.SetMemoryLimit(-1); got != tt.want {
			t.Errorf("%d from %d: %d, want %d", tt.limit, tt.from, got, tt.want)
		}
	}
}
