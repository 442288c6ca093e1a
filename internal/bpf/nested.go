//go:build linux && (amd64 || arm64)

package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Action is what an outer program of a nesting does: a set.
type Action uint32

// The actions, as in nested.bpf.c.
const (
	Print  Action = 1 << iota // bpf_trace_printk
	Update                    // bpf_map_update_elem and bpf_map_delete_elem of a hash map
	Stack                     // bpf_get_stack of the kernel
	Output                    // bpf_ringbuf_output
	Spin                      // some 100 µs of bpf_ktime_get_ns, for interrupts to come
	Signal                    // bpf_send_signal_thread, of Thread.Signal
)

// MaxSlots is how many programs one Nested has counters for. SLOTS in
// nested.bpf.c.
const MaxSlots = 32

// Nested are programs that nest, with counters of their own. They count and
// act in one thread only, or in those of one process.
type Nested struct {
	spec *ebpf.CollectionSpec
	maps map[string]*ebpf.Map
	made []*ebpf.Collection
}

// Thread names a thread, or all those of a process.
type Thread struct {
	TID          uint32 // in the PID namespace; 0: all of TGID
	TGID         uint32
	NSDev, NSIno uint64 // of the PID namespace
	Signal       uint32 // one that it blocks, for the action Signal
}

// LoadNested makes the maps. Requires at least Linux 5.8 (ring buffers).
func LoadNested(of Thread) (*Nested, error) {
	s, err := loadNested()
	if err != nil {
		return nil, err
	}
	for name, v := range map[string]any{
		nestedVarWantTid: of.TID, nestedVarWantTgid: of.TGID, nestedVarPidnsDev: of.NSDev, nestedVarPidnsIno: of.NSIno, nestedVarSigno: of.Signal,
	} {
		if err := s.Variables[name].Set(v); err != nil {
			return nil, fmt.Errorf("variable %s: %w", name, err)
		}
	}
	n := &Nested{spec: s, maps: map[string]*ebpf.Map{}}
	for _, name := range []string{nestedMapActing, nestedMapCounts, nestedMapOutput, nestedMapTable} {
		m, err := ebpf.NewMap(s.Maps[name])
		if err != nil {
			n.Close()
			return nil, fmt.Errorf("map %s: %w", name, err)
		}
		n.maps[name] = m
	}
	return n, nil
}

// Load loads a program that counts in a slot and then acts. to is the function
// that it belongs to, for types that want that when loading.
func (n *Nested) Load(slot int, do Action, kind ebpf.ProgramType, how ebpf.AttachType, to string) (*ebpf.Program, error) {
	return n.load(slot, map[string]any{nestedVarAction: uint32(do)}, kind, how, to)
}

// LoadWithin loads a program that counts what happens on a processor, in
// interrupts too, in the middle of the program of slot 0.
func (n *Nested) LoadWithin(slot int, kind ebpf.ProgramType, how ebpf.AttachType, to string) (*ebpf.Program, error) {
	return n.load(slot, map[string]any{nestedVarWithin: uint32(1)}, kind, how, to)
}

func (n *Nested) load(slot int, vars map[string]any, kind ebpf.ProgramType, how ebpf.AttachType, to string) (*ebpf.Program, error) {
	if slot < 0 || slot >= MaxSlots {
		return nil, fmt.Errorf("slot %d: there are %d", slot, MaxSlots)
	}
	s := n.spec.Copy()
	vars[nestedVarSlot] = uint32(slot)
	for name, v := range vars {
		if err := s.Variables[name].Set(v); err != nil {
			return nil, fmt.Errorf("variable %s: %w", name, err)
		}
	}
	p := s.Programs[nestedProgNested]
	p.Type, p.AttachType, p.AttachTo = kind, how, to
	coll, err := ebpf.NewCollectionWithOptions(s, ebpf.CollectionOptions{MapReplacements: n.maps})
	if err != nil {
		return nil, fmt.Errorf("loading a BPF program that nests: %w", err)
	}
	n.made = append(n.made, coll)
	return coll.Programs[nestedProgNested], nil
}

// Count is how often the program of a slot ran in the thread.
func (n *Nested) Count(slot int) (uint64, error) {
	var v uint64
	if err := n.maps[nestedMapCounts].Lookup(uint32(slot), &v); err != nil {
		return 0, fmt.Errorf("reading counter %d: %w", slot, err)
	}
	return v, nil
}

// Touch updates the hash map that Update does, by bpf(2).
func (n *Nested) Touch() error { return n.maps[nestedMapTable].Put(uint32(0), uint64(0)) }

// Close frees the programs and maps.
func (n *Nested) Close() {
	for _, c := range n.made {
		c.Close()
	}
	for _, m := range n.maps {
		m.Close()
	}
}
