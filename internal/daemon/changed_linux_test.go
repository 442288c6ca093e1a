package daemon

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestChanged(t *testing.T) {
	dir := t.TempDir()
	name := filepath.Join(dir, "hooks.yaml")
	write := func(path, text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write(name, "one")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changed, err := Changed(ctx, name)
	if err != nil {
		t.Fatal(err)
	}
	told := func(how string) {
		t.Helper()
		select {
		case _, ok := <-changed:
			if !ok {
				t.Fatalf("%s: closed", how)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%s: nothing is told", how)
		}
	}
	write(name, "two")
	told("written")
	write(name+".new", "three")
	if err := os.Rename(name+".new", name); err != nil {
		t.Fatal(err)
	}
	told("renamed")
	// As the kubelet does it: the file is a link into a directory that a link names.
	for _, d := range []string{"a", "b"} {
		if err := os.Mkdir(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
		write(filepath.Join(dir, d, "hooks.yaml"), d)
	}
	link := func(to, from string) {
		t.Helper()
		if err := os.Symlink(to, from+".new"); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(from+".new", from); err != nil {
			t.Fatal(err)
		}
	}
	link("a", filepath.Join(dir, "..data"))
	link("..data/hooks.yaml", name)
	told("linked")
	link("b", filepath.Join(dir, "..data"))
	told("exchanged")
	write(filepath.Join(dir, "other"), "x")
	write(filepath.Join(dir, "b", "hooks.yaml"), "b") // the same again, and not in the directory
	cancel()
	for range changed {
		t.Error("told of a file that is as it was")
	}
}
