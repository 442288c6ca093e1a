//go:build linux && (amd64 || arm64)

package bpf

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"github.com/cilium/ebpf"
)

// Pinned are the maps of Objects that another process has pinned: what is
// counted by its links goes on there.
type Pinned struct{ entries, counters *ebpf.Map }

// OpenPinned opens the maps that Pin has pinned; nil if there are none.
func OpenPinned(dir string) (*Pinned, error) {
	s, err := loadSurehook()
	if err != nil {
		return nil, err
	}
	open := func(name string) (*ebpf.Map, error) {
		m, err := ebpf.LoadPinnedMap(filepath.Join(dir, name), nil)
		if err != nil {
			return nil, err
		}
		if want := s.Maps[name]; m.Type() != want.Type || m.KeySize() != want.KeySize || m.ValueSize() != want.ValueSize {
			return nil, errors.Join(fmt.Errorf("the pinned map %s is of another version of surehook: remove %s", name, dir), m.Close())
		}
		return m, nil
	}
	entries, err := open(surehookMapEntries)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	counters, err := open(surehookMapCounters)
	if err == nil && counters.MaxEntries() != entries.MaxEntries() {
		err = errors.Join(fmt.Errorf("the pinned maps in %s are not of one size: remove it", dir), counters.Close())
	}
	if err != nil {
		return nil, errors.Join(err, entries.Close())
	}
	return &Pinned{entries, counters}, nil
}

// Room is for how many entries there is room.
func (p *Pinned) Room() int { return int(p.entries.MaxEntries()) }

// Close closes the maps, which stay.
func (p *Pinned) Close() error { return errors.Join(p.entries.Close(), p.counters.Close()) }

func (p *Pinned) maps() map[string]*ebpf.Map {
	if p == nil {
		return nil
	}
	return map[string]*ebpf.Map{surehookMapEntries: p.entries, surehookMapCounters: p.counters}
}

// Pin pins the maps in a directory of a BPF file system.
func (o *Objects) Pin(dir string) error {
	// The entries come last: what has them is whole. What a process left that was
	// killed in between is in nobody's use.
	if err := os.Remove(filepath.Join(dir, surehookMapCounters)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	for _, name := range []string{surehookMapCounters, surehookMapEntries} {
		if err := o.coll.Maps[name].Pin(filepath.Join(dir, name)); err != nil {
			return fmt.Errorf("pinning the map %s: %w", name, err)
		}
	}
	return nil
}

// PinRoom pins the counters once more, under a name that says whose some are.
func (o *Objects) PinRoom(file string) error {
	m, err := o.coll.Maps[surehookMapCounters].Clone()
	if err != nil {
		return err
	}
	defer m.Close()
	if err := m.Pin(file); err != nil {
		return fmt.Errorf("pinning counters: %w", err)
	}
	return nil
}

// Are tells whether the entries from first on are these.
func (o *Objects) Are(first uint32, want []Entry) (bool, error) {
	got := make([]Entry, len(want))
	for i := range got {
		if err := o.coll.Maps[surehookMapEntries].Lookup(first+uint32(i), &got[i]); err != nil {
			return false, fmt.Errorf("reading entry %d: %w", first+uint32(i), err)
		}
	}
	return slices.Equal(got, want), nil
}
