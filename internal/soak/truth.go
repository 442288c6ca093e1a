//go:build linux && (amd64 || arm64)

package soak

import (
	"os"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Functions are what callers call, in the order of Truth.Calls. The last one is
// inlined into the third.
func Functions() []string { return []string{"one", "two", "three", "four", "small"} }

// Calls is how often each function was called.
type Calls [5]uint64

// counters is struct truth of caller.c.
type counters struct {
	calls     [5]atomic.Uint64
	wrong     atomic.Uint64
	failed    atomic.Uint64
	rounds    atomic.Uint64
	crashed   atomic.Uint64
	processes atomic.Uint64
	going     [maxCallers]atomic.Uint64
	of        [Versions + 1]atomic.Uint64
}

// maxCallers is of how many callers the progress is written down.
const maxCallers = 8

// Truth is what callers have written down of themselves, in a file that all of
// them share.
type Truth struct {
	Path string
	mem  []byte
	c    *counters
}

// NewTruth makes a file of zeros.
func NewTruth(path string) (*Truth, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	size := int(unsafe.Sizeof(counters{}))
	if err := f.Truncate(int64(size)); err != nil {
		return nil, err
	}
	mem, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, err
	}
	return &Truth{Path: path, mem: mem, c: (*counters)(unsafe.Pointer(unsafe.SliceData(mem)))}, nil
}

// Calls are those until now.
func (t *Truth) Calls() Calls {
	var c Calls
	for i := range c {
		c[i] = t.c.calls[i].Load()
	}
	return c
}

// Of is how often the functions that are Hooked were called in a version.
func (t *Truth) Of(version int) uint64 { return t.c.of[version].Load() }

// Going is how far each caller is: it counts rounds and attempts to open the library.
func (t *Truth) Going() (going [maxCallers]uint64) {
	for i := range going {
		going[i] = t.c.going[i].Load()
	}
	return going
}

// Wrong is how many results were not those of the library's version.
func (t *Truth) Wrong() uint64 { return t.c.wrong.Load() }

// Failed is how often the library could not be opened.
func (t *Truth) Failed() uint64 { return t.c.failed.Load() }

// Rounds is how often all functions were called.
func (t *Truth) Rounds() uint64 { return t.c.rounds.Load() }

// Crashed is how many processes ended by a signal.
func (t *Truth) Crashed() uint64 { return t.c.crashed.Load() }

// Processes is how many were begun that make a few calls and end.
func (t *Truth) Processes() uint64 { return t.c.processes.Load() }

// Close forgets the numbers.
func (t *Truth) Close() error { return syscall.Munmap(t.mem) }
