//go:build linux && (amd64 || arm64)

package bpf

import (
	"fmt"
	"sync"

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
	mu   sync.Mutex
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
	coll, err := ebpf.NewCollectionWithOptions(main, ebpf.CollectionOptions{MapReplacements: c.Pinned.maps()})
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
	if cookie != nil {
		if err := s.Variables[surehookVarFixedCookie].Set(uint32(1)); err != nil {
			return nil, err
		}
		if err := s.Variables[surehookVarFixedCookieValue].Set(*cookie); err != nil {
			return nil, err
		}
	}
	return o.load(s, name, change)
}

// load loads the program of that name alone, with the maps of the first.
func (o *Objects) load(s *ebpf.CollectionSpec, name string, change func(*ebpf.ProgramSpec)) (*ebpf.Program, error) {
	for other := range s.Programs {
		if other != name {
			delete(s.Programs, other)
		}
	}
	change(s.Programs[name])
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
	o.mu.Lock()
	defer o.mu.Unlock()
	o.more = append(o.more, coll)
	return coll.Programs[name], nil
}

// Count is what one entry counted, over all CPUs.
type Count struct {
	Hits      uint64 // the condition held
	Undecided uint64 // the condition could not be decided
}

// Sleepable loads another instance that shares the maps and may fault pages
// in, for uprobe_multi links.
func (o *Objects) Sleepable() (*ebpf.Program, error) {
	s := o.spec.Copy()
	if err := s.Variables[surehookVarSleepable].Set(flag(true)); err != nil {
		return nil, err
	}
	return o.load(s, surehookProgHit, func(p *ebpf.ProgramSpec) { p.Flags |= sleepableFlag })
}

// Put writes entries down from the first on, and sets their counters to 0. No
// program may be running for them.
func (o *Objects) Put(first uint32, entries []Entry) error {
	m, counters := o.coll.Maps[surehookMapEntries], o.coll.Maps[surehookMapCounters]
	cpus, err := ebpf.PossibleCPU()
	if err != nil {
		return err
	}
	zero := make([]counter, cpus)
	for i := range entries {
		at := first + uint32(i)
		if err := m.Put(at, &entries[i]); err != nil {
			return fmt.Errorf("writing entry %d: %w", at, err)
		}
		if err := counters.Put(at, zero); err != nil {
			return fmt.Errorf("clearing counter %d: %w", at, err)
		}
	}
	return nil
}

// Counts gives the counts of n entries from the first on.
func (o *Objects) Counts(first uint32, n int) ([]Count, error) {
	m := o.coll.Maps[surehookMapCounters]
	counts := make([]Count, n)
	var perCPU []counter
	for i := range counts {
		if err := m.Lookup(first+uint32(i), &perCPU); err != nil {
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
