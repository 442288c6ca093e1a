package attach

import (
	"errors"
	"fmt"
)

// ErrHazard means that a probe was refused because it could damage the traced
// process on this kernel; Options.AllowHazards attaches all the same.
var ErrHazard = errors.New("refused: the probe could corrupt the traced process")

// ErrNotInstalled means that the kernel took a probe but did not put the
// breakpoint into memory where the file is mapped.
var ErrNotInstalled = errors.New("the kernel accepted the probe but did not install a breakpoint")

// ErrInvalid means that a Plan or Options make no sense.
var ErrInvalid = errors.New("invalid plan")

// ErrNoRoom means that a Base has no room for more probes.
var ErrNoRoom = errors.New("no room for more probes (BaseOptions.Room)")

// ProbeError says which probe could not be attached, and why.
type ProbeError struct {
	Path        string // empty: the kernel
	Symbol      string // of the kernel
	Offset      uint64 // file offset, or from Symbol
	Return      bool
	Way         Way    // of the kernel: the one that was tried first
	Plan, Probe int    // indices as given to Open
	Reason      string // in plain words
	Err         error  // what the kernel said
}

func (e *ProbeError) Error() string {
	if e.Way != NoWay && (e.Way > ByKprobe || e.Offset == 0) {
		return fmt.Sprintf("%s at %s: %s", e.Way.name(e.Return), e.Symbol, e.Reason)
	}
	kind := "uprobe"
	switch {
	case e.Symbol != "":
		return fmt.Sprintf("kprobe at %s+%#x: %s", e.Symbol, e.Offset, e.Reason)
	case e.Return:
		kind = "uretprobe"
	}
	return fmt.Sprintf("%s at file offset %#x of %s: %s", kind, e.Offset, e.Path, e.Reason)
}

// Unwrap returns the cause.
func (e *ProbeError) Unwrap() error { return e.Err }
