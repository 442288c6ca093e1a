//go:build !linux

package unix

import (
	"errors"
	"time"
)

// Monotonic is not supported on this system.
func Monotonic() (time.Duration, error) { return 0, errors.ErrUnsupported }

// SinceBoot is not supported on this system.
func SinceBoot() (time.Duration, error) { return 0, errors.ErrUnsupported }

// Changed is not supported on this system.
func Changed(string) (time.Time, error) { return time.Time{}, errors.ErrUnsupported }
