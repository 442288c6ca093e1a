//go:build !linux || (!amd64 && !arm64)

package misses

// SelfTest fails with ErrNotSupported.
func SelfTest() (*Abilities, error) { return nil, ErrNotSupported }
