//go:build linux

// Command vminit is the first process of a virtual machine of package vmtest:
// it mounts what commands expect, runs the job, writes the outcome to the
// serial line that the kernel's command line names, and powers off.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unsafe"

	"github.com/surehook/surehook/internal/vmtest"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "vminit: is the init of a virtual machine; see package vmtest")
		os.Exit(2)
	}
	if err := run(); err != nil {
		fmt.Println("vminit:", err) // the console, which the host shows
	}
	syscall.Sync()
	if err := syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF); err != nil {
		fmt.Println("vminit: power off:", err)
	}
}

func run() error {
	if err := mountAll(); err != nil {
		return err
	}
	data, err := os.ReadFile(vmtest.JobFile)
	if err != nil {
		return err
	}
	var job vmtest.Job
	if err := json.Unmarshal(data, &job); err != nil {
		return err
	}
	out := &vmtest.Outcome{Files: map[string][]byte{}}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	out.Kernel = strings.TrimSpace(string(release))
	if err := loadModules(job.Modules); err != nil {
		return err
	}
	for name, value := range job.Sysctl {
		if err := os.WriteFile(filepath.Join("/proc/sys", name), []byte(value), 0o644); err != nil {
			return err
		}
	}
	for _, s := range job.Steps {
		out.Steps = append(out.Steps, do(s))
	}
	for _, name := range job.Collect {
		data, err := os.ReadFile(name)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		out.Files[name] = data
	}
	port, err := os.OpenFile(filepath.Join("/dev", os.Getenv("vmtest_port")), os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(out.Encode(port), port.Close())
}

// loadModules loads modules in their order.
func loadModules(paths []string) error {
	none := []byte{0} // no parameters
	for _, p := range paths {
		data, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		_, _, errno := syscall.Syscall(syscall.SYS_INIT_MODULE, uintptr(unsafe.Pointer(unsafe.SliceData(data))), uintptr(len(data)), uintptr(unsafe.Pointer(unsafe.SliceData(none))))
		if errno != 0 && errno != syscall.EEXIST {
			return fmt.Errorf("loading %s: %w", p, errno)
		}
	}
	return nil
}

// mountAll mounts what a running system has.
func mountAll() error {
	for _, m := range []struct {
		kind, at string
		needed   bool
	}{
		{"proc", "/proc", true},
		{"sysfs", "/sys", true},
		{"devtmpfs", "/dev", true},
		{"tmpfs", "/tmp", true},
		{"cgroup2", "/sys/fs/cgroup", false},
		{"bpf", "/sys/fs/bpf", false},
		{"securityfs", "/sys/kernel/security", false},
		{"tracefs", "/sys/kernel/tracing", false},
		{"debugfs", "/sys/kernel/debug", false},
	} {
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil && m.needed {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	for name, to := range map[string]string{"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2"} {
		if err := os.Symlink(to, filepath.Join("/dev", name)); err != nil {
			return err
		}
	}
	return nil
}
