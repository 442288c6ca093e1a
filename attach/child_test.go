//go:build linux && (amd64 || arm64)

package attach

import (
	"bufio"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"unsafe"

	"github.com/surehook/surehook/attach/internal/branches"
	"github.com/surehook/surehook/internal/child"
)

// childVar makes the test binary a traced process: the role to play.
const childVar = "SUREHOOK_ATTACH_CHILD"

func TestMain(m *testing.M) {
	if role := os.Getenv(childVar); role != "" {
		os.Exit(playRole(role))
	}
	os.Exit(m.Run())
}

func playRole(role string) int {
	name, arg, _ := strings.Cut(role, ":")
	n, _ := strconv.Atoi(arg)
	switch name {
	case "call": // n calls, when told to on stdin
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadByte()
		callPlain(n)
	case "threads": // n calls in each of 4 threads
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadByte()
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				runtime.LockOSThread()
				callPlain(n)
			})
		}
		wg.Wait()
	case "mkdir": // makes and removes a directory n times
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadByte()
		if err := makeDirs(n); err != nil {
			fmt.Println(err)
			return 1
		}
	case "family": // 10 calls, and as many in n generations of children
		fmt.Println("ready")
		bufio.NewReader(os.Stdin).ReadByte()
		callPlain(10)
		if n > 0 {
			cmd := exec.Command("/proc/self/exe") // its stdin is at its end
			cmd.Env = append(os.Environ(), fmt.Sprintf("%s=family:%d", childVar, n-1))
			if err := cmd.Run(); err != nil {
				fmt.Println(err)
				return 1
			}
		}
	case "nested": // as process 1 of a PID namespace
		if err := traceNested(); err != nil {
			fmt.Println(err)
			return 1
		}
	case "absent": // n calls with R[3] leading to memory never touched before
		if err := callAbsent(n); err != nil {
			fmt.Println(err)
			return 1
		}
	case "redzone": // calls of the code in a file
		if err := callRedZone(arg); err != nil {
			fmt.Println(err)
			return 1
		}
	case "branches":
		json.NewEncoder(os.Stdout).Encode(takeBranches())
	case "privilege": // what Open says, and the hits of 10 calls
		printPrivilege()
	default:
		return 1
	}
	return 0
}

func printPrivilege() {
	taken, _ := branches.Plain()
	off, err := offsetOf(taken)
	if err != nil {
		fmt.Println(err)
		return
	}
	s, err := Open([]Plan{{Path: "/proc/self/exe", Probes: []Probe{{Offset: off}}}}, Options{PID: os.Getpid()})
	if err != nil {
		fmt.Println(errors.Is(err, ErrNotPermitted), err)
		return
	}
	defer s.Close()
	callPlain(10)
	c, err := s.Counts()
	fmt.Println(false, err, c[0][0])
}

// traceNested traces itself where process numbers are others than the kernel's.
func traceNested() error {
	// The new /proc stacks on the old one and must not propagate. In a chroot
	// "/" is no mount point, /proc is one everywhere.
	if err := syscall.Mount("", "/proc", "", syscall.MS_PRIVATE, ""); err != nil {
		return err
	}
	if err := syscall.Mount("proc", "/proc", "proc", 0, ""); err != nil {
		return err
	}
	taken, _ := branches.Plain()
	off, err := offsetOf(taken)
	if err != nil {
		return err
	}
	for _, perf := range []bool{false, true} {
		s, err := Open([]Plan{{Path: "/proc/self/exe", Probes: []Probe{{Offset: off}}}}, Options{PID: os.Getpid(), PerfEvents: perf})
		if err != nil {
			return err
		}
		callPlain(10)
		c, err := s.Counts()
		if err := errors.Join(err, s.Close()); err != nil {
			return err
		}
		fmt.Println(os.Getpid(), c[0][0])
	}
	return nil
}

func callPlain(n int) {
	taken, _ := branches.Plain()
	for range n {
		branches.Call(taken, &branches.Regs{})
	}
}

// callAbsent maps a file with a pointer 5 bytes after the stub anew for every
// call: the page is in the file cache, not in the process.
func callAbsent(n int) error {
	taken, _ := branches.Plain()
	f, err := os.CreateTemp("", "surehook-absent")
	if err != nil {
		return err
	}
	defer f.Close()
	if err := os.Remove(f.Name()); err != nil {
		return err
	}
	if err := binary.Write(f, binary.NativeEndian, uint64(taken+5)); err != nil {
		return err
	}
	for range n {
		m, err := syscall.Mmap(int(f.Fd()), 0, os.Getpagesize(), syscall.PROT_READ, syscall.MAP_PRIVATE)
		if err != nil {
			return err
		}
		var r branches.Regs
		r.R[3] = uint64(uintptr(unsafe.Pointer(unsafe.SliceData(m))))
		branches.Call(taken, &r)
		if err := syscall.Munmap(m); err != nil {
			return err
		}
	}
	return nil
}

// arms are how often a stub was called and its branch taken.
type arms struct{ Calls, Taken uint64 }

func takeBranches() []arms {
	var table [2]uintptr
	var out []arms
	for _, s := range branches.Stubs(&table) {
		var a arms
		for i := range s.Sets {
			a.Calls++
			a.Taken += branches.Call(s.Addr, &s.Sets[i])
		}
		out = append(out, a)
	}
	runtime.KeepAlive(&table)
	return out
}

// traced is a process of this very binary.
type traced struct{ *child.Child }

// start starts one that waits until its input is
// shut before it does anything.
func start(t *testing.T, role string) traced {
	t.Helper()
	cmd := exec.Command(self(t))
	cmd.Env = append(os.Environ(), childVar+"="+role)
	cmd.Stderr = os.Stderr
	c, err := child.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	if line, err := c.Hear(); line != "ready" {
		t.Fatalf("child says %q, %v", line, err)
	}
	return traced{c}
}

// finish lets the child do its work and waits for its end.
func (c traced) finish(t *testing.T) {
	t.Helper()
	if err := c.End(); err != nil {
		t.Fatalf("child: %v", err)
	}
}

// run plays a role to its end and gives what it printed.
func run(t *testing.T, role string) []byte {
	t.Helper()
	return runAs(t, role, nil)
}

// runAs is run with attributes for the process.
func runAs(t *testing.T, role string, attr *syscall.SysProcAttr) []byte {
	t.Helper()
	cmd := exec.Command(self(t))
	cmd.SysProcAttr = attr
	cmd.Env = append(os.Environ(), childVar+"="+role)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("child %s: %v: %s", role, err, out)
	}
	return out
}

func self(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// fileOffset is where an address of this process's code is in its file.
func fileOffset(t *testing.T, addr uintptr) uint64 {
	t.Helper()
	off, err := offsetOf(addr)
	if err != nil {
		t.Fatal(err)
	}
	return off
}

func offsetOf(addr uintptr) (uint64, error) {
	maps, err := os.ReadFile("/proc/self/maps")
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(maps)) {
		var low, high uintptr
		var perm string
		var off uint64
		if n, _ := fmt.Sscanf(line, "%x-%x %s %x", &low, &high, &perm, &off); n == 4 && low <= addr && addr < high {
			return uint64(addr-low) + off, nil
		}
	}
	return 0, fmt.Errorf("no mapping has %#x", addr)
}

// needsKernel skips where nothing can be attached.
func needsKernel(t *testing.T) abilities {
	t.Helper()
	can, err := detect()
	if errors.Is(err, ErrNotPermitted) || errors.Is(err, ErrNotSupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return can
}
