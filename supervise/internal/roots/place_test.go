//go:build linux

package roots

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/surehook/surehook/internal/unix"
)

// TestFind follows paths as processes with that root do.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, d := range []string{"usr/lib", "etc/alternatives", "opt"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range []string{"opt/real.so", "usr/lib/plain.so"} {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"usr/lib/linked.so": "/etc/alternatives/linked.so", "etc/alternatives/linked.so": "/opt/real.so", "lib": "usr/lib",
		"out": "../../../../../../../../opt", "usr/lib/broken.so": "/nowhere", "loop": "loop",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	root, err := unix.FollowPath(dir)
	if err != nil {
		t.Fatal(err)
	}
	f := &Finder{root, map[string]unix.FileID{}}
	defer f.Close()
	for name, want := range map[string]struct{ dir, file string }{
		"/usr/lib/plain.so": {"usr/lib", "usr/lib/plain.so"}, "/lib/plain.so": {"usr/lib", "usr/lib/plain.so"},
		"/usr/lib/linked.so": {"usr/lib", "opt/real.so"}, "/out/real.so": {"opt", "opt/real.so"},
		"/usr/lib/broken.so": {}, "/loop": {}, "/usr/lib": {}, "/none/x.so": {},
	} {
		got, ok := f.Find(name)
		var place Place
		for _, x := range []struct {
			path string
			id   *unix.FileID
		}{{want.dir, &place.Dir}, {want.file, &place.File}} {
			if x.path == "" {
				continue
			}
			if *x.id, err = unix.StatPath(filepath.Join(dir, x.path)); err != nil {
				t.Fatal(err)
			}
		}
		if ok != (want.file != "") || got != place {
			t.Errorf("%s: %v %t, want %v", name, got, ok, place)
		}
	}
}
