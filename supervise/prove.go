//go:build linux && (amd64 || arm64)

package supervise

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/surehook/surehook/internal/unix"
	"github.com/surehook/surehook/supervise/internal/mapped"
)

// doubt has a build's installation proven in all processes.
func (s *Supervisor) doubt(b *build) {
	select {
	case s.doubts <- b:
	default: // as many wait already; those that come later are proven then
	}
}

// provePause bounds how often all processes are looked through.
const provePause = time.Second

// prove reads the breakpoints back in the processes that have a build mapped:
// that the kernel took a probe does not mean that it could install it there.
func (s *Supervisor) prove() {
	for {
		var list []*build
		select {
		case <-s.stop:
			return
		case b := <-s.doubts:
			list = append(list, b)
		}
		select {
		case <-s.stop:
			return
		case <-time.After(provePause):
		}
		for more := true; more; {
			select {
			case b := <-s.doubts:
				list = append(list, b)
			default:
				more = false
			}
		}
		s.proveAll(list)
	}
}

// installTime is more than the kernel needs between making a mapping and its
// breakpoints.
const installTime = 20 * time.Millisecond

// claim is what should be in the memory of processes.
type claim struct {
	build   *build
	number  int
	file    mapped.File
	offsets []uint64
}

func (s *Supervisor) proveAll(list []*build) {
	var claims []claim
	var files []mapped.File
	seen := map[*build]bool{}
	s.turn.Lock()
	for _, b := range list {
		if seen[b] || b.state != probed || s.builds[b.id] != b {
			continue
		}
		seen[b] = true
		c := claim{build: b, number: b.number, file: b.mapped(), offsets: b.offsets()}
		claims, files = append(claims, c), append(files, c.file)
	}
	s.turn.Unlock()
	users, err := mapped.Find(files, false)
	if err != nil {
		s.log.Warn("looking for processes", "err", err)
		return
	}
	for i, c := range claims {
		for _, u := range users[i] {
			s.proveIn(c, u)
		}
	}
}

// offsets are where the build has probes.
func (b *build) offsets() []uint64 {
	var list []uint64
	for _, set := range b.sets {
		if set.closed || set.session == nil {
			continue
		}
		for i, p := range set.tally.Plans()[0].Probes {
			if set.failed[i] == nil {
				list = append(list, p.Offset)
			}
		}
	}
	return list
}

func (s *Supervisor) proveIn(c claim, u mapped.User) {
	missing, ok := lacking(c.build.file, u, c.offsets)
	if !ok || missing == 0 {
		return
	}
	// A mapping is seen before the kernel puts breakpoints into it.
	time.Sleep(installTime)
	if u.Areas = mapped.Of(u.PID, c.file); len(u.Areas) == 0 {
		return
	}
	if missing, ok = lacking(c.build.file, u, c.offsets); !ok || missing == 0 {
		return
	}
	s.turn.Lock()
	defer s.turn.Unlock()
	if s.builds[c.build.id] != c.build || c.build.state != probed || c.build.number != c.number {
		return // they were taken off meanwhile
	}
	err := fmt.Errorf("attached but not installed in process %d: no breakpoint at file offset %#x", u.PID, missing)
	s.tell(Finding{when: when(time.Now()), Kind: NotInstalled, Path: c.build.path, Target: s.target(c.build.path), Build: c.number, PID: u.PID, Err: err})
}

// lacking gives the first file offset of a process's mapping where memory is as
// the file is: there is neither a breakpoint nor the call that the kernel makes of
// one. ok is false when it could not be read (the process has ended).
func lacking(file io.ReaderAt, u mapped.User, offsets []uint64) (offset uint64, ok bool) {
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", u.PID))
	if err != nil {
		return 0, false
	}
	defer mem.Close()
	got := make([]byte, len(unix.Breakpoint()))
	was := make([]byte, len(got))
	for _, off := range offsets {
		for _, a := range u.Areas {
			if !a.Exec || off < a.Offset || off >= a.Offset+a.End-a.Start {
				continue
			}
			if _, err := mem.ReadAt(got, int64(a.Start+off-a.Offset)); err != nil {
				return 0, false
			}
			if _, err := file.ReadAt(was, int64(off)); err != nil {
				return 0, false
			}
			if bytes.Equal(got, was) {
				return off, true
			}
		}
	}
	return 0, true
}
