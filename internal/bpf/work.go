//go:build linux && (amd64 || arm64)

package bpf

import (
	"errors"
	"fmt"

	"github.com/cilium/ebpf"
)

// Work is a loaded program of work.bpf.c with its map.
type Work struct {
	Prog *ebpf.Program
	coll *ebpf.Collection
	name string
}

// workKey is struct key in work.bpf.c.
type workKey struct {
	Thread, Random uint64
	Command        [32]byte
}

// LoadWork loads the program of that name ("empty", "simple", "complex") for
// the kind of hookpoint that change makes of its specification.
func LoadWork(name string, change func(*ebpf.ProgramSpec)) (*Work, error) {
	s, err := loadWork()
	if err != nil {
		return nil, fmt.Errorf("BPF program: %w", err)
	}
	needs := map[string]string{workProgEmpty: "", workProgSimple: workMapThreads, workProgComplex: workMapKeys}
	own, known := needs[name]
	if !known {
		return nil, fmt.Errorf("no BPF program %q", name)
	}
	for other := range needs {
		if other != name {
			delete(s.Programs, other)
		}
	}
	for other := range s.Maps {
		if other != own {
			delete(s.Maps, other)
		}
	}
	change(s.Programs[name])
	coll, err := ebpf.NewCollection(s)
	if err != nil {
		return nil, fmt.Errorf("loading the program %q: %w", name, err)
	}
	return &Work{Prog: coll.Programs[name], coll: coll, name: name}, nil
}

// Ran is how often the program ran in a thread (number of the initial
// namespace). counts is false for the program that counts nothing.
func (w *Work) Ran(thread uint32) (n uint64, counts bool, err error) {
	return w.sum(func(t uint32) bool { return t == thread })
}

// RanAll is how often the program ran in all threads.
func (w *Work) RanAll() (n uint64, counts bool, err error) {
	return w.sum(func(uint32) bool { return true })
}

func (w *Work) sum(of func(thread uint32) bool) (n uint64, counts bool, err error) {
	var value uint64
	switch w.name {
	case workProgSimple:
		var thread uint32
		entries := w.coll.Maps[workMapThreads].Iterate()
		for entries.Next(&thread, &value) {
			if of(thread) {
				n += value
			}
		}
		return n, true, entries.Err()
	case workProgComplex:
		var key workKey
		entries := w.coll.Maps[workMapKeys].Iterate()
		for entries.Next(&key, &value) {
			if of(uint32(key.Thread)) {
				n += value
			}
		}
		return n, true, entries.Err()
	}
	return 0, false, nil
}

// Reset empties the map. The program must not be attached.
func (w *Work) Reset() error {
	switch w.name {
	case workProgSimple:
		return clear[uint32](w.coll.Maps[workMapThreads])
	case workProgComplex:
		return clear[workKey](w.coll.Maps[workMapKeys])
	}
	return nil
}

func clear[K any](m *ebpf.Map) error {
	var keys []K
	var key K
	var value uint64
	entries := m.Iterate()
	for entries.Next(&key, &value) {
		keys = append(keys, key)
	}
	for _, k := range keys {
		if err := m.Delete(k); err != nil && !errors.Is(err, ebpf.ErrKeyNotExist) {
			return err
		}
	}
	return entries.Err()
}

// Close frees the program and its map.
func (w *Work) Close() { w.coll.Close() }
