package live

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// Command is a program that is run to be traced. Its process exists before
// the program does, so that probes can be confined to it and miss nothing.
type Command struct {
	cmd  *exec.Cmd
	path string
	hold *hold // nil once it was let go or given up
	done chan struct{}
	err  error
}

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Start makes the process of a command, without a shell. Until Release it is
// this very program that waits (Held), and then executes the command's; so
// only who traces surehook itself counts a little more than the command. A
// program that is not found is an error here.
func Start(words []string, s Streams) (*Command, error) {
	c, err := start(words, s)
	if err != nil {
		return nil, fmt.Errorf("start the command: %w", err)
	}
	return c, nil
}

func start(words []string, s Streams) (*Command, error) {
	if os.Args[0] == heldName {
		return nil, errors.New("main does not call Held") // or this would go on for ever
	}
	path, err := exec.LookPath(words[0])
	if err != nil {
		return nil, err
	}
	program, err := self()
	if err != nil {
		return nil, err
	}
	hold, err := newHold()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(program)
	cmd.Args = hold.args(path, words)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = s.In, s.Out, s.Err
	if err := cmd.Start(); err != nil {
		hold.close()
		return nil, err
	}
	hold.started()
	return &Command{cmd: cmd, path: path, hold: hold, done: make(chan struct{})}, nil
}

// PID is the command's process, before and after Release.
func (c *Command) PID() int { return c.cmd.Process.Pid }

// Release lets the program begin. The error says why it cannot be executed.
func (c *Command) Release() error {
	err := c.hold.release()
	c.hold = nil
	// Not waited for earlier: until then the number is not given to another
	// process, whatever ends this one.
	if err != nil {
		c.wait()
		return fmt.Errorf("start the command: %s: %w", c.path, err)
	}
	go c.wait()
	return nil
}

// Cancel ends the process without ever running the program. After Release it
// does nothing.
func (c *Command) Cancel() {
	if c.hold == nil {
		return
	}
	_ = c.Kill() // it may have ended
	c.hold.close()
	c.hold = nil
	c.wait()
}

func (c *Command) wait() {
	c.err = c.cmd.Wait()
	close(c.done)
}

// Done is closed when the program has ended.
func (c *Command) Done() <-chan struct{} { return c.done }

// Signal passes a signal on.
func (c *Command) Signal(s os.Signal) error { return c.cmd.Process.Signal(s) }

// Kill ends the program at once.
func (c *Command) Kill() error { return c.cmd.Process.Kill() }

// Status says how the program ended, after Done: "" for success.
func (c *Command) Status() string {
	if c.err == nil {
		return ""
	}
	if state := c.cmd.ProcessState; state != nil {
		if w, ok := state.Sys().(syscall.WaitStatus); ok && w.Signaled() {
			return "was killed by signal " + w.Signal().String()
		}
		return fmt.Sprintf("exited with status %d", state.ExitCode())
	}
	return c.err.Error()
}
