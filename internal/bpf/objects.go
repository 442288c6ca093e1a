//go:build linux && (amd64 || arm64)

package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// Objects are a loaded program and its maps.
type Objects struct {
	Hit  *ebpf.Program
	Ring *ebpf.Map

	// With Config.Family, for the raw tracepoints sched_process_fork and
	// sched_process_exit.
	Forked, Exited *ebpf.Program

	coll *ebpf.Collection
	spec *ebpf.CollectionSpec
	more []*ebpf.Collection
}

// rodata is the map of the program's constants: each instance has its own.
const rodata = ".rodata"

// Load loads the program for c.
func Load(c Config) (*Objects, error) {
	s, err := spec(c)
	if err != nil {
		return nil, fmt.Errorf("BPF program: %w", err)
	}
	main := s.Copy()
	delete(main.Programs, surehookProgFired)
	coll, err := ebpf.NewCollection(main)
	if err != nil {
		return nil, fmt.Errorf("loading the BPF program: %w", err)
	}
	return &Objects{
		Hit: coll.Programs[surehookProgHit], Ring: coll.Maps[surehookMapRing],
		Forked: coll.Programs[surehookProgForked], Exited: coll.Programs[surehookProgExited],
		coll: coll, spec: s,
	}, nil
}

// Fixed loads another instance of the program that shares the maps and works
// on one cookie, for kernels that cannot tell a program its cookie.
func (o *Objects) Fixed(cookie uint64) (*ebpf.Program, error) {
	return o.instance(surehookProgHit, &cookie, func(*ebpf.ProgramSpec) {})
}

// Multi loads another instance that shares the maps, for kprobe_multi links.
func (o *Objects) Multi() (*ebpf.Program, error) {
	return o.instance(surehookProgHit, nil, func(p *ebpf.ProgramSpec) { p.AttachType = ebpf.AttachTraceKprobeMulti })
}

// Fired loads a program that counts for one cookie whenever it runs, for what
// is no breakpoint: fentry, tracepoints, LSM hooks. to is the function that it
// belongs to, for types that want that when loading.
func (o *Objects) Fired(cookie uint64, kind ebpf.ProgramType, how ebpf.AttachType, to string) (*ebpf.Program, error) {
	return o.instance(surehookProgFired, &cookie, func(p *ebpf.ProgramSpec) { p.Type, p.AttachType, p.AttachTo = kind, how, to })
}

// instance loads a program once more, with the maps of the first.
func (o *Objects) instance(name string, cookie *uint64, change func(*ebpf.ProgramSpec)) (*ebpf.Program, error) {
	s := o.spec.Copy()
	for other := range s.Programs {
		if other != name {
			delete(s.Programs, other)
		}
	}
	change(s.Programs[name])
	if cookie != nil {
		if err := s.Variables[surehookVarFixedCookie].Set(uint32(1)); err != nil {
			return nil, err
		}
		if err := s.Variables[surehookVarFixedCookieValue].Set(*cookie); err != nil {
			return nil, err
		}
	}
	shared := map[string]*ebpf.Map{}
	for name, m := range o.coll.Maps {
		if name == rodata {
			continue
		}
		s.Maps[name].Contents = nil
		shared[name] = m
	}
	coll, err := ebpf.NewCollectionWithOptions(s, ebpf.CollectionOptions{MapReplacements: shared})
	if err != nil {
		return nil, fmt.Errorf("loading a BPF program for one probe: %w", err)
	}
	o.more = append(o.more, coll)
	return coll.Programs[name], nil
}

// Count is what one entry counted, over all CPUs.
type Count struct {
	Hits      uint64 // the condition held
	Undecided uint64 // the condition could not be decided
}

// Counts gives the counts by entry.
func (o *Objects) Counts() ([]Count, error) {
	m := o.coll.Maps[surehookMapCounters]
	counts := make([]Count, m.MaxEntries())
	var perCPU []counter
	for i := range counts {
		if err := m.Lookup(uint32(i), &perCPU); err != nil {
			return nil, fmt.Errorf("reading counter %d: %w", i, err)
		}
		for _, c := range perCPU {
			counts[i].Hits += c.Hits
			counts[i].Undecided += c.Undecided
		}
	}
	return counts, nil
}

// Lost is how many events did not fit the ring.
func (o *Objects) Lost() (uint64, error) { return o.sum(surehookMapLost) }

// Strayed is how many descendants could not be followed.
func (o *Objects) Strayed() (uint64, error) { return o.sum(surehookMapStrayed) }

// sum adds up a map of one number a CPU.
func (o *Objects) sum(name string) (uint64, error) {
	var perCPU []uint64
	if err := o.coll.Maps[name].Lookup(uint32(0), &perCPU); err != nil {
		return 0, fmt.Errorf("reading the %s counter: %w", name, err)
	}
	var sum uint64
	for _, n := range perCPU {
		sum += n
	}
	return sum, nil
}

// Close frees the programs and maps.
func (o *Objects) Close() error {
	o.coll.Close()
	for _, c := range o.more {
		c.Close()
	}
	return nil
}
