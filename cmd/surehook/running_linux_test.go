package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/kernel"
)

// The tests here ask the running kernel; make vmtest runs them on Debian's.

// opened is how often the program opens makes the system call openat.
const opened = 200

// opens is a program that opens files.
func opens() {
	n, err := strconv.Atoi(os.Args[1])
	if err != nil {
		os.Exit(2)
	}
	for range n {
		fd, err := syscall.Open("/proc/self/exe", syscall.O_RDONLY, 0)
		if err != nil {
			os.Exit(1)
		}
		_ = syscall.Close(fd)
	}
}

// withoutBTF is a program that runs surehook where the kernel's BTF is not there.
func withoutBTF() {
	err := errors.Join(syscall.Mount("", "/", "", syscall.MS_PRIVATE|syscall.MS_REC, ""), syscall.Mount("none", "/sys/kernel/btf", "tmpfs", 0, ""))
	if err == nil {
		err = syscall.Exec("/proc/self/exe", append([]string{"surehook"}, os.Args[1:]...), os.Environ())
	}
	fmt.Fprintln(os.Stderr, "withoutBTF:", err)
	os.Exit(125)
}

// programs are those that the tests here need.
func programs() map[string]func() { return map[string]func(){"opens": opens, "withoutBTF": withoutBTF} }

// asProgram makes a command of this binary that runs as one of the programs of
// TestMain, also for users who may not see the directory that it is in.
func asProgram(name string, args ...string) *exec.Cmd {
	return &exec.Cmd{Path: "/proc/self/exe", Args: append([]string{name}, args...), Env: append(os.Environ(), "SUREHOOK_CACHE=off")}
}

// TestKernelTrace: do_sys_open is inlined into every system call that opens a
// file, so that a plain kprobe on it sees none of them. The plan counts as often
// as the tracepoint of the system call, which is the truth.
func TestKernelTrace(t *testing.T) {
	const name = "do_sys_open"
	k := knownKernel(t)
	f, ok, err := k.Function(name)
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	if f.Class() != kernel.Selective {
		t.Skipf("%s is %s in this kernel", name, f.Class())
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(t.TempDir(), "opens")
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	cmd := asProgram("surehook", "trace", "--count", "--prove", "--format", "json", "kprobe:"+name, "tracepoint:syscalls:sys_enter_openat", "-c", program+" "+strconv.Itoa(opened))
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s%s", err, stdout.Bytes(), stderr.Bytes())
	}
	type count struct {
		Schema, Function string
		Executions       uint64
		Plain            *uint64
	}
	counts := map[string]count{}
	for line := range bytes.Lines(stdout.Bytes()) {
		var c count
		if err := json.Unmarshal(line, &c); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if strings.HasPrefix(c.Schema, "surehook.count/") {
			counts[c.Function] = c
		}
	}
	plan, truth := counts[name], counts["syscalls:sys_enter_openat"]
	if plan.Plain == nil || truth.Executions < opened {
		t.Fatalf("the truth is %d, the plain probe's count %v\n%s%s", truth.Executions, plan.Plain, stdout.Bytes(), stderr.Bytes())
	}
	if plan.Executions != truth.Executions || *plan.Plain > truth.Executions/10 {
		t.Errorf("%d calls of openat: the plan counts %d, the plain probe %d", truth.Executions, plan.Executions, *plan.Plain)
	}
}

// knownKernel is the running kernel with what the atlas knows of its build.
func knownKernel(t *testing.T) kernel.Kernel {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root")
	}
	flags := atlasFlags{}
	c, err := flags.catalogue("do_sys_open")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	list, err := c.Find(kernels.Live)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	if why := list[0].Missing(kernel.Inlining); why != "" {
		t.Skip("inlining of the running kernel is not known")
	}
	return list[0]
}

// TestKernelNotReadable: what cannot be read of the running kernel is one clear
// error; other kernels and hooks of the same run are answered.
func TestKernelNotReadable(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("needs root, to be somebody else and to cover files up")
	}
	if _, err := os.Stat("/sys/kernel/btf/vmlinux"); err != nil {
		t.Skip("this kernel has no BTF to be covered up")
	}
	nobody := &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}
	apart := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	for _, tt := range []struct {
		name, program string
		attr          *syscall.SysProcAttr
		hook, says    string
	}{
		{"without rights for kallsyms", "surehook", nobody, "kprobe:vfs_read", "/proc/kallsyms hides the addresses"},
		{"without BTF", "withoutBTF", apart, "fentry:vfs_read", "its types are not known"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			cmd := asProgram(tt.program, "check", "--fail-on", "none", "--kernel", "live", "--kernel", "debian-6.1.0-50-cloud-amd64", tt.hook, "tracepoint:sched:sched_switch")
			cmd.SysProcAttr, cmd.Dir = tt.attr, "/"
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			var status *exec.ExitError
			if err := cmd.Run(); !errors.As(err, &status) || status.ExitCode() != 2 {
				t.Errorf("%v, want exit status 2", err)
			}
			if n := strings.Count(stderr.String(), tt.says); n != 1 || strings.Count(stderr.String(), "\n") != 1 {
				t.Errorf("want one line with %q:\n%s", tt.says, stderr.Bytes())
			}
			for _, want := range []string{tt.hook, "tracepoint:sched:sched_switch", "debian-6.1.0-50-cloud-amd64"} {
				if !strings.Contains(stdout.String(), want) {
					t.Errorf("no answer for %s:\n%s", want, stdout.Bytes())
				}
			}
		})
	}
}
