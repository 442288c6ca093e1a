//go:build !linux

package audit

import "github.com/surehook/surehook/running"

// Probes fails with running.ErrNotSupported.
func Probes(*running.Inventory) ([]Probe, []running.Unread, error) {
	return nil, nil, running.ErrNotSupported
}
