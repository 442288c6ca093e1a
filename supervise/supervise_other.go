//go:build !linux || !(amd64 || arm64)

package supervise

import (
	"context"

	"github.com/surehook/surehook/attach"
	"github.com/surehook/surehook/hook"
)

// Supervisor keeps hooks attached.
type Supervisor struct{}

// New fails with attach.ErrNotSupported.
func New(Options) (*Supervisor, error) { return nil, attach.ErrNotSupported }

// Add fails.
func (*Supervisor) Add(hook.Hook) (ID, error) { return 0, attach.ErrNotSupported }

// AddInContainers fails.
func (*Supervisor) AddInContainers(hook.Hook) (ID, error) { return 0, attach.ErrNotSupported }

// Remove fails.
func (*Supervisor) Remove(ID) error { return attach.ErrNotSupported }

// Run fails.
func (*Supervisor) Run(context.Context) error { return attach.ErrNotSupported }

// State gives nothing.
func (*Supervisor) State() (State, error) { return State{}, attach.ErrNotSupported }

// Close does nothing.
func (*Supervisor) Close() error { return nil }
