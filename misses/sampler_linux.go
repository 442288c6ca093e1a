package misses

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/running"
)

// Sampler reads samples one after the other. What does not change, where
// programs are attached and who holds them, is read again only when a program
// or link comes or goes.
type Sampler struct {
	abilities *Abilities
	inv       *running.Inventory
	programs  []uint32 // numbers of all, when inv was read
	links     []uint32
}

// NewSampler makes a sampler that judges by a self-test.
func NewSampler(a *Abilities) *Sampler { return &Sampler{abilities: a} }

// Abilities are what the sampler judges by.
func (s *Sampler) Abilities() *Abilities { return s.abilities }

// Read takes a sample. The error is running.ErrNotPermitted for want of
// privilege.
func (s *Sampler) Read() (*Sample, error) {
	programs, links, err := numbers()
	if err != nil {
		return nil, err
	}
	if s.inv == nil || !slices.Equal(programs, s.programs) || !slices.Equal(links, s.links) {
		if s.inv, err = running.Read(running.Options{}); err != nil {
			return nil, err
		}
		s.programs, s.links = programs, links
	} else if err := s.refresh(); err != nil {
		return nil, err
	}
	return &Sample{Time: time.Now(), Programs: Account(s.inv, s.abilities, statsEnabled())}, nil
}

// Inventory is what the last sample was made from; nil before the first.
func (s *Sampler) Inventory() *running.Inventory { return s.inv }

// Unread is what the last sample could not look at.
func (s *Sampler) Unread() []running.Unread {
	if s.inv == nil {
		return nil
	}
	return s.inv.Unread
}

func numbers() (programs, links []uint32, err error) {
	if programs, err = unix.ProgramIDs(); err != nil {
		if errors.Is(err, os.ErrPermission) {
			return nil, nil, running.ErrNotPermitted
		}
		return nil, nil, fmt.Errorf("listing BPF programs: %w", err)
	}
	links, err = unix.LinkIDs()
	if err != nil && !errors.Is(err, syscall.EINVAL) { // before Linux 5.8
		return nil, nil, fmt.Errorf("listing BPF links: %w", err)
	}
	return programs, links, nil
}

// refresh reads the counters again. What is gone meanwhile keeps its numbers
// until the next sample.
func (s *Sampler) refresh() error {
	for i := range s.inv.Programs {
		p := &s.inv.Programs[i]
		info, err := unix.ProgramByID(p.ID)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("BPF program %d: %w", p.ID, err)
		}
		p.Runs, p.RunTime = info.Runs, info.RunTime
		if info.HasSkipped {
			p.Skipped.N = info.Skipped
		}
	}
	for i := range s.inv.Attachments {
		a := &s.inv.Attachments[i]
		if a.Link == 0 || !linked(kindOf(*a)) {
			continue
		}
		_, n, err := unix.LinkMissed(a.Link)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return fmt.Errorf("BPF link %d: %w", a.Link, err)
		}
		if a.Missed.NotKnown == "" {
			a.Missed.N = n
		}
	}
	return nil
}

// statsEnabled tells whether the kernel counts runs of programs.
func statsEnabled() bool {
	data, err := os.ReadFile("/proc/sys/kernel/bpf_stats_enabled")
	return err == nil && strings.TrimSpace(string(data)) == "1"
}
