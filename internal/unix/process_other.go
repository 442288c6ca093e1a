//go:build !linux

package unix

import "errors"

// WaitExit is not supported on this system.
func WaitExit(int) error { return errors.ErrUnsupported }

// FirstThread is taken to be so.
func FirstThread() bool { return true }
