package main

import (
	"errors"
	"fmt"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/running"
)

// The exit codes, the same for every subcommand.
const (
	exitOK        = 0 // done; of check: nothing at or above --fail-on
	exitFindings  = 1 // findings at or above --fail-on, or a trace that failed
	exitUsage     = 2 // usage, or input that cannot be read
	exitPrivilege = 3 // not permitted to attach, or not supported here
)

// exitError ends the program with a code. An empty text prints nothing: all
// has been said.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string {
	if e.err == nil {
		return fmt.Sprintf("exit %d", e.code)
	}
	return e.err.Error()
}

func (e *exitError) Unwrap() error { return e.err }

// exitCode is the table of errors and exit codes. What is not listed is the
// fault of arguments or input.
func exitCode(err error) int {
	coded := (*exitError)(nil)
	probe := (*attach.ProbeError)(nil)
	switch {
	case err == nil:
		return exitOK
	case errors.Is(err, attach.ErrNotPermitted), errors.Is(err, attach.ErrNotSupported),
		errors.Is(err, running.ErrNotPermitted), errors.Is(err, running.ErrNotSupported):
		return exitPrivilege
	case errors.As(err, &coded):
		return coded.code
	case errors.As(err, &probe):
		return exitFindings
	}
	return exitUsage
}
