//go:build linux && (amd64 || arm64)

package supervise_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"github.com/surehook/surehook/supervise"
)

const sharedVar = "SUREHOOK_SUPERVISE_SHARED"

// mapShared maps a file's text as the kernel never probes it (valid_vma).
func mapShared(path string) int {
	f, err := os.OpenFile(path, os.O_RDONLY, 0)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	info, err := f.Stat()
	if err != nil {
		fmt.Println(err)
		return 1
	}
	_, err = syscall.Mmap(int(f.Fd()), 0, int(info.Size()), syscall.PROT_READ|syscall.PROT_EXEC, syscall.MAP_SHARED)
	fmt.Println("mapped", err)
	bufio.NewReader(os.Stdin).ReadByte()
	return 0
}

// A process that has the build without its breakpoints is told; one that has them
// is not.
func TestNotInstalled(t *testing.T) {
	l := newLab(t, supervise.Options{})
	l.put(l.path(), 0, 1)
	good := l.stepper(l.path())
	good.step("")
	bad := exec.Command("/proc/self/exe")
	bad.Env = append(os.Environ(), sharedVar+"="+l.path())
	in, err := bad.StdinPipe()
	l.ok(err)
	out, err := bad.StdoutPipe()
	l.ok(err)
	l.ok(bad.Start())
	defer func() { in.Close(); bad.Wait() }()
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "mapped <nil>\n" {
		t.Fatalf("%q, %v", line, err)
	}
	l.add(l.path())
	l.await("not installed", func(e supervise.Event) bool {
		f, ok := e.(supervise.Finding)
		return ok && f.Kind == supervise.NotInstalled && f.PID == bad.Process.Pid
	})
	for _, e := range l.all() {
		if f, ok := e.(supervise.Finding); ok && f.PID == good.cmd.Process.Pid {
			t.Errorf("told of a process that has them: %v", f)
		}
	}
}
