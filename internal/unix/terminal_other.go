//go:build !linux

package unix

import (
	"errors"
	"os"
)

// KeyByKey is not supported on this system.
func KeyByKey(*os.File) (restore func() error, err error) { return nil, errors.ErrUnsupported }

// TerminalSize is not supported on this system.
func TerminalSize(*os.File) (rows, columns int, err error) { return 0, 0, errors.ErrUnsupported }
