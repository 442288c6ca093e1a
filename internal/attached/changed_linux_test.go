package attached

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/surehook/surehook/internal/unix"
)

// A package's file has the time of its build, however late it is installed.
func TestChangedSince(t *testing.T) {
	name := filepath.Join(t.TempDir(), "f")
	old := time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	if err := os.WriteFile(name, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(name, old, old); err != nil {
		t.Fatal(err)
	}
	now, err := unix.SinceBoot()
	if err != nil {
		t.Fatal(err)
	}
	for loaded, want := range map[time.Duration]bool{now - time.Minute: true, now + time.Minute: false} {
		if got, err := changedSince(name, loaded); err != nil || got != want {
			t.Errorf("loaded %v from now: %v, %v", loaded-now, got, err)
		}
	}
}
