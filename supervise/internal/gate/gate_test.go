//go:build linux

package gate

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// gated is a directory with a file in it that waits.
func gated(t *testing.T, limit time.Duration, handle func(Opening)) (g *Gate, file string) {
	t.Helper()
	g, err := Open(limit, handle)
	if err != nil {
		t.Skip("needs fanotify: ", err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	})
	dir := t.TempDir()
	file = filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("text"), 0o644); err != nil {
		t.Fatal(err)
	}
	d, err := unix.LookupPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := g.Mark(d); err != nil {
		t.Fatal(err)
	}
	return g, file
}

// read lets another process read the file.
func read(file string) <-chan string {
	done := make(chan string, 1)
	go func() {
		out, err := exec.Command("cat", file).CombinedOutput()
		if err != nil {
			out = append(out, err.Error()...)
		}
		done <- string(out)
	}()
	return done
}

func TestGate(t *testing.T) {
	asked := make(chan Opening, 10)
	g, file := gated(t, time.Minute, func(o Opening) { asked <- o })
	if _, err := os.ReadFile(file); err != nil { // we do not wait for ourselves
		t.Fatal(err)
	}
	done := read(file)
	o := <-asked
	select {
	case text := <-done:
		t.Fatalf("%q was read before it was allowed", text)
	case <-time.After(50 * time.Millisecond):
	}
	if err := o.Allow(); err != nil {
		t.Fatal(err)
	}
	if text := <-done; text != "text" {
		t.Errorf("%q", text)
	}
	if err := g.Ignore(o.File); err != nil {
		t.Fatal(err)
	}
	if text := <-read(file); text != "text" {
		t.Errorf("%q", text)
	}
	if len(asked) > 0 {
		t.Error("asked about a file that is ignored")
	}
	// A change ends that.
	if err := os.WriteFile(file, []byte("other"), 0o644); err != nil {
		t.Fatal(err)
	}
	done = read(file)
	(<-asked).Allow()
	if text := <-done; text != "other" {
		t.Errorf("%q", text)
	}
}

// Nobody waits for ever for somebody who does not decide.
func TestGuard(t *testing.T) {
	g, file := gated(t, 100*time.Millisecond, func(Opening) {})
	if text := <-read(file); text != "text" {
		t.Errorf("%q", text)
	}
	if n := g.Overdue(); n != 1 {
		t.Errorf("%d were overdue, want 1", n)
	}
}
