package kernels

import (
	"os"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/live"
)

// live gives the running kernel, with what an atlas entry or a vmlinux of its
// very build says of inlining and calls.
func (c *Catalogue) live() ([]kernel.Kernel, error) {
	if c.opts.Live == nil {
		return nil, errNoLive
	}
	k, err := c.opts.Live()
	if err != nil {
		return nil, err
	}
	running, ok := k.(*live.Kernel)
	if !ok {
		return []kernel.Kernel{k}, nil
	}
	for _, e := range c.entries {
		if live.Same(running.Identity(), e.Identity()) {
			return []kernel.Kernel{live.Join(running, e)}, nil
		}
	}
	if c.opts.File == nil {
		return []kernel.Kernel{k}, nil
	}
	for _, p := range live.DebugPaths(running.Identity().Release) {
		p = "/" + p
		if _, err := os.Stat(p); err != nil {
			continue
		}
		// A file of another build, or one that cannot be read, has no part in
		// the answer: then inlining is not known, which says where it would be.
		if file, err := c.opts.File(p); err == nil && live.Same(running.Identity(), file.Identity()) {
			return []kernel.Kernel{live.Join(running, file)}, nil
		}
	}
	return []kernel.Kernel{k}, nil
}
