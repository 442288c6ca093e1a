package misses

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestKept(t *testing.T) {
	path := filepath.Join(t.TempDir(), "new", "selftest.json")
	a := tested(t)
	a.Boot = "b1"
	if got, err := read(path, "b1"); got != nil || err != nil {
		t.Fatalf("without a file: %v, %v", got, err)
	}
	if err := write(path, a); err != nil {
		t.Fatal(err)
	}
	got, err := read(path, "b1")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(a, got); diff != "" {
		t.Error(diff)
	}
	if got, err := read(path, "b2"); got != nil || err != nil {
		t.Errorf("after another boot: %v, %v", got, err)
	}
	if err := os.WriteFile(path, []byte("{"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := read(path, "b1"); got != nil || err == nil {
		t.Errorf("of a damaged file: %v, %v", got, err)
	}
	list, err := filepath.Glob(filepath.Join(filepath.Dir(path), "*"))
	if err != nil || len(list) != 1 {
		t.Errorf("left behind: %v %v", list, err)
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"version":3,"found":{"boot":"b","kinds":[{"kind":"kprobe","trials":[{"expected":3}]}]}}`))
	f.Add([]byte(`{"version":3,"found":null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		path := filepath.Join(t.TempDir(), "x")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		a, err := read(path, "b")
		if a != nil && err != nil {
			t.Errorf("both %v and %v", a, err)
		}
		if a != nil {
			for _, k := range a.Kinds {
				a.judge(k.Kind, 1)
			}
		}
	})
}
