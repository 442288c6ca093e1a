//go:build !linux

package unix

import (
	"errors"
	"time"
)

// Monotonic is not supported on this system.
func Monotonic() (time.Duration, error) { return 0, errors.ErrUnsupported }
