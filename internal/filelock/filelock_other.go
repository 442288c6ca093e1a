//go:build !unix

package filelock

import "errors"

// Lock fails: what is shared by locks here needs Linux.
func Lock(string) (unlock func(), err error) { return nil, errors.ErrUnsupported }
