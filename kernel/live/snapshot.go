package live

import (
	"fmt"

	"github.com/surehook/surehook/kernel"
)

// Snapshot copies all facts into memory, to be kept in an atlas.
func (k *Kernel) Snapshot() (*kernel.Snapshot, error) {
	s, err := kernel.Take(k)
	if err != nil {
		return nil, err
	}
	if t, _ := k.types(); len(t) > 0 {
		facts, err := t[0].Facts()
		if err != nil {
			return nil, fmt.Errorf("/%s/vmlinux: %w", btfDir, err)
		}
		s.Defs = facts.Defs
	}
	s.Options, _ = k.config() // missing is a topic
	s.ID.Name = s.ID.Release
	s.Sort()
	return s, nil
}
