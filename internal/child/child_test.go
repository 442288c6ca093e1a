package child

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"testing"
)

func start(t *testing.T, script string) *Child {
	t.Helper()
	c, err := Start(exec.Command("/bin/sh", "-c", script))
	if errors.Is(err, os.ErrNotExist) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Kill)
	return c
}

func TestTalk(t *testing.T) {
	c := start(t, "while read x; do echo got $x; done; echo more; echo; exit 3")
	for _, word := range []string{"one", "two"} {
		if err := c.Say(word); err != nil {
			t.Fatal(err)
		}
		if got, err := c.Hear(); got != "got "+word || err != nil {
			t.Errorf("%q, %v", got, err)
		}
	}
	if err := c.Shut(); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"more", ""} {
		if got, err := c.Hear(); got != want || err != nil {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	if got, err := c.Hear(); got != "" || err != io.EOF {
		t.Errorf("after the end: %q, %v", got, err)
	}
	var exit *exec.ExitError
	if err := c.End(); !errors.As(err, &exit) || exit.ExitCode() != 3 {
		t.Errorf("it ended with %v", err)
	}
}

// TestEnd: what nobody heard does not keep it from ending.
func TestEnd(t *testing.T) {
	c := start(t, "i=0; while [ $i -lt 20000 ]; do echo a line that fills the pipe; i=$((i+1)); done; printf half")
	if err := c.End(); err != nil {
		t.Error(err)
	}
}

func TestHalf(t *testing.T) {
	c := start(t, "printf half")
	if got, err := c.Hear(); got != "half" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("%q, %v", got, err)
	}
}

func TestKill(t *testing.T) {
	c := start(t, "exec sleep 1000")
	if c.PID() <= 0 {
		t.Error(c.PID())
	}
	c.Kill()
	if c.cmd.ProcessState == nil {
		t.Error("it has not been waited for")
	}
}

func TestNoProgram(t *testing.T) {
	if _, err := Start(exec.Command("/nope")); !errors.Is(err, os.ErrNotExist) {
		t.Error(err)
	}
}
