package debuginfod

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
)

// Error says that no server gave the file. It is fs.ErrNotExist if all of
// them answered that they do not have it.
type Error struct {
	BuildID  string
	Attempts []Attempt
	Hint     string // what to do
}

// Attempt is what became of one server.
type Attempt struct {
	URL    string // of the file, without a password
	Status string // of the answer, as "404 Not Found"; "" without one
	Err    error  // nil: the server does not have the file
}

// String is the URL with what it gave.
func (a Attempt) String() string {
	parts := []string{a.URL}
	if a.Status != "" {
		parts = append(parts, a.Status)
	}
	if a.Err != nil {
		parts = append(parts, a.Err.Error())
	}
	return strings.Join(parts, ": ")
}

func (e *Error) Error() string {
	parts := make([]string, len(e.Attempts))
	for i, a := range e.Attempts {
		parts[i] = a.String()
	}
	return strings.Join(parts, "; ") + "; " + e.Hint
}

// Unwrap gives the causes.
func (e *Error) Unwrap() []error {
	var out []error
	for _, a := range e.Attempts {
		if a.Err != nil {
			out = append(out, a.Err)
		}
	}
	if len(out) == 0 {
		return []error{fs.ErrNotExist}
	}
	return out
}

// Why a file that a server sent is not taken.
var (
	ErrNoServer = errors.New("no debuginfod server is named: set DEBUGINFOD_URLS, for example to https://debuginfod.elfutils.org/")
	ErrWrongID  = errors.New("what it sent has another build id")
	ErrTooLarge = errors.New("the file is larger than the limit")
	ErrStalled  = errors.New("it sends nothing, or hardly anything")
)

// missError is a file that no server had some minutes ago.
type missError struct{ path string }

func (e *missError) Error() string {
	return fmt.Sprintf("no server had it within the last %v; remove %s to ask again", missTime, e.path)
}

func (e *missError) Is(target error) bool { return target == fs.ErrNotExist }
