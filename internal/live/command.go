package live

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// Command is a program that is run to be traced.
type Command struct {
	cmd  *exec.Cmd
	done chan struct{}
	err  error
}

// Streams are what a command reads and writes.
type Streams struct {
	In       io.Reader
	Out, Err io.Writer
}

// Start runs the words as a program, without a shell. Attach first: probes
// that are there before the program begins miss nothing.
func Start(words []string, s Streams) (*Command, error) {
	c := &Command{cmd: exec.Command(words[0], words[1:]...), done: make(chan struct{})}
	c.cmd.Stdin, c.cmd.Stdout, c.cmd.Stderr = s.In, s.Out, s.Err
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the command: %w", err)
	}
	go func() {
		c.err = c.cmd.Wait()
		close(c.done)
	}()
	return c, nil
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
