package kernels_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/fstest"

	"github.com/surehook/surehook/atlas"
	"github.com/surehook/surehook/elfbin"
	"github.com/surehook/surehook/internal/kernels"
	"github.com/surehook/surehook/kernel"
	"github.com/surehook/surehook/kernel/live"
)

func named(release string, arch elfbin.Arch, banner string) *kernel.Snapshot {
	return &kernel.Snapshot{ID: kernel.Identity{Name: "debian-" + release, Release: release, Arch: arch, Banner: banner}}
}

func file(t *testing.T, path string, list ...*kernel.Snapshot) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := atlas.Write(&b, list); err != nil {
		t.Fatal(err)
	}
	if path != "" {
		if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

// TestFind names kernels in every way.
func TestFind(t *testing.T) {
	dir := t.TempDir()
	shipped := file(t, "", named("6.12.1-amd64", elfbin.AMD64, ""), named("6.1.0-50-arm64", elfbin.ARM64, ""), named("6.1.0-50-amd64", elfbin.AMD64, ""), named("5.10.0-1-amd64", elfbin.AMD64, "shipped"))
	file(t, filepath.Join(dir, "own.atlas"), named("5.10.0-1-amd64", elfbin.AMD64, "own"))
	if err := os.WriteFile(filepath.Join(dir, "bad.atlas"), []byte("nonsense"), 0o644); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(dir, "other")
	file(t, other, named("7.0.0-amd64", elfbin.AMD64, ""))
	vmlinux := filepath.Join(dir, "vmlinux")
	if err := os.WriteFile(vmlinux, []byte("\x7fELF and so on, longer than a footer of an atlas"), 0o644); err != nil {
		t.Fatal(err)
	}
	a, err := atlas.New(bytes.NewReader(shipped), int64(len(shipped)), "shipped")
	if err != nil {
		t.Fatal(err)
	}
	read := 0
	c, err := kernels.Open(kernels.Options{
		Shipped: a, Dirs: []string{dir},
		Live: func() (kernel.Kernel, error) { return named("6.18.0", elfbin.AMD64, ""), nil },
		File: func(string) (kernel.Kernel, error) { read++; return named("file", elfbin.AMD64, ""), nil },
	})
	var damaged *atlas.FormatError
	if !errors.As(err, &damaged) || damaged.Path != filepath.Join(dir, "bad.atlas") {
		t.Fatalf("the bad file: %v", err)
	}
	defer c.Close()
	for pattern, want := range map[string][]string{
		"all":                   {"debian-5.10.0-1-amd64", "debian-6.1.0-50-amd64", "debian-6.12.1-amd64", "debian-6.1.0-50-arm64"},
		"live":                  {"debian-6.18.0"},
		"*arm64":                {"debian-6.1.0-50-arm64"},
		"debian-6.1.*":          {"debian-6.1.0-50-amd64", "debian-6.1.0-50-arm64"},
		"6.12.1-amd64":          {"debian-6.12.1-amd64"},
		"debian-5.10.0-1-amd64": {"debian-5.10.0-1-amd64"},
		other:                   {"debian-7.0.0-amd64"},
		vmlinux:                 {"debian-file"},
	} {
		var got []string
		list, err := c.Find(pattern)
		for _, k := range list {
			got = append(got, k.Identity().Name)
		}
		if !slices.Equal(got, want) || err != nil {
			t.Errorf("%s: %v %v, want %v", pattern, got, err, want)
		}
	}
	if c.Find(vmlinux); read != 1 {
		t.Errorf("the file was read %d times", read)
	}
	if list, _ := c.Find("debian-5.10.0-1-amd64"); list[0].Identity().Banner != "own" {
		t.Error("the shipped kernel stands before the user's own")
	}
	_, err = c.Find("debian-6.12.2-amd64")
	var none *kernels.NotFoundError
	if !errors.As(err, &none) || len(none.Near) == 0 || none.Near[0] != "debian-6.12.1-amd64" {
		t.Errorf("an unknown name: %v", err)
	}
	if _, err = c.Find(filepath.Join(dir, "nope")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
}

// TestNone says what to do without any atlas.
func TestNone(t *testing.T) {
	c, err := kernels.Open(kernels.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"all", "live", "x"} {
		if _, err := c.Find(name); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestLive: an entry of the running kernel's build completes it.
func TestLive(t *testing.T) {
	entry := named("6.1.0-test", elfbin.AMD64, "Linux version 6.1.0-test (x)")
	dir := t.TempDir()
	file(t, filepath.Join(dir, "own.atlas"), entry)
	root := fstest.MapFS{
		"proc/sys/kernel/osrelease": &fstest.MapFile{Data: []byte("6.1.0-test\n")},
		"proc/version":              &fstest.MapFile{Data: []byte("Linux version 6.1.0-test (x)\n")},
	}
	for _, dirs := range [][]string{nil, {dir}} {
		c, err := kernels.Open(kernels.Options{Dirs: dirs, Live: func() (kernel.Kernel, error) { return live.New(root, elfbin.AMD64) }})
		if err != nil {
			t.Fatal(err)
		}
		list, err := c.Find("live")
		if err != nil || len(list) != 1 || list[0].Identity().Name != "live" {
			t.Fatal(list, err)
		}
		if why := list[0].Missing(kernel.Inlining); (why == "") != (dirs != nil) {
			t.Errorf("with %v: %q", dirs, why)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}
}
