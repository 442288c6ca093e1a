//go:build unix

package vmtest

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

// TestFill checks that a directory of the cache is made once, whole or not at
// all, whatever a process that was killed left behind.
func TestFill(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "cache", "x")
	leave := func() {
		t.Helper()
		if err := os.MkdirAll(filepath.Join(dir+".part", "root", "half"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	leave()
	broken := errors.New("broken")
	if err := fill(dir, func(_, root string) error {
		return errors.Join(os.WriteFile(filepath.Join(root, "half"), nil, 0o644), broken)
	}); !errors.Is(err, broken) {
		t.Errorf("got %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("a half directory counts")
	}
	leave()
	made := 0
	for range 2 {
		if err := fill(dir, func(_, root string) error {
			made++
			if !locked(t, dir+".lock") {
				t.Error("another process could fill it too")
			}
			return os.WriteFile(filepath.Join(root, "f"), nil, 0o644)
		}); err != nil {
			t.Error(err)
		}
	}
	if made != 1 {
		t.Errorf("made %d times", made)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 || entries[0].Name() != "f" {
		t.Errorf("holds %v, %v", entries, err)
	}
}

// locked tells whether someone has the lock of that name.
func locked(t *testing.T, name string) bool {
	t.Helper()
	f, err := os.OpenFile(name, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return errors.Is(syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB), syscall.EWOULDBLOCK)
}

func TestChoose(t *testing.T) {
	names := []string{
		"linux-image-6.1.0-9-cloud-amd64", "linux-image-6.1.0-47-cloud-amd64", "linux-image-6.1.0-50-cloud-amd64-unsigned",
		"linux-image-6.1.0-48-cloud-arm64", "linux-image-6.12.9+deb13-cloud-amd64", "linux-image-6.12.10+deb13-cloud-amd64",
		"linux-image-6.1.0-49-amd64", "linux-image-cloud-amd64", "linux-base-6.1.0-90-cloud-amd64",
	}
	for _, c := range []struct{ series, release, want string }{
		{"6.1", "6.1.0-9-cloud-amd64", "6.1.0-9-cloud-amd64"},
		{"6.1", "6.1.0-50-cloud-amd64", "6.1.0-47-cloud-amd64"},
		{"6.12", "6.12.11+deb13-cloud-amd64", "6.12.10+deb13-cloud-amd64"},
		{"6.2", "6.2.1-cloud-amd64", ""},
	} {
		got, err := Kernel{Arch: "amd64", Series: c.series, Release: c.release}.choose(names)
		if got != c.want || (err != nil) != (c.want == "") || err != nil && !errors.Is(err, ErrMissing) {
			t.Errorf("%s: %q, %v; want %q", c.release, got, err, c.want)
		}
	}
}

// TestTable checks what Fetch, choose and tables rely upon.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, k := range Kernels() {
		if got, err := k.choose([]string{"linux-image-" + k.Release}); got != k.Release || err != nil {
			t.Errorf("%s: its own release does not fit: %v", k.Name(), err)
		}
		if seen[k.Name()] || seen[k.dir("")] {
			t.Errorf("%s: twice", k.Name())
		}
		seen[k.Name()], seen[k.dir("")] = true, true
	}
}
