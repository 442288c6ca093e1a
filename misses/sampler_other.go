//go:build !linux

package misses

import "github.com/surehook/surehook/running"

// Sampler reads samples one after the other.
type Sampler struct{ abilities *Abilities }

// NewSampler makes a sampler that judges by a self-test.
func NewSampler(a *Abilities) *Sampler { return &Sampler{a} }

// Abilities are what the sampler judges by.
func (s *Sampler) Abilities() *Abilities { return s.abilities }

// Read fails with running.ErrNotSupported.
func (s *Sampler) Read() (*Sample, error) { return nil, running.ErrNotSupported }

// Unread is empty.
func (s *Sampler) Unread() []running.Unread { return nil }

// Inventory is nil.
func (s *Sampler) Inventory() *running.Inventory { return nil }
