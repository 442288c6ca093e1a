//go:build linux && (amd64 || arm64)

package bpf

import (
	"fmt"

	"github.com/cilium/ebpf"
)

// MaxGroup is how many entries one cookie can name. MAX_GROUP in
// surehook.bpf.c.
const MaxGroup = 16

// Config is what a program is built for. It is constant once loaded: the
// verifier drops what is not asked for, and with it helpers that an older
// kernel does not have.
type Config struct {
	Entries   []Entry
	Room      int // for so many entries, if more than Entries; Objects.Put
	Events    bool
	RingBytes int // a power of two and whole pages; with Events

	TGID         uint32 // only this process; 0: every process
	NSDev, NSIno uint64 // TGID is of this PID namespace; 0: of the initial one
	// Family takes in the processes that TGID forks, and theirs. Requires
	// the kernel's BTF (CONFIG_DEBUG_INFO_BTF).
	Family bool

	// Cookie replaces bpf_get_attach_cookie, which needs Linux 5.15.
	Cookie *uint64
	// Multi builds the program for uprobe_multi links, otherwise for perf
	// events.
	Multi bool
	// Sleepable lets the program fault pages in. With Multi; the program alone
	// loads since Linux 6.0.
	Sleepable bool
	// Pinned are maps of a former process, which take the place of new ones.
	Pinned *Pinned
	// Kernel means that code of the kernel is probed, which the program's own
	// helpers may run.
	Kernel bool
}

// maxFamily is how many descendants are followed at a time: twice the usual
// kernel.pid_max, some 5 MB of the kernel's memory.
const maxFamily = 1 << 16

// sleepableFlag is BPF_F_SLEEPABLE of the kernel's bpf.h.
const sleepableFlag = 1 << 4

// counter is struct counter in surehook.bpf.c.
type counter struct{ Hits, Undecided uint64 }

// spec gives the program and its maps, ready to load.
func spec(c Config) (*ebpf.CollectionSpec, error) {
	s, err := loadSurehook()
	if err != nil {
		return nil, err
	}
	if err := setVariables(s, c); err != nil {
		return nil, err
	}
	n := uint32(max(len(c.Entries), c.Room, 1))
	if c.Pinned != nil {
		n = c.Pinned.entries.MaxEntries()
	}
	s.Maps[surehookMapCounters].MaxEntries = n
	entries := s.Maps[surehookMapEntries]
	entries.MaxEntries = n
	for i := range c.Entries {
		entries.Contents = append(entries.Contents, ebpf.MapKV{Key: uint32(i), Value: c.Entries[i]})
	}
	ring := s.Maps[surehookMapRing]
	if c.Events {
		ring.MaxEntries = uint32(c.RingBytes)
	} else {
		// Counting alone must not need Linux 5.8: a map of a type that
		// exists everywhere stands in, no code refers to it.
		ring.Type, ring.KeySize, ring.ValueSize, ring.MaxEntries = ebpf.Array, 4, 4, 1
	}
	if c.Family {
		s.Maps[surehookMapFamily].MaxEntries = maxFamily
	} else {
		delete(s.Programs, surehookProgForked)
		delete(s.Programs, surehookProgExited)
	}
	prog := s.Programs[surehookProgHit]
	if c.Multi {
		prog.AttachType = ebpf.AttachTraceUprobeMulti
	}
	if c.Sleepable {
		prog.Flags |= sleepableFlag
	}
	return s, nil
}

func setVariables(s *ebpf.CollectionSpec, c Config) error {
	values := map[string]any{
		surehookVarWantEvents: flag(c.Events),
		surehookVarWantTgid:   c.TGID,
		surehookVarPidnsDev:   c.NSDev,
		surehookVarPidnsIno:   c.NSIno,
		surehookVarWantFamily: flag(c.Family),
		surehookVarSleepable:  flag(c.Sleepable),
		surehookVarInKernel:   flag(c.Kernel),
	}
	if c.Cookie != nil {
		values[surehookVarFixedCookie] = flag(true)
		values[surehookVarFixedCookieValue] = *c.Cookie
	}
	for name, v := range values {
		if err := s.Variables[name].Set(v); err != nil {
			return fmt.Errorf("variable %s: %w", name, err)
		}
	}
	return nil
}

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
