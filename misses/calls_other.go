//go:build !linux

package misses

// Calls fails with ErrNotSupported.
func Calls([]Program) (map[uint32][]string, error) { return nil, ErrNotSupported }
