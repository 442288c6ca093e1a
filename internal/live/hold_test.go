//go:build unix

package live

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
)

func TestMain(m *testing.M) {
	Held()
	os.Exit(m.Run())
}

// TestCommandWaits: the program begins at Release, in the process that was
// there before.
func TestCommandWaits(t *testing.T) {
	var out bytes.Buffer
	ran := filepath.Join(t.TempDir(), "ran")
	c, err := Start([]string{"sh", "-c", `echo $$; echo "$0" "$1" >"$1"`, "zero", ran}, Streams{Out: &out})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(ran); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the command has begun")
	}
	if err := c.Release(); err != nil {
		t.Fatal(err)
	}
	Wait(context.Background(), Until{Command: c}, nil)
	if pid := strings.TrimSpace(out.String()); c.Status() != "" || pid != strconv.Itoa(c.PID()) {
		t.Errorf("status %q, process %q, announced as %d", c.Status(), pid, c.PID())
	}
	if b, err := os.ReadFile(ran); string(b) != "zero "+ran+"\n" {
		t.Errorf("arguments %q, %v", b, err)
	}
}

func TestCancelNeverRuns(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	c, err := Start([]string{"touch", ran}, Streams{})
	if err != nil {
		t.Fatal(err)
	}
	c.Cancel()
	c.Cancel()
	<-c.Done()
	if _, err := os.Stat(ran); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the command has run")
	}
}

// TestAbandoned: a process whose tracer has gone does not run the program.
func TestAbandoned(t *testing.T) {
	ran := filepath.Join(t.TempDir(), "ran")
	c, err := Start([]string{"touch", ran}, Streams{})
	if err != nil {
		t.Fatal(err)
	}
	c.hold.close()
	c.hold = nil
	c.wait()
	if got := c.Status(); got != "exited with status 127" {
		t.Error(got)
	}
	if _, err := os.Stat(ran); !errors.Is(err, fs.ErrNotExist) {
		t.Error("the command has run")
	}
}

// TestEndedWhileWaiting: a Ctrl-C while probes are attached is the command's
// end, not an error of its own.
func TestEndedWhileWaiting(t *testing.T) {
	c, err := Start([]string{"sleep", "60"}, Streams{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	if err := c.Release(); err != nil {
		t.Error(err)
	}
	<-c.Done()
	if got := c.Status(); got != "was killed by signal killed" {
		t.Error(got)
	}
}

func TestCannotStart(t *testing.T) {
	dir := t.TempDir()
	if _, err := Start([]string{filepath.Join(dir, "nosuch")}, Streams{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no such file: %v", err)
	}
	if _, err := Start([]string{"surehook-no-such-program"}, Streams{}); !errors.Is(err, exec.ErrNotFound) {
		t.Errorf("not in PATH: %v", err)
	}
	text := filepath.Join(dir, "text")
	if err := os.WriteFile(text, []byte("no program"), 0o755); err != nil {
		t.Fatal(err)
	}
	c, err := Start([]string{text}, Streams{})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Release(); !errors.Is(err, syscall.ENOEXEC) {
		t.Errorf("no program: %v", err)
	}
	<-c.Done()
}

// TestNoDescriptorsStay neither here nor in the command.
func TestNoDescriptorsStay(t *testing.T) {
	count := func() int {
		list, err := os.ReadDir("/dev/fd")
		if err != nil {
			t.Skip("cannot list descriptors: ", err)
		}
		return len(list)
	}
	run := func() {
		c := shell(t, "true", &bytes.Buffer{})
		<-c.Done()
	}
	run() // the runtime opens some for itself the first time
	before := count()
	for range 5 {
		run()
		c, err := Start([]string{"true"}, Streams{})
		if err != nil {
			t.Fatal(err)
		}
		c.Cancel()
	}
	if after := count(); after != before {
		t.Errorf("%d descriptors before, %d after", before, after)
	}
}
