package audit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/running"
)

// Probes looks at all uprobes of an inventory, in its order. Processes that may
// not be looked at are given too: they may run a file without its probes.
func Probes(inv *running.Inventory) ([]Probe, []running.Unread, error) {
	probes := collect(inv)
	if len(probes) == 0 {
		return nil, nil, nil
	}
	procs, unread, err := readProcesses()
	if err != nil {
		return nil, nil, err
	}
	mounts, err := readMounts()
	if err != nil {
		return nil, nil, err
	}
	a := auditor{procs: procs, mounts: mounts, at: map[place]int{}}
	files := make([]*file, len(probes))
	for i := range probes {
		files[i] = a.open(&probes[i])
	}
	for i := range probes {
		a.judge(&probes[i], files[i])
	}
	followed(probes)
	for _, f := range files {
		f.close()
	}
	return probes, unread, nil
}

// collect gives the uprobes, those of one attachment in one file together.
func collect(inv *running.Inventory) []Probe {
	var out []Probe
	for i := range inv.Attachments {
		att := &inv.Attachments[i]
		for _, in := range running.ByFile(att.Places) {
			out = append(out, Probe{Program: inv.Program(att.Program), Attachment: att, Kind: in.Kind, File: in.File, Offsets: in.Offsets})
		}
	}
	return out
}

// auditor is what all probes are compared with.
type auditor struct {
	procs  []process
	mounts []unix.Mount
	at     map[place]int // how many probes are said to be there
}

// place is an offset in a file.
type place struct {
	file   string // dev and inode
	offset uint64
}

// judge finds out where a probe is and who runs the file.
func (a *auditor) judge(p *Probe, f *file) {
	a.state(p, f)
	if f.ok() {
		p.Mount = a.mountOf(f)
	}
	switch p.State {
	case Gone:
		// Links of uprobe.multi follow a file that was renamed, so the old path
		// is the one that they tell.
		p.Old = a.running(func(m mapping) bool { return m.deleted && m.path == p.File.Path })
		if f.ok() {
			p.Without = a.running(f.is)
		}
	case Current:
		a.installed(p, f)
	}
}

// state decides by what the kernel tells and, where it tells only the path
// that was given, by looking whether a breakpoint is in the file at that path.
func (a *auditor) state(p *Probe, f *file) {
	multi := p.Attachment.Mechanism == running.UprobeMulti
	switch {
	case multi && p.File.Path == "/":
		p.State, p.Why = NotKnown, "it was attached through a mount of its own (open_tree): nothing tells which file it is"
	case f.err != nil && strings.HasPrefix(p.File.Path, "/proc/self/"):
		p.State, p.Why = NotKnown, "it was attached by a file descriptor that is closed: nothing tells which file it is"
	case multi && p.File.Deleted:
		p.State, p.Why = Gone, "it has no name any more"
	case f.err != nil && !multi && f.missing():
		p.State, p.Why = Gone, "there is no file at its path"
	case f.err != nil:
		p.State, p.Why = NotKnown, fmt.Sprintf("the file cannot be looked at: %v", f.err)
	case multi:
		p.State, p.Why = Current, "the kernel tells its path"
	case p.Attachment.PID != 0:
		a.confined(p, f)
	default:
		a.byBreakpoint(p, f)
	}
}

// byBreakpoint maps the file here: the kernel installs in every new mapping
// what is attached to the file.
func (a *auditor) byBreakpoint(p *Probe, f *file) {
	there, missing, err := f.breakpoints(p.Offsets)
	switch {
	case err != nil:
		p.State, p.Why = NotKnown, fmt.Sprintf("the file cannot be mapped here to see whether it has the probe: %v", err)
	case len(there) == 0:
		p.State, p.Why = Gone, "the file at its path has no breakpoint there"
	case slices.ContainsFunc(there, func(o uint64) bool { return a.at[place{f.id(), o}] > 1 }) && !f.olderThan(p.Program):
		p.State, p.Why = NotKnown, "the file has a breakpoint there, and several programs say it is theirs"
	case len(missing) > 0:
		p.State, p.Why = Current, fmt.Sprintf("the file has its breakpoints, but none at %s", hex(missing))
	default:
		p.State, p.Why = Current, "the file has its breakpoint"
	}
}

// confined looks into the only process that the probe fires in.
func (a *auditor) confined(p *Probe, f *file) {
	users := a.users(func(m mapping) bool { return f.is(m) })
	for _, u := range users {
		if u.PID != int(p.Attachment.PID) {
			continue
		}
		switch lacks, err := u.lacks(f, p.Offsets); {
		case err != nil:
			p.State, p.Why = NotKnown, fmt.Sprintf("memory of process %d: %v", u.PID, err)
		case len(lacks) == len(p.Offsets):
			p.State, p.Why = Gone, fmt.Sprintf("process %d has no breakpoint there", u.PID)
		default:
			p.State, p.Why = Current, fmt.Sprintf("process %d has the breakpoint", u.PID)
		}
		return
	}
	p.State, p.Why = NotKnown, fmt.Sprintf("only process %d is probed, and it does not run the file", p.Attachment.PID)
}

// installed looks for the breakpoints in every process that runs the file.
func (a *auditor) installed(p *Probe, f *file) {
	for _, u := range a.users(f.is) {
		if p.Attachment.PID != 0 && u.PID != int(p.Attachment.PID) {
			continue
		}
		lacks, err := u.lacks(f, p.Offsets)
		switch {
		case err != nil:
			p.Unread = append(p.Unread, u.Process)
		case len(lacks) > 0:
			p.Without = append(p.Without, u.Process)
		}
	}
}

// followed marks probes on files that are gone whose owner has one on the file
// that is there now as well: it follows updates.
func followed(probes []Probe) {
	for i := range probes {
		p := &probes[i]
		p.Followed = p.State == Gone && slices.ContainsFunc(probes, func(o Probe) bool {
			return o.State == Current && o.Kind == p.Kind && o.File.Path == p.File.Path && sameOwner(o.Attachment, p.Attachment)
		})
		if p.Followed {
			p.Without = nil
		}
	}
}

func sameOwner(a, b *running.Attachment) bool {
	return slices.ContainsFunc(a.Owners, func(x running.Owner) bool {
		return slices.ContainsFunc(b.Owners, func(y running.Owner) bool { return x.PID == y.PID })
	})
}

func (a *auditor) running(which func(mapping) bool) []Process {
	var out []Process
	for _, u := range a.users(which) {
		out = append(out, u.Process)
	}
	return out
}

// users are the processes with executable mappings of a file.
func (a *auditor) users(which func(mapping) bool) []user {
	var out []user
	for _, p := range a.procs {
		u := user{Process: p.Process}
		for _, m := range p.mappings {
			if which(m) {
				u.mappings = append(u.mappings, m)
			}
		}
		if len(u.mappings) > 0 {
			out = append(out, u)
		}
	}
	return out
}
