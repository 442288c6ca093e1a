package memory

import (
	"bytes"
	"math"
	"os"
	"runtime"
	"runtime/debug"
	"strconv"
)

// Until the heap has so many bytes nothing is collected: a kernel's index takes
// 400 MB, a question about a remembered one 10 MB, and collecting on the way
// there costs more than it gives back. Where a sixteenth of the memory that is
// available is less, that counts.
const (
	firstCollection    = 448 << 20
	minFirstCollection = 64 << 20
	available          = 16
)

// sooner is by how much the pace is faster after CollectFrom: what many kernels
// keep is most of the heap, which would double before the next collection.
const sooner = 3

// CollectFrom lets the first collection come when the heap has so many bytes,
// if CollectLate put it off to later, and the following ones sooner.
func CollectFrom(bytes int64) {
	if late := debug.SetMemoryLimit(-1); late < math.MaxInt64 && bytes < late {
		debug.SetMemoryLimit(bytes)
	}
}

// CollectLate puts the first garbage collection off; after it the runtime's
// usual pace holds. What the user set in the environment goes before.
func CollectLate() {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(name) != "" {
			return
		}
	}
	percent := debug.SetGCPercent(-1)
	info, _ := os.ReadFile("/proc/meminfo") // without it, the least
	late := first(info)
	debug.SetMemoryLimit(late)
	// An object that nobody has is found to be garbage by the first collection.
	runtime.AddCleanup(new([16]byte), func(percent int) {
		if debug.SetMemoryLimit(math.MaxInt64) < late {
			percent /= sooner
		}
		debug.SetGCPercent(percent)
	}, percent)
}

// CollectUsually ends that the first collection is put off: for whatever runs for
// long, which would have that much garbage some day.
func CollectUsually() { runtime.GC() }

// first gives the bytes to begin collecting at, of what /proc/meminfo says.
func first(info []byte) int64 {
	for line := range bytes.Lines(info) {
		fields := bytes.Fields(line)
		if len(fields) < 2 || string(fields[0]) != "MemAvailable:" {
			continue
		}
		if kib, err := strconv.ParseInt(string(fields[1]), 10, 50); err == nil {
			return min(max(kib<<10/available, minFirstCollection), firstCollection)
		}
	}
	return minFirstCollection
}
