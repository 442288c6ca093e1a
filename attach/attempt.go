//go:build linux && (amd64 || arm64)

package attach

import (
	"errors"
	"os"
	"slices"
)

// attempt is the attaching of one plan.
type attempt struct {
	s    *Session
	t    *target
	left []breakpoint // not known to be impossible, by offset
}

// run attaches what is left and proves it.
//
// A link that is confined to a process installs nothing in ours, where it
// could be looked at: that is rehearsed with ourselves as the process.
func (a *attempt) run() error {
	m, pid := a.s.mech, 0
	if a.s.linkPID {
		pid = a.s.opts.PID
		if err := a.rehearse(); err != nil {
			return err
		}
	}
	if len(a.left) == 0 {
		return nil
	}
	keep := a.s.opts.BestEffort
	if keep && m.perProcess() {
		// Rather than have it search for each one that is impossible, find
		// them all at once.
		links, faults, err := m.attach(a.t, a.left, pid, false)
		if err != nil {
			return err
		}
		if len(faults) == 0 {
			a.s.links = append(a.s.links, links...)
			return a.prove(pid)
		}
		if err := a.rehearse(); err != nil {
			return err
		}
	}
	links, faults, err := m.attach(a.t, a.left, pid, keep)
	if err != nil {
		return err
	}
	a.s.links = append(a.s.links, links...)
	if err := a.drop(faults); err != nil {
		return err
	}
	return a.prove(pid)
}

// rehearse attaches to this process alone and drops what did not get in.
func (a *attempt) rehearse() error {
	links, faults, err := a.s.mech.attach(a.t, a.left, os.Getpid(), a.s.opts.BestEffort)
	if err != nil {
		return err
	}
	err = a.drop(faults)
	if err == nil {
		err = a.prove(0)
	}
	return errors.Join(err, closers(links).Close())
}

// prove drops what is not installed, if that can be seen.
func (a *attempt) prove(pid int) error {
	if pid != 0 {
		return nil // rehearsed
	}
	missing, ok, err := a.t.verify(a.left)
	if err != nil {
		return err
	}
	if !ok && !slices.Contains(a.s.unverified, a.t.plan) {
		a.s.unverified = append(a.s.unverified, a.t.plan)
	}
	var faults []fault
	for _, b := range missing {
		faults = append(faults, fault{b, a.t.fault(b,
			"the kernel accepted it but installs no breakpoint: this instruction cannot be probed", ErrNotInstalled)})
	}
	return a.drop(faults)
}

// drop takes the faults' breakpoints off the list: failures under
// BestEffort, otherwise the first is the error.
func (a *attempt) drop(faults []fault) error {
	if len(faults) == 0 {
		return nil
	}
	if !a.s.opts.BestEffort {
		return faults[0].err
	}
	gone := map[uint32]bool{}
	for _, f := range faults {
		gone[f.b.first] = true
		for i := f.b.first; i < f.b.first+f.b.count; i++ {
			e := *f.err
			e.Probe = a.t.slots[i].probe
			a.s.failures = append(a.s.failures, Failure{Plan: e.Plan, Probe: e.Probe, Err: &e})
		}
	}
	var left []breakpoint
	for _, b := range a.left {
		if !gone[b.first] {
			left = append(left, b)
		}
	}
	a.left = left
	return nil
}
