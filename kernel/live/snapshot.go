package live

import (
	"fmt"
	"io/fs"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/btf"
)

// Snapshot copies all facts into memory, to be kept in an atlas.
func (k *Kernel) Snapshot() (*kernel.Snapshot, error) {
	s, err := kernel.Take(k)
	if err != nil {
		return nil, err
	}
	if k.Missing(kernel.Types) == "" {
		raw, err := fs.ReadFile(k.root, btfDir+"/vmlinux")
		if err != nil {
			return nil, err
		}
		facts, err := btf.Read(raw, nil)
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
