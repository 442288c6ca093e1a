package main

import (
	"math"
	"os"
	"runtime"
	"runtime/debug"
)

// firstCollection is the memory in bytes up to which nothing is collected. A
// question about a remembered kernel takes 45 MB and is answered in less time
// than collecting twice on the way there would add.
const firstCollection = 64 << 20

// collectLate puts the first garbage collection off; after it the runtime's
// usual pace holds. What the user set in the environment goes before.
func collectLate() {
	for _, name := range []string{"GOGC", "GOMEMLIMIT"} {
		if os.Getenv(name) != "" {
			return
		}
	}
	percent := debug.SetGCPercent(-1)
	debug.SetMemoryLimit(firstCollection)
	// An object that nobody has is found to be garbage by the first collection.
	runtime.AddCleanup(new([16]byte), func(percent int) {
		debug.SetGCPercent(percent)
		debug.SetMemoryLimit(math.MaxInt64)
	}, percent)
}
