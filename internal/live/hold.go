//go:build unix

package live

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"syscall"

	"github.com/surehook/surehook/internal/unix"
)

// heldName is the argv[0] of a process that waits to become a command. Its
// further arguments: the descriptors of both pipes of hold, the path of the
// program, the command's words.
const heldName = "surehook (waits to run a command)"

// exitHeld is the status of a process that did not become its command.
const exitHeld = 127

// Held makes the process that Start has started wait and then be the command;
// in every other it returns at once. A program that calls Start calls it
// before anything else.
func Held() {
	if len(os.Args) < 5 || os.Args[0] != heldName {
		return
	}
	// A uprobe_multi link for one process knows it by its first thread's task.
	// When another thread executes a program that task is gone, and the link
	// installs nothing more.
	runtime.LockOSThread()
	if !unix.FirstThread() {
		if program, err := self(); err == nil {
			_ = syscall.Exec(program, os.Args, os.Environ()) // once more, now as the first
		}
		os.Exit(exitHeld)
	}
	become(os.Args[1], os.Args[2], os.Args[3], os.Args[4:])
	os.Exit(exitHeld)
}

// become returns when there is nothing to become.
func become(letFD, whyFD, path string, words []string) {
	let, err := strconv.Atoi(letFD)
	if err != nil {
		return
	}
	why, err := strconv.Atoi(whyFD)
	if err != nil {
		return
	}
	syscall.CloseOnExec(let)
	syscall.CloseOnExec(why)
	n, err := 0, error(syscall.EINTR)
	for err == syscall.EINTR {
		n, err = syscall.Read(let, make([]byte, 1))
	}
	if n != 1 || err != nil {
		return // given up, or whoever should let go has ended
	}
	err = syscall.Exec(path, words, os.Environ())
	if code := syscall.Errno(0); errors.As(err, &code) {
		_, _ = syscall.Write(why, []byte(strconv.Itoa(int(code))))
	}
}

// hold are the ends of two pipes to a process that waits.
type hold struct {
	let *os.File // a byte lets the process be the command, closing ends it
	why *os.File // gives the errno if the program could not be executed
	// ends are the other ends. They are inherited under their numbers, which
	// nothing that this process has inherited itself can have;
	// exec.Cmd.ExtraFiles would take the command's descriptors 3 and 4 away.
	ends []int
}

func newHold() (h *hold, err error) {
	h = &hold{}
	defer func() {
		if err != nil {
			h.close()
		}
	}()
	wait, let, err := os.Pipe()
	if err != nil {
		return h, err
	}
	defer wait.Close()
	h.let = let
	why, fail, err := os.Pipe()
	if err != nil {
		return h, err
	}
	defer fail.Close()
	h.why = why
	for _, f := range []*os.File{wait, fail} {
		fd, err := syscall.Dup(int(f.Fd())) // without close-on-exec
		if err != nil {
			return h, os.NewSyscallError("dup", err)
		}
		h.ends = append(h.ends, fd)
	}
	return h, nil
}

// self is a path to this very program, also when its file is gone.
func self() (string, error) {
	if runtime.GOOS == "linux" {
		return "/proc/self/exe", nil
	}
	return os.Executable()
}

// args are those of the process that waits.
func (h *hold) args(path string, words []string) []string {
	return append([]string{heldName, strconv.Itoa(h.ends[0]), strconv.Itoa(h.ends[1]), path}, words...)
}

// started closes what only the process needs.
func (h *hold) started() {
	for _, fd := range h.ends {
		_ = syscall.Close(fd)
	}
	h.ends = nil
}

// release lets the process be its command. The error is that of execve; a
// process that a signal has ended meanwhile is none.
func (h *hold) release() error {
	defer h.close()
	if _, err := h.let.Write([]byte{1}); err != nil && !errors.Is(err, syscall.EPIPE) {
		return err
	}
	text, err := io.ReadAll(h.why) // until execve or the end closes it
	if err != nil || len(text) == 0 {
		return err
	}
	code, err := strconv.Atoi(string(text))
	if err != nil {
		return fmt.Errorf("the waiting process says %q", text)
	}
	return syscall.Errno(code)
}

// close gives the process up, if it still waits.
func (h *hold) close() {
	h.started()
	for _, f := range []*os.File{h.let, h.why} {
		if f != nil {
			f.Close()
		}
	}
}
