//go:build linux

// Package opener tells what a thread that waits in an open asked for.
package opener

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// Request is what a thread asked for.
type Request struct {
	Known bool   // the rest is; it is not for io_uring, 32-bit processes and other namespaces
	Write bool   // opened for writing, or to be truncated
	Path  string // as written; empty if it could not be read
}

// maxPath bounds the path that is read: PATH_MAX.
const maxPath = 4096

// sysOpenat2 has one number on all architectures.
const sysOpenat2 = 437

// Of asks about a thread. It must be waiting: what it does later is not of
// interest any more.
func Of(tid int) Request {
	if tid <= 0 {
		return Request{}
	}
	name := fmt.Sprintf("/proc/%d/syscall", tid)
	for try := 0; ; try++ {
		text, err := os.ReadFile(name)
		if err != nil {
			return Request{}
		}
		if !strings.HasPrefix(string(text), "running") || try == tries {
			return decode(string(text), memory(tid))
		}
		time.Sleep(between) // it is on its way to sleep
	}
}

// A thread that waits is told of before it sleeps.
const (
	tries   = 20
	between = 20 * time.Microsecond
)

// memory reads a thread's memory.
func memory(tid int) func([]byte, uint64) int {
	return func(b []byte, addr uint64) int {
		n, err := unix.ReadMemory(tid, b, uintptr(addr))
		if err != nil {
			return 0
		}
		return n
	}
}

// decode reads a line of /proc/PID/syscall: "running", or the number, six
// arguments, the stack pointer and the program counter.
func decode(line string, read func([]byte, uint64) int) Request {
	fields := strings.Fields(line)
	if len(fields) < 7 {
		return Request{}
	}
	number, err := strconv.Atoi(fields[0])
	if err != nil {
		return Request{}
	}
	var args [6]uint64
	for i := range args {
		if args[i], err = strconv.ParseUint(fields[1+i], 0, 64); err != nil {
			return Request{}
		}
	}
	c, ok := known(number)
	if !ok {
		return Request{}
	}
	r := Request{Known: true, Path: text(read, args[c.path])}
	switch {
	case c.write:
		r.Write = true
	case number == sysOpenat2: // struct open_how begins with the flags
		var b [8]byte
		if read(b[:], args[c.flags]) < len(b) {
			return Request{}
		}
		r.Write = writes(uint64(b[0]) | uint64(b[1])<<8 | uint64(b[2])<<16)
	case c.flags > 0:
		r.Write = writes(args[c.flags])
	}
	return r
}

func writes(flags uint64) bool {
	return flags&syscall.O_ACCMODE != syscall.O_RDONLY || flags&syscall.O_TRUNC != 0
}

// call says where a system call has its arguments.
type call struct {
	path, flags int
	write       bool
}

func known(number int) (call, bool) {
	switch number {
	case syscall.SYS_OPENAT, sysOpenat2:
		return call{path: 1, flags: 2}, true
	case syscall.SYS_EXECVE:
		return call{}, true
	case sysExecveat:
		return call{path: 1}, true
	case sysTruncate:
		return call{write: true}, true
	}
	return older(number)
}

// text reads a string of a process, up to the end of a page first: what
// follows may not be there.
func text(read func([]byte, uint64) int, addr uint64) string {
	const page = 4096
	var all []byte
	for len(all) < maxPath {
		b := make([]byte, min(page-addr%page, uint64(maxPath-len(all))))
		n := read(b, addr)
		if n <= 0 {
			return ""
		}
		if end := bytes.IndexByte(b[:n], 0); end >= 0 {
			return string(append(all, b[:end]...))
		}
		all = append(all, b[:n]...)
		addr += uint64(n)
	}
	return ""
}

// Writes tells whether a thread of the process waits to open or truncate a file
// for writing.
func Writes(pid int) bool {
	names, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		return false
	}
	for _, n := range names {
		if tid, err := strconv.Atoi(n.Name()); err == nil && Of(tid).Write {
			return true
		}
	}
	return false
}
