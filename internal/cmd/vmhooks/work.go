//go:build linux

package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"
	"unsafe"
)

// work makes each of the system calls that truths are counted by a number of
// times. Two runs of different numbers differ by just these.
func work(rounds string) error {
	n, err := strconv.Atoi(rounds)
	if err != nil {
		return err
	}
	f, err := os.OpenFile("/tmp/work", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	fd := int(f.Fd())
	buf := make([]byte, 8)
	for range n {
		for _, do := range []func() error{
			func() error { return openAndClose("/tmp/work") },
			func() error { return syscall.Fsync(fd) },
			func() error { return syscall.Fdatasync(fd) },
			func() error { _, err := syscall.Pwrite(fd, buf, 0); return err },
			func() error { _, err := syscall.Pread(fd, buf, 0); return err },
			func() error { return syscall.Kill(os.Getpid(), 0) },
			func() error { return socketAndClose() },
			func() error { var st syscall.Stat_t; return syscall.Fstat(fd, &st) },
			func() error { return syscall.Mkdir("/tmp/work.d", 0o700) },
			func() error { return syscall.Rmdir("/tmp/work.d") },
			func() error { return syscall.Mount("none", "/tmp", "tmpfs", 0, "") },
			func() error { return syscall.Unmount("/tmp", 0) },
			func() error { return syscall.Ftruncate(fd, 8) },
			func() error { return syscall.Fchmod(fd, 0o600) },
			func() error { return syscall.Symlink("x", "/tmp/work.l") },
			func() error { return syscall.Unlink("/tmp/work.l") },
			func() error { return schedGet() },
		} {
			if err := do(); err != nil {
				return err
			}
		}
	}
	fmt.Println("rounds", n)
	return nil
}

func openAndClose(path string) error {
	fd, err := syscall.Open(path, syscall.O_RDONLY, 0)
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

func socketAndClose() error {
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	return syscall.Close(fd)
}

// schedGet asks for the scheduling policy and sets it again.
func schedGet() error {
	var prio int32
	_, _, errno := syscall.Syscall(syscall.SYS_SCHED_SETSCHEDULER, 0, 0, uintptr(unsafe.Pointer(&prio)))
	if errno != 0 {
		return errno
	}
	return nil
}
