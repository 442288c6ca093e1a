//go:build linux

package way

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// walk gives the names that are looked up, the last ones with a star, and what is
// found.
func walk(t *testing.T, path string) ([]string, *Way) {
	t.Helper()
	var names []string
	w, err := Walk(path, func(_ *os.File, s Step) error {
		n := s.Name
		if s.Last {
			n += "*"
		}
		names = append(names, n)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if w.File != nil {
		w.File.Close()
	}
	return names, w
}

func TestWalk(t *testing.T) {
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(os.MkdirAll(dir+"/a/b", 0o755))
	ok(os.WriteFile(dir+"/a/b/file", []byte("x"), 0o644))
	ok(os.Symlink("b/file", dir+"/a/link"))
	ok(os.Symlink(dir+"/a", dir+"/dir"))
	ok(os.Symlink("loop", dir+"/loop"))
	depth := len(parts(dir))
	for _, c := range []struct {
		path    string
		want    []string // after dir
		missing string
	}{
		{"/a/b/file", []string{"a", "b", "file*"}, ""},
		{"/a/link", []string{"a", "link*", "b", "file*"}, ""},
		{"/a/b/../link", []string{"a", "b", "..", "link*", "b", "file*"}, ""},
		{"/a/b/none", []string{"a", "b", "none*"}, "no such file"},
		{"/a/none/x", []string{"a", "none"}, "no such file"},
		{"/a/b/file/x", []string{"a", "b", "file"}, "not a directory"},
		{"/a/b", []string{"a", "b*"}, "is a directory"},
		{"/loop", nil, "too many"},
	} {
		names, w := walk(t, dir+c.path)
		if c.want != nil {
			if diff := cmp.Diff(c.want, names[depth:]); diff != "" {
				t.Errorf("%s: %s", c.path, diff)
			}
		}
		switch {
		case c.missing == "" && (w.Missing != nil || w.Info.Size != 1):
			t.Errorf("%s: %v, %+v", c.path, w.Missing, w.Info)
		case c.missing != "" && (w.Missing == nil || !strings.Contains(w.Missing.Error(), c.missing)):
			t.Errorf("%s: %v, want %s", c.path, w.Missing, c.missing)
		}
	}
	if _, w := walk(t, dir+"/dir/link"); w.Missing != nil {
		t.Error(w.Missing)
	}
	// Behind the root of a process is a root.
	if _, w := walk(t, "/proc/self/root"+dir+"/dir/link"); w.Missing != nil || w.Info.Size != 1 {
		t.Error(w.Missing)
	}
	if _, err := Walk("a", nil); err == nil {
		t.Error("a path that is not absolute")
	}
}

func TestSince(t *testing.T) {
	dir := t.TempDir()
	put := func(text string) {
		t.Helper()
		if err := os.WriteFile(dir+"/new", []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(dir+"/new", dir+"/file"); err != nil {
			t.Fatal(err)
		}
	}
	put("a")
	_, first := walk(t, dir+"/file")
	_, again := walk(t, dir+"/file")
	if at, changed := Since(first, again); changed {
		t.Errorf("nothing changed, but at %v", at)
	}
	put("b")
	_, second := walk(t, dir+"/file")
	if at, changed := Since(first, second); !changed || !at.Equal(second.Info.Changed) {
		t.Errorf("changed %v at %v, want %v", changed, at, second.Info.Changed)
	}
}
