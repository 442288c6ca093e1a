//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"io"
)

// mechanism is a way to attach breakpoints.
type mechanism interface {
	name() string
	// attach puts breaks on t, for the process pid alone if it is not 0. The
	// breakpoints that could not be are the faults; when there are any and
	// keep is not set, nothing stays attached. An error concerns no single
	// breakpoint, and leaves nothing attached either.
	attach(t *target, breaks []breakpoint, pid int, keep bool) ([]io.Closer, []fault, error)
	// perProcess tells whether pid works.
	perProcess() bool
}

// closers closes what it holds, one after the other: closing a perf event
// waits for a grace period (some 0.1 s) under a lock, so that closing them side
// by side gains nothing.
type closers []io.Closer

// Close closes all and joins their errors.
func (c closers) Close() error {
	var errs []error
	for _, l := range c {
		errs = append(errs, l.Close())
	}
	return errors.Join(errs...)
}
