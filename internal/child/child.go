// Package child is a process that one talks to by lines, over its standard
// input and output: what tests trace, pause and look at.
package child

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
)

// Child is a started process.
type Child struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// Start starts a command whose standard input and output are not set.
func Start(cmd *exec.Cmd) (*Child, error) {
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	return &Child{cmd, in, bufio.NewReader(out)}, nil
}

// PID is its number.
func (c *Child) PID() int { return c.cmd.Process.Pid }

// Say writes a line to it.
func (c *Child) Say(line string) error {
	_, err := io.WriteString(c.in, line+"\n")
	return err
}

// Hear waits for its next line and gives it without its end; io.EOF when it
// has ended, or shut its output.
func (c *Child) Hear() (string, error) {
	line, err := c.out.ReadString('\n')
	if line != "" && errors.Is(err, io.EOF) {
		err = fmt.Errorf("it ends in the middle of a line: %w", io.ErrUnexpectedEOF)
	}
	return strings.TrimSuffix(line, "\n"), err
}

// Shut ends its input, which lets go one that waits for it.
func (c *Child) Shut() error { return c.in.Close() }

// End ends its input, drops what it says still, and waits for its end; an
// *exec.ExitError if that is none of success.
func (c *Child) End() error {
	_ = c.in.Close() // it may be shut
	_, err := io.Copy(io.Discard, c.out)
	return errors.Join(err, c.cmd.Wait())
}

// Kill kills it and waits for its end.
func (c *Child) Kill() {
	_ = c.cmd.Process.Kill() // it may have ended
	_ = c.End()              // by that signal
}
