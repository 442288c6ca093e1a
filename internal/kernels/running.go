package kernels

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/live"
)

// DebugFileError says that debug information which is where the running
// kernel's would be cannot be read. The kernel is known all the same.
type DebugFileError struct {
	Path string
	Err  error
}

func (e *DebugFileError) Error() string {
	text := e.Err.Error()
	if !strings.Contains(text, e.Path) {
		text = e.Path + ": " + text
	}
	return fmt.Sprintf("debug information of the running kernel: %s; remove it, or install the package that it is of again", text)
}

// Unwrap returns the cause.
func (e *DebugFileError) Unwrap() error { return e.Err }

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
	var failed []error
	for _, p := range live.DebugPaths(running.Identity().Release) {
		p = "/" + p
		file, err := c.opts.File(p)
		switch {
		case errors.Is(err, fs.ErrNotExist):
		case err != nil:
			failed = append(failed, &DebugFileError{p, err})
		case live.Same(running.Identity(), file.Identity()):
			return []kernel.Kernel{live.Join(running, file)}, nil
		default: // of another build: the reason why inlining is not known says where it is
			failed = append(failed, file.Close())
		}
	}
	return []kernel.Kernel{k}, errors.Join(failed...)
}
