//go:build !linux || (!amd64 && !arm64)

package misses

import "io"

// Demo fails with ErrNotSupported.
func Demo(io.Writer, *Abilities) error { return ErrNotSupported }
