//go:build !linux

package running

// Read fails with ErrNotSupported.
func Read(Options) (*Inventory, error) { return nil, ErrNotSupported }
