//go:build linux

package pause

import (
	"os/exec"
	"testing"
	"time"

	"github.com/surehook/surehook/internal/child"
)

// A process that is paused does nothing, and goes on as if nothing had been.
func TestPause(t *testing.T) {
	cmd := exec.Command("sh", "-c", "while read x; do echo $x; done; exit 3")
	c, err := child.Start(cmd)
	if err != nil {
		t.Skip(err)
	}
	defer c.Kill()
	lines := make(chan string)
	go func() {
		defer close(lines)
		for {
			line, err := c.Hear()
			if err != nil {
				return
			}
			lines <- line
		}
	}()
	say := func(word string) {
		if err := c.Say(word); err != nil {
			t.Error(err)
		}
	}
	say("one")
	if got := <-lines; got != "one" {
		t.Fatal(got)
	}
	p := New()
	if err := p.Stop(c.PID()); err != nil {
		p.Resume()
		t.Skip(err)
	}
	if !p.Has(c.PID()) {
		t.Error("it is not there")
	}
	say("two")
	select {
	case got := <-lines:
		t.Errorf("it says %s while it is stopped", got)
	case <-time.After(100 * time.Millisecond):
	}
	p.Resume()
	if got := <-lines; got != "two" {
		t.Error(got)
	}
	c.Shut()
	for range lines {
	}
	if err := c.End(); err == nil || cmd.ProcessState.ExitCode() != 3 {
		t.Errorf("it ended with %v", err)
	}
}

// A process that has ended, but that its parent has not seen end, cannot be traced.
func TestPauseZombie(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Start(); err != nil {
		t.Skip(err)
	}
	defer cmd.Wait()
	for !ended(cmd.Process.Pid) {
		time.Sleep(time.Millisecond)
	}
	p := New()
	defer p.Resume()
	if err := p.Stop(cmd.Process.Pid); err != nil || p.Has(cmd.Process.Pid) {
		t.Errorf("%v", err)
	}
}

func TestPauseGone(t *testing.T) {
	cmd := exec.Command("true")
	if err := cmd.Run(); err != nil {
		t.Skip(err)
	}
	p := New()
	defer p.Resume()
	if err := p.Stop(cmd.Process.Pid); err != nil || p.Has(cmd.Process.Pid) {
		t.Errorf("%v", err)
	}
}
