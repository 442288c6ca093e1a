package memory

import (
	"math"
	"runtime"
	"runtime/debug"
	"testing"
	"time"
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

// TestCollectUsually: what has been put off is as it was.
func TestCollectUsually(t *testing.T) {
	t.Setenv("GOGC", "")
	t.Setenv("GOMEMLIMIT", "")
	percent, limit := debug.SetGCPercent(70), debug.SetMemoryLimit(math.MaxInt64)
	defer debug.SetGCPercent(percent)
	defer debug.SetMemoryLimit(limit)
	CollectLate()
	CollectUsually()
	for end := time.Now().Add(10 * time.Second); debug.SetMemoryLimit(-1) != math.MaxInt64; runtime.Gosched() {
		if time.Now().After(end) {
			t.Fatal("the first collection is still put off")
		}
	}
	for end := time.Now().Add(10 * time.Second); ; runtime.Gosched() {
		if got := debug.SetGCPercent(-1); got == 70 {
			return
		} else if debug.SetGCPercent(got); time.Now().After(end) {
			t.Fatalf("%d percent, want 70", got)
		}
	}
}
