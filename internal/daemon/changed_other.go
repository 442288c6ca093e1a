//go:build !linux

package daemon

import (
	"context"
	"errors"
)

// Changed fails: only Linux is supervised.
// The file is not looked at.
func Changed(context.Context, string) (<-chan struct{}, error) { return nil, errors.ErrUnsupported }
