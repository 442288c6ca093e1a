//go:build linux

// Package roots finds the root directories that processes have besides ours:
// those of containers, and of whatever else has a mount namespace of its own
// or has called chroot.
package roots

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strconv"

	"github.com/surehook/surehook/internal/unix"
)

// ID tells roots apart: the same directory is another root where other file
// systems may be mounted below it.
type ID struct {
	Mounts uint64 // number of the mount namespace
	Dir    unix.FileID
}

// Root is a root directory with the processes that have it.
type Root struct {
	ID   ID
	PIDs []int // ascending
}

// Scanner looks through all processes again and again. What a process had
// when it was young is asked each time; older ones seldom change their root,
// and are asked in turns.
type Scanner struct {
	known map[int]process
	round int
	// Denied is how many processes the last Scan could not look at: that takes
	// CAP_SYS_PTRACE for those of others.
	Denied int
}

type process struct {
	id  ID
	err error // of asking; it may have ended
	age int   // rounds
}

const (
	young = 10 // rounds in which a process may be on its way into a container
	turns = 10 // one of so many old ones is asked in a round
)

// Scan gives the roots that processes have, but for the one of this process, in an
// order of theirs. A process is found in the first Scan after it has begun; that
// an older one has another root now, or its number stands for another
// process, within turns of them.
func (s *Scanner) Scan() ([]Root, error) {
	own, err := of("self")
	if err != nil {
		return nil, fmt.Errorf("%w; is /proc mounted?", err)
	}
	pids, err := unix.Processes()
	if err != nil {
		return nil, err
	}
	known := make(map[int]process, len(pids))
	found := map[ID][]int{}
	s.Denied = 0
	for _, pid := range pids {
		p, was := s.known[pid]
		if !was || p.age < young || (pid+s.round)%turns == 0 {
			p.id, p.err = of(strconv.Itoa(pid))
		}
		p.age++
		known[pid] = p
		switch {
		case errors.Is(p.err, fs.ErrPermission):
			s.Denied++
		case p.err == nil && p.id != own:
			found[p.id] = append(found[p.id], pid)
		}
	}
	s.known, s.round = known, s.round+1
	var list []Root
	for id, pids := range found {
		slices.Sort(pids)
		list = append(list, Root{id, pids})
	}
	slices.SortFunc(list, func(a, b Root) int { return cmp.Compare(a.PIDs[0], b.PIDs[0]) })
	return list, nil
}

// of gives the root of a process. One that has ended has none.
func of(pid string) (ID, error) {
	_, mounts, err := unix.Namespace("/proc/" + pid + "/ns/mnt")
	if err != nil {
		return ID{}, err
	}
	dir, err := unix.StatPath("/proc/" + pid + "/root")
	return ID{mounts, dir}, err
}
